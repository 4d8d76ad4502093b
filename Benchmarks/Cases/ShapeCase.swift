import Platform
import QEMU

/// Snapshots of a running machine's volumes of different sizes, and on chains of different depths.
///
/// In turns, so that whatever else the computer does hits both.
struct ShapeCase {
    let service: MeasuredService
    let instance: String

    /// Snapshots of a small volume beside those of a large one.
    func sizes(_ small: Int, _ large: Int, rounds: Int) async throws -> [Row] {
        let volumes = [try await makeVolume(gibibytes: small), try await makeVolume(gibibytes: large)]
        var times = volumes.map { _ in Series(.milliseconds) }
        for _ in 0..<rounds {
            for (number, volume) in volumes.enumerated() {
                try await Bench.breathe()
                times[number].add(try await takeSnapshot(of: volume))
            }
        }
        for volume in volumes { try await remove(volume) }
        return [Row("snapshot of \(small) GiB → of \(large) GiB", times[0], times[1], within: 0.2)]
    }

    /// Snapshots of a volume on one layer beside those of a volume on many.
    ///
    /// The service must leave such a chain alone. Each measured snapshot is deleted again, so that both volumes stay where they are.
    func depths(_ layers: Int, rounds: Int) async throws -> [Row] {
        let (shallow, deep) = (try await makeVolume(gibibytes: 1), try await makeVolume(gibibytes: 1))
        for volume in [shallow, deep] {
            while try await service.depth(of: volume) < (volume == deep ? layers : 1) {
                _ = try await takeSnapshot(of: volume)
            }
        }
        var (onOne, onMany) = (Series(.milliseconds), Series(.milliseconds))
        var seen: [Int] = []
        for _ in 0..<rounds {
            onOne.add(try await takeAndDelete(of: shallow))
            seen.append(try await service.depth(of: deep))
            onMany.add(try await takeAndDelete(of: deep))
        }
        let depth = "\(seen.min() ?? 0)–\(seen.max() ?? 0)"
        guard seen.allSatisfy({ $0 >= layers }) else {
            throw BenchFault("the deep volume came to stand on \(depth) layers")
        }
        for volume in [shallow, deep] { try await remove(volume) }
        return [Row("snapshot on one layer → on \(depth) layers", onOne, onMany, within: 0.2)]
    }

    private func makeVolume(gibibytes: Int) async throws -> String {
        let body: JSONValue = [
            "name": .string("shape-\(RandomName.make(length: 6))"), "sizeInGb": .integer(Int64(gibibytes)),
            "instanceId": .string(instance),
        ]
        return try await service.change("POST", "volumes", body).id
    }

    private func takeSnapshot(of volume: String) async throws -> Duration {
        let start = ContinuousClock.now
        try await service.change("POST", "snapshots?operation=create", ["volumeId": .string(volume)])
        return ContinuousClock.now - start
    }

    private func takeAndDelete(of volume: String) async throws -> Duration {
        try await Bench.breathe()
        let start = ContinuousClock.now
        let taken = try await service.change("POST", "snapshots?operation=create", ["volumeId": .string(volume)])
        let time = ContinuousClock.now - start
        try await service.change("DELETE", "snapshots/\(taken.id)")
        return time
    }

    private func remove(_ volume: String) async throws {
        for snapshot in try await service.get("snapshots?volume_id=\(volume)&page_size=100").array ?? [] {
            try await service.change("DELETE", "snapshots/\(snapshot["id"]?.string ?? "")")
        }
        try await service.change("POST", "volumes/\(volume)?operation=detachFromInstance")
        try await service.change("DELETE", "volumes/\(volume)")
    }
}
