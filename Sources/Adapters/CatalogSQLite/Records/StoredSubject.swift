import Foundation
import SnapshotDomain

/// What a job works on, as an element of the JSON in `jobs.subjects` and `jobs.reads`: `{"id": "…", "kind": "volume"}`.
struct StoredSubject: Codable {
    /// Stored, append-only.
    enum Kind: String, Codable {
        case volume
        case snapshot
        case template
        case instance
        case environment
    }

    var kind: Kind
    var id: UUID

    init(_ subject: JobSubject) {
        switch subject {
        case .volume(let volume): (kind, id) = (.volume, volume.uuid)
        case .snapshot(let snapshot): (kind, id) = (.snapshot, snapshot.uuid)
        case .template(let template): (kind, id) = (.template, template.uuid)
        case .instance(let instance): (kind, id) = (.instance, instance.uuid)
        case .environment(let environment): (kind, id) = (.environment, environment.uuid)
        }
    }

    var subject: JobSubject {
        switch kind {
        case .volume: .volume(Identifier(id))
        case .snapshot: .snapshot(Identifier(id))
        case .template: .template(Identifier(id))
        case .instance: .instance(Identifier(id))
        case .environment: .environment(Identifier(id))
        }
    }
}
