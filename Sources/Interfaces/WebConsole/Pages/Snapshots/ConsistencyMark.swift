import SnapshotDomain

/// How a snapshot was brought to rest, in a word, and what really happened in a sentence.
struct ConsistencyMark: PageValue {
    let text: String
    let tone: String
    let icon: String
    let detail: String

    init(_ record: ConsistencyRecord, _ visit: Visit) {
        let texts = visit.texts
        text = texts("consistency.\(record.achieved.rawValue)")
        switch (record.requested, record.achieved) {
        case (_, .memory):
            (tone, icon) = ("good", "tone-good")
            detail = texts(
                "consistency.stood",
                ["milliseconds": visit.formats.number(record.freezeMilliseconds ?? 0)]
            )
        case (.memory, .crash):
            (tone, icon) = ("warn", "tone-bad")
            detail = texts("consistency.memory_missed")
        case (_, .filesystem):
            (tone, icon) = ("good", "tone-good")
            // Without a freeze nobody was writing: the instance was stopped.
            detail =
                record.freezeMilliseconds.map {
                    texts("consistency.held", ["milliseconds": visit.formats.number($0)])
                } ?? texts("consistency.at_rest")
        case (.filesystem, .crash):
            (tone, icon) = ("warn", "tone-bad")
            detail = texts("consistency.missed")
        case (.crash, .crash):
            (tone, icon) = ("off", "tone-off")
            // Disks that cannot be switched together are, while the machine stands still.
            detail =
                record.freezeMilliseconds.map {
                    texts("consistency.stood_apart", ["milliseconds": visit.formats.number($0)])
                } ?? texts("consistency.as_asked")
        }
    }
}
