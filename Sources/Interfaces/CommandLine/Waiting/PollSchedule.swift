/// How long to wait before asking again how far a task is.
///
/// Most tasks take milliseconds, so the first questions come fast; a long one is asked about four times a second.
struct PollSchedule: Sendable, Sequence, IteratorProtocol {
    private var coming: Duration = .milliseconds(20)
    private static let longest = Duration.milliseconds(250)

    mutating func next() -> Duration? {
        defer { coming = Swift.min(coming * 2, Self.longest) }
        return coming
    }
}
