import Foundation
import QEMU

/// A snapshot of a running machine's volume: how long it takes, and how long the guest waits for it.
struct SnapshotCase {
    let service: MeasuredService
    /// The folder of the service's machine.
    let machine: String
    let bare: BareMachine
    let volume: String

    /// From the call until the snapshot is `Completed`, against the bare sequence.
    ///
    /// In turns, so that whatever else the computer does hits both.
    func time(rounds: Int) async throws -> [Row] {
        var (ours, limit) = (Series(.milliseconds), Series(.milliseconds))
        var unrecorded = Series(.milliseconds)
        for _ in 0..<rounds {
            try await Bench.breathe()
            let start = ContinuousClock.now
            try await takeSnapshot()
            ours.add(ContinuousClock.now - start)
            try await Bench.breathe()
            limit.add(try await bare.takeSnapshot())
        }
        for _ in 0..<rounds {
            try await Bench.breathe()
            unrecorded.add(try await bare.takeSnapshot(isRecorded: false))
        }
        try await deleteSnapshots()
        return [
            Row("take a snapshot, call → Completed", ours, against: limit, "bare QMP, same fsyncs", atMost: 1.5),
            Row("bare QMP that records nothing", unrecorded.description),
        ]
    }

    /// The guest's slowest write of the second in which a snapshot is taken.
    ///
    /// A probe in each guest writes every 5 ms with fdatasync and tells the slowest write of each second.
    func stall(rounds: Int) async throws -> [Row] {
        try await Bench.startProbe(in: machine)
        try await Bench.startProbe(in: bare.folder)
        var (ours, limit) = (Series(.milliseconds), Series(.milliseconds))
        var quiet = Series(.milliseconds)
        for round in 0..<rounds {
            ours.add(try await Bench.nextProbe(in: machine) { try await takeSnapshot() })
            limit.add(try await Bench.nextProbe(in: bare.folder) { _ = try await bare.takeSnapshot() })
            if round.isMultiple(of: 2) { quiet.add(try await Bench.nextProbe(in: machine) {}) }
            // Beyond sixteen layers the collector would come in between.
            if round % 10 == 9 { try await deleteSnapshots() }
        }
        try await Bench.stopProbe(in: machine)
        try await Bench.stopProbe(in: bare.folder)
        try await deleteSnapshots()
        return [
            Row("guest's slowest write while a snapshot is taken", ours, against: limit, "bare QMP", atMost: 1.2),
            Row("the same without a snapshot", quiet.description),
        ]
    }

    private func takeSnapshot() async throws {
        try await service.change("POST", "snapshots?operation=create", ["volumeId": .string(volume)])
    }

    private func deleteSnapshots() async throws {
        for snapshot in try await service.get("snapshots?volume_id=\(volume)").array ?? [] {
            try await service.change("DELETE", "snapshots/\(snapshot["id"]?.string ?? "")")
        }
        try await Bench.breathe()
    }
}
