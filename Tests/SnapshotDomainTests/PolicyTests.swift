import Foundation
import SnapshotDomain
import Testing

@Suite("policies")
struct PolicyTests {
    @Test("a schedule has the parts of its interval, each within its bounds")
    func schedules() throws {
        typealias Schedule = SnapshotPolicy.Schedule
        let hourly = try Schedule(.hourly, minute: 59, hour: 99, day: 99)
        #expect((hourly.minute, hourly.hour, hourly.day) == (59, nil, nil))
        let daily = try Schedule(.daily, minute: 0, hour: 23, day: 99)
        #expect((daily.hour, daily.day) == (23, nil))
        #expect(try Schedule(.weekly, minute: 0, hour: 0, day: 7).day == 7)
        #expect(try Schedule(.monthly, minute: 0, hour: 0, day: 28).day == 28)
        let refused: [(SnapshotPolicy.Interval, Int, Int?, Int?)] = [
            (.hourly, 60, nil, nil), (.hourly, -1, nil, nil), (.daily, 0, nil, nil), (.daily, 0, 24, nil),
            (.weekly, 0, 0, nil), (.weekly, 0, 0, 0), (.weekly, 0, 0, 8), (.monthly, 0, 0, 29), (.monthly, 0, 0, 0),
        ]
        for (interval, minute, hour, day) in refused {
            let error = #expect(throws: ServiceError.self) {
                try Schedule(interval, minute: minute, hour: hour, day: day)
            }
            #expect(error?.code == .invalidInput)
        }
    }

    @Test("from one to eight snapshots are kept", arguments: -1...10)
    func kept(_ kept: Int) throws {
        let policy = try? SnapshotPolicy(
            id: .random(),
            environment: .random(),
            volume: .random(),
            interval: .hourly,
            schedule: try .init(.hourly, minute: 0),
            timeZone: "UTC",
            kept: kept,
            createdAt: Date(timeIntervalSince1970: 0)
        )
        #expect((policy != nil) == (1...8).contains(kept))
    }
}
