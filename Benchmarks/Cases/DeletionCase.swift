import Foundation
import Platform
import QEMU

/// What deleting a snapshot copies, against the smaller of the two layers that become one.
struct DeletionCase {
    let service: MeasuredService

    func run() async throws -> [Row] {
        [
            try await measure("upper layer smaller", lower: 64, upper: 16),
            try await measure("lower layer smaller", lower: 16, upper: 64),
        ]
    }

    /// Makes a volume whose first snapshot holds `lower` MiB and whose second `upper` MiB, and deletes the first.
    private func measure(_ what: String, lower: Int, upper: Int) async throws -> Row {
        let name = JSONValue.string("merge-\(lower)-\(upper)")
        let volume = try await service.change("POST", "volumes", ["name": name, "sizeInGb": 1]).id
        var snapshots: [String] = []
        // Side by side, so that neither hides bytes of the other.
        for (mebibytes, offset) in [(lower, 0), (upper, lower)] {
            try await write(mebibytes, at: offset, to: volume)
            let taken = try await service.change("POST", "snapshots?operation=create", ["volumeId": .string(volume)])
            snapshots.append(try taken.id)
        }
        try await service.settle()
        let written = try await WrittenBytes(of: service.pid).count {
            try await service.change("DELETE", "snapshots/\(snapshots[0])")
            try await service.settle()
        }
        let smaller = Series(.mebibytes, [Double(min(lower, upper))])
        return Row(
            "delete: bytes copied, \(what)",
            Series(.mebibytes, [Double(written) / Double(1 << 20)]),
            against: smaller,
            "smaller layer",
            atMost: 1.05
        )
    }

    /// Writes into the active layer of a volume that nothing has open.
    private func write(_ mebibytes: Int, at offset: Int, to volume: String) async throws {
        let nodes = try await service.get("volumes/\(volume)/tree").array ?? []
        guard let layer = nodes.first(where: { $0["isHere"]?.bool == true })?["layerId"]?.string else {
            throw BenchFault("the volume \(volume) has no active layer")
        }
        let file = "\(service.data)/pools/local/layers/\(layer).qcow2"
        let run = try await ChildProcess.run(
            Spawn("qemu-io", ["-f", "qcow2", "-c", "write -P 7 \(offset)M \(mebibytes)M", file]),
            timeout: .seconds(60)
        )
        guard run.status.isSuccess else { throw BenchFault("qemu-io: \(run.errorsText)") }
    }
}
