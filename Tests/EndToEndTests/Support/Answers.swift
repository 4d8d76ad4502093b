/// What the tests read of the program's JSON.
struct SnapshotAnswer: Decodable, Sendable {
    var id: String
    var name: String
    var state: String
    var volume: String
    var groupId: String?
    var consistency: String?
    var freezeMilliseconds: Int?
    var digest: String?
    var intervalType: String?
}

struct InstanceAnswer: Decodable, Sendable {
    struct Disk: Decodable, Sendable {
        var id: String
        var name: String
    }

    var id: String
    var name: String
    var state: String
    var volumes: [Disk]
    var sshPort: Int?
    var ipAddresses: [String]?
    var networkId: String?
}

struct VolumeAnswer: Decodable, Sendable {
    var id: String
    var name: String
    var state: String
    var undoSnapshotId: String?
}

struct NamedAnswer: Decodable, Sendable {
    var id: String
    var name: String
}

struct TaskAnswer: Decodable, Sendable {
    var id: String
    var status: String
    var kind: String
}

struct VerificationAnswer: Decodable, Sendable {
    var digest: String
}
