import Foundation
import SnapshotDomain
import SnapshotServices

/// Only who it is: for what is gone, or cannot be seen any more.
struct IdentityPayload: Encodable, Sendable {
    let id: String
}

/// A result without anything to say: `{}`.
struct EmptyPayload: Encodable, Sendable {}

/// **ext**: how far the job that holds a resource is.
struct ProgressPayload: Encodable, Sendable {
    let doneBytes: Int64
    let totalBytes: Int64
    let bytesPerSecond: Int64?
    let remainingSeconds: Int?

    init(_ progress: JobProgress) {
        doneBytes = progress.doneBytes.bytes
        totalBytes = progress.totalBytes.bytes
        bytesPerSecond = progress.bytesPerSecond
        remainingSeconds = progress.remainingSeconds
    }
}

/// **ext**: something that keeps a layer.
struct PinPayload: Encodable, Sendable {
    let type: String
    let id: String
    var name: String?
    var creationDate: String?

    init(_ pin: Pin) {
        switch pin {
        case .volume(let volume): (type, id) = ("volumes", volume.description)
        case .snapshot(let snapshot): (type, id) = ("snapshots", snapshot.description)
        case .template(let template): (type, id) = ("templates", template.description)
        }
    }

    init(_ named: TreeNode.NamedPin) {
        self.init(named.pin)
        name = named.name.description
        creationDate = UTCStamp.iso8601(named.createdAt)
    }
}
