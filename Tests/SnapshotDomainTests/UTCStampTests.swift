import Foundation
import Glibc
import SnapshotDomain
import Testing

@Suite("UTC stamps")
struct UTCStampTests {
    @Test("random instants of ten thousand years read as the C library and Foundation have them")
    func random() throws {
        var random = SeededGenerator(seed: 8)
        let halfOfThem = 5_000 * 365.2425 * 86_400
        for _ in 0..<10_000 {
            let milliseconds = (Double.random(in: -halfOfThem...halfOfThem, using: &random) * 1_000).rounded(.down)
            let instant = Date(timeIntervalSince1970: milliseconds / 1_000)
            try expectRight(instant, milliseconds: Int(milliseconds))
            // Foundation writes years of four digits, and says 0.998 where a Date falls short of the 0.999 it was made from.
            guard instant > Date(timeIntervalSince1970: -11_000_000_000) else { continue }
            let wanted = (instant + 0.000_4).formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
            if UTCStamp.iso8601(instant) != wanted { Issue.record("\(UTCStamp.iso8601(instant)) is not \(wanted)") }
        }
    }

    @Test("every day around a century without a leap day and one with, at its first and last millisecond")
    func days() throws {
        // 1896 to 1904 and 1996 to 2004.
        for day in Array(-27_028..<(-23_741)) + Array(9_496..<12_784) {
            let first = day * 86_400_000
            for milliseconds in [first, first + 86_399_999] {
                try expectRight(Date(timeIntervalSince1970: Double(milliseconds) / 1_000), milliseconds: milliseconds)
            }
        }
    }

    @Test("known instants")
    func known() {
        let stamps: [(Double, String, String)] = [
            (0, "1970-01-01T00:00:00.000Z", "19700101000000"),
            (1_763_821_801.25, "2025-11-22T14:30:01.250Z", "20251122143001"),
            (951_782_400, "2000-02-29T00:00:00.000Z", "20000229000000"),
            (-0.001, "1969-12-31T23:59:59.999Z", "19691231235959"),
            (-62_135_596_800, "0001-01-01T00:00:00.000Z", "00010101000000"),
            (-62_167_219_200, "0000-01-01T00:00:00.000Z", "00000101000000"),
            (-62_167_219_200.5, "-0001-12-31T23:59:59.500Z", "-00011231235959"),
            (253_402_300_799, "9999-12-31T23:59:59.000Z", "99991231235959"),
        ]
        for (seconds, iso, compact) in stamps {
            let instant = Date(timeIntervalSince1970: seconds)
            #expect(UTCStamp.iso8601(instant) == iso)
            #expect(UTCStamp.compact(instant) == compact)
        }
    }

    private func expectRight(_ instant: Date, milliseconds: Int) throws {
        var seconds = time_t((Double(milliseconds) / 1_000).rounded(.down))
        var parts = tm()
        _ = try #require(gmtime_r(&seconds, &parts))
        let year = Int(parts.tm_year) + 1_900
        let sign = year < 0 ? "-" : ""
        func pad(_ value: some BinaryInteger, _ width: Int) -> String {
            String(repeating: "0", count: max(0, width - String(value).count)) + String(value)
        }
        let date = [pad(parts.tm_mon + 1, 2), pad(parts.tm_mday, 2)]
        let time = [pad(parts.tm_hour, 2), pad(parts.tm_min, 2), pad(parts.tm_sec, 2)]
        let fraction = pad(milliseconds - Int(seconds) * 1_000, 3)
        let wanted = "\(sign)\(pad(year.magnitude, 4))-\(date.joined(separator: "-"))T\(time.joined(separator: ":"))"
        let iso = UTCStamp.iso8601(instant)
        if iso != "\(wanted).\(fraction)Z" { Issue.record("\(iso) is not \(wanted).\(fraction)Z") }
        let compact = UTCStamp.compact(instant)
        let wantedCompact = sign + pad(year.magnitude, 4) + date.joined() + time.joined()
        if compact != wantedCompact { Issue.record("\(compact) is not \(wantedCompact)") }
    }
}
