/// Why something a person asked for did not happen.
///
/// It is the one error of the service boundary: every face maps its ``Code`` to its own protocol, totally. The message is
/// one sentence or two in English: what failed, on which thing, and what to do about it. Causes stay in the log.
package struct ServiceError: Error, Hashable, Sendable, Codable {
    /// Stable, append-only: stored with failed jobs and sent over the wire.
    package enum Code: String, Sendable, Codable, CaseIterable {
        case invalidInput = "invalid_input"
        case notAuthenticated = "not_authenticated"
        case notAllowed = "not_allowed"
        case notFound = "not_found"
        case nameTaken = "name_taken"
        /// The resource is in a state that forbids the operation.
        case wrongState = "wrong_state"
        /// Something else depends on it, and would be lost or left dangling.
        case inUse = "in_use"
        /// The pool, or the disk below the catalog, has no room for it.
        case noSpace = "no_space"
        /// A bound of ours would be exceeded, such as the depth of a chain or the size of an image.
        case limitExceeded = "limit_exceeded"
        /// An image is refused: damaged, of another format, or with references to other files.
        case badImage = "bad_image"
        /// The guest did not do its part in time, and the caller asked to fail rather than to settle for less.
        case guestFailed = "guest_failed"
        /// Stored bytes are not what they were.
        case damaged = "damaged"
        /// A part of the system is missing or does not answer; the same call may work later.
        case unavailable = "unavailable"
        case cancelled = "cancelled"
        /// A fault of ours.
        case internalError = "internal_error"
    }

    /// What the error speaks of.
    package struct Subject: Hashable, Sendable, Codable {
        package var kind: String
        package var id: String

        package init(kind: String, id: String) {
            self.kind = kind
            self.id = id
        }

        package static func field(_ name: String) -> Self { Self(kind: "field", id: name) }
        package static func volume(_ id: VolumeID) -> Self { Self(kind: "volumes", id: id.description) }
        package static func snapshot(_ id: SnapshotID) -> Self { Self(kind: "snapshots", id: id.description) }
        package static func instance(_ id: InstanceID) -> Self { Self(kind: "instances", id: id.description) }
        package static func template(_ id: TemplateID) -> Self { Self(kind: "templates", id: id.description) }
        package static func environment(_ id: EnvironmentID) -> Self { Self(kind: "environments", id: id.description) }
        package static func user(_ id: UserID) -> Self { Self(kind: "users", id: id.description) }
        package static func key(_ id: KeyID) -> Self { Self(kind: "keys", id: id.description) }
        package static func job(_ id: JobID) -> Self { Self(kind: "tasks", id: id.description) }
        package static func pool(_ id: PoolID) -> Self { Self(kind: "pools", id: id.description) }
    }

    package var code: Code
    package var message: String
    package var subject: Subject?
    /// For `wrongState`: the state it is in, and those that would allow the operation, in the faces' words.
    package var currentState: String?
    package var expectedStates: [String]

    package init(
        _ code: Code,
        _ message: String,
        subject: Subject? = nil,
        currentState: String? = nil,
        expectedStates: [String] = []
    ) {
        self.code = code
        self.message = message
        self.subject = subject
        self.currentState = currentState
        self.expectedStates = expectedStates
    }
}
