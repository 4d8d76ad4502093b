import SnapshotDomain
import Testing

@testable import SnapshotServices

@Suite("progress")
struct ProgressMeterTests {
    private let start = ContinuousClock.now

    @Test("a rate and a time to wait follow from what was done in which time")
    func rate() {
        var meter = ProgressMeter(startedAt: start)
        meter.note(.mebibytes(10), of: .mebibytes(40), at: start + .seconds(2))
        #expect(meter.progress.bytesPerSecond == 5 << 20)
        #expect(meter.progress.remainingSeconds == 6)
        #expect(meter.progress.fraction == 0.25)
    }

    @Test("the first half second makes no promise")
    func earlyRates() {
        var meter = ProgressMeter(startedAt: start)
        meter.note(.mebibytes(10), of: .mebibytes(40), at: start + .milliseconds(100))
        #expect(meter.progress.doneBytes == .mebibytes(10))
        #expect(meter.progress.bytesPerSecond == nil)
        #expect(meter.progress.remainingSeconds == nil)
    }

    @Test("a total that turns out too small grows with what was done")
    func growingTotal() {
        var meter = ProgressMeter(startedAt: start)
        meter.note(.mebibytes(2), of: .mebibytes(1), at: start + .seconds(1))
        #expect(meter.progress.totalBytes == .mebibytes(2))
        #expect(meter.progress.fraction == 1)
        #expect(meter.progress.remainingSeconds == 0)
    }

    @Test("a total that is not known promises no end")
    func unknownTotal() {
        var meter = ProgressMeter(startedAt: start)
        meter.note(.mebibytes(10), of: .zero, at: start + .seconds(2))
        #expect(meter.progress.totalBytes == .zero)
        #expect(meter.progress.bytesPerSecond == 5 << 20)
        #expect(meter.progress.remainingSeconds == nil)
    }

    @Test("what was done before does not count as speed, and neither does the step before")
    func bases() {
        var meter = ProgressMeter(startedAt: start, done: .mebibytes(100))
        meter.note(.mebibytes(110), of: .mebibytes(150), at: start + .seconds(2))
        #expect(meter.progress.bytesPerSecond == 5 << 20)
        #expect(meter.progress.remainingSeconds == 8)
        meter.note(.mebibytes(1), of: .mebibytes(50), at: start + .seconds(3))
        #expect(meter.progress.bytesPerSecond == nil)
        meter.note(.mebibytes(9), of: .mebibytes(50), at: start + .seconds(5))
        #expect(meter.progress.bytesPerSecond == 4 << 20)
        #expect(meter.progress.totalBytes == .mebibytes(50))
    }

    @Test("nothing of nothing is no progress, and no division by zero")
    func nothing() {
        var meter = ProgressMeter(startedAt: start)
        meter.note(.zero, of: .zero, at: start + .seconds(1))
        #expect(meter.progress.fraction == 0)
        #expect(meter.progress.bytesPerSecond == nil)
    }
}
