import Foundation

/// Who reads a table: in which language, in which time zone.
struct Reader: Sendable {
    var language: Language
    var timeZone: TimeZone

    func word(_ word: Word) -> String {
        word.text(in: language)
    }

    func instant(_ value: JSONValue) -> String? {
        value.date.map { HumanText.instant($0, in: timeZone) } ?? value.string
    }

    func size(_ value: JSONValue) -> String? {
        value.int64.map(HumanText.size)
    }

    func truth(_ value: JSONValue) -> String? {
        value.bool.map { word($0 ? .yes : .no) }
    }

    /// The state of a resource as people call it.
    ///
    /// A state that this client does not know is shown as it was sent.
    func state(_ state: String, of kind: ResourceKind) -> Table.Cell {
        guard let (word, tone) = StateWords.lookUp(state, of: kind) else { return Table.Cell(state) }
        return Table.Cell(self.word(word), tone)
    }

    /// The status of a task as people call it.
    func taskStatus(_ status: String) -> Table.Cell {
        guard let (word, tone) = StateWords.lookUp(taskStatus: status) else { return Table.Cell(status) }
        return Table.Cell(self.word(word), tone)
    }
}

/// Which word stands for which state on the wire.
enum StateWords {
    static func lookUp(_ state: String, of kind: ResourceKind) -> (word: Word, tone: Tone)? {
        let specific: (Word, Tone)? =
            switch (kind, state) {
            case (.snapshot, "Creating"), (.snapshot, "BackingUp"): (.inProgress, .working)
            case (.snapshot, "BackedUp"): (.backedUp, .good)
            case (.volume, "Snapshotting"): (.snapshotting, .working)
            default: nil
            }
        return specific ?? common[state]
    }

    static func lookUp(taskStatus: String) -> (word: Word, tone: Tone)? {
        switch taskStatus.lowercased() {
        case "queued": (.queued, .working)
        case "pending": (.pending, .working)
        case "running": (.inProgress, .working)
        case "success", "succeeded": (.succeeded, .good)
        case "failed": (.failed, .bad)
        case "cancelled": (.cancelled, .bad)
        case "started": (.started, .working)
        default: nil
        }
    }

    private static let common: [String: (Word, Tone)] = [
        "Attaching": (.attaching, .working),
        "Creating": (.creating, .working),
        "Destroying": (.destroying, .working),
        "Detaching": (.detaching, .working),
        "Error": (.error, .bad),
        "Expunging": (.destroying, .working),
        "Migrating": (.moving, .working),
        "PENDING": (.pending, .working),
        "PROVISIONED": (.provisioned, .good),
        "PROVISIONING": (.creating, .working),
        "PURGING": (.purging, .working),
        "Ready": (.ready, .good),
        "Resizing": (.resizing, .working),
        "RevertSnapshotting": (.reverting, .working),
        "Running": (.running, .good),
        "Starting": (.starting, .working),
        "Stopped": (.stopped, .plain),
        "Stopping": (.stopping, .working),
        "Unknown": (.unknown, .bad),
    ]
}
