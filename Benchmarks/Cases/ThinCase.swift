import Foundation
import Platform
import QEMU
import SnapshotDomain

/// Everything that is a new layer and no copy: revert, clone, deploy.
struct ThinCase {
    let service: MeasuredService
    /// For the overlays that are made by hand, on the same file system.
    let folder: String

    func run(rounds: Int) async throws -> [Row] {
        let overlays = try await BareOverlays(folder: "\(folder)/by-hand", gibibytes: 1)
        try FileManager.default.createDirectory(atPath: "\(folder)/by-qemu", withIntermediateDirectories: true)
        let daemon = BareDaemon(folder: "\(folder)/by-qemu")
        do {
            let rows = try await measure(rounds, overlays, daemon)
            await daemon.stop()
            return rows
        } catch {
            await daemon.stop()
            throw error
        }
    }

    private func measure(_ rounds: Int, _ overlays: BareOverlays, _ daemon: BareDaemon) async throws -> [Row] {
        let volume = try await service.change("POST", "volumes", ["name": "thin", "sizeInGb": 1]).id
        let snapshot =
            try await service.change("POST", "snapshots?operation=create", ["volumeId": .string(volume)]).id
        let template = try await service.id(of: "demo-guest", among: "templates")
        let thread = BlockingPool(name: "by-hand", width: 1)
        var revert = Series(.milliseconds)
        var clone = Series(.milliseconds)
        var deploy = Series(.milliseconds)
        var byQEMU = Series(.milliseconds)
        var byHand = Series(.milliseconds)
        // The daemon is not made to pay for its own start.
        _ = try await daemon.makeOverlay(gibibytes: 1)
        for round in 0..<rounds {
            revert.add(try await timed { try await change("snapshots/\(snapshot)?operation=revert") })
            clone.add(
                try await timed {
                    try await change(
                        "snapshots/\(snapshot)?operation=createVolume",
                        ["name": .string("clone-\(round)")]
                    )
                }
            )
            deploy.add(
                try await timed {
                    try await change(
                        "instances",
                        ["name": .string("one-\(round)"), "templateId": .string(template), "startInstance": false]
                    )
                }
            )
            byQEMU.add(try await daemon.makeOverlay(gibibytes: 1))
            byHand.add(
                try await timed { try await thread.run { try overlays.make(.random(), on: .random()) } }
            )
        }
        let before = try layerBytes()
        let many = try await timed {
            try await change(
                "instances",
                ["name": "many", "templateId": .string(template), "count": 100, "startInstance": false]
            )
        }
        let each = Double(try layerBytes() - before) / 100 / 1_024
        var hundred = Series(.milliseconds)
        for _ in 0..<100 { hundred.add(try await daemon.makeOverlay(gibibytes: 1)) }
        let bare = Series(.milliseconds, [hundred.values.reduce(0, +)])
        return [
            Row("revert a volume", revert, against: byQEMU, "bare QMP", atMost: 2),
            Row("clone a volume", clone, against: byQEMU, "bare QMP", atMost: 2),
            Row("deploy one disk", deploy, against: byQEMU, "bare QMP", atMost: 2),
            Row(
                "deploy 100 disks",
                Series(.milliseconds, [many / .milliseconds(1)]),
                against: bare,
                "bare QMP",
                atMost: 1.2
            ),
            Row("space of each", Series(.kibibytes, [each]), atMost: 1_024),
            Row("an overlay by hand: write, fsync, rename, fsync", byHand.description),
        ]
    }

    private func change(_ rest: String, _ body: JSONValue? = nil) async throws {
        try await service.change("POST", rest, body)
    }

    private func timed(_ body: () async throws -> Void) async throws -> Duration {
        try await Bench.breathe()
        let start = ContinuousClock.now
        try await body()
        return ContinuousClock.now - start
    }

    /// What all layers take on the disk.
    private func layerBytes() throws -> Int64 {
        let layers = "\(service.data)/pools/local/layers"
        return try FileManager.default.contentsOfDirectory(atPath: layers).reduce(0) { sum, name in
            sum + (try FileFacts.find("\(layers)/\(name)")?.allocatedBytes ?? 0)
        }
    }
}
