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
    var id: Identifier<StoredSubject>

    init(_ subject: JobSubject) {
        switch subject {
        case .volume(let volume): (kind, id) = (.volume, Identifier(volume.uuid))
        case .snapshot(let snapshot): (kind, id) = (.snapshot, Identifier(snapshot.uuid))
        case .template(let template): (kind, id) = (.template, Identifier(template.uuid))
        case .instance(let instance): (kind, id) = (.instance, Identifier(instance.uuid))
        case .environment(let environment): (kind, id) = (.environment, Identifier(environment.uuid))
        }
    }

    var subject: JobSubject {
        switch kind {
        case .volume: .volume(Identifier(id.uuid))
        case .snapshot: .snapshot(Identifier(id.uuid))
        case .template: .template(Identifier(id.uuid))
        case .instance: .instance(Identifier(id.uuid))
        case .environment: .environment(Identifier(id.uuid))
        }
    }
}
