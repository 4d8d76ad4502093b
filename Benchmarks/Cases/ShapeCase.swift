import QEMU

/// Snapshots of a running machine's volumes of different sizes, and on different depths.
struct ShapeCase {
    let service: MeasuredService
    let instance: String

    func run(rounds: Int) async throws -> [Row] {
        let sizes = [1, 100]
        var volumes: [String] = []
        for size in sizes {
            let body: JSONValue = [
                "name": .string("shape-\(size)"), "sizeInGb": .integer(Int64(size)), "instanceId": .string(instance),
            ]
            volumes.append(try await service.change("POST", "volumes", body).id)
        }
        var times = sizes.map { _ in Series(.milliseconds) }
        // By the layers that the volume's active layer stood on.
        var (shallow, deep) = (Series(.milliseconds), Series(.milliseconds))
        var deepest = 0
        for _ in 0..<rounds {
            for (number, volume) in volumes.enumerated() {
                let depth = try await depth(of: volume)
                deepest = max(deepest, depth)
                try await Bench.breathe()
                let start = ContinuousClock.now
                try await service.change("POST", "snapshots?operation=create", ["volumeId": .string(volume)])
                let time = ContinuousClock.now - start
                times[number].add(time)
                if depth <= 5 { shallow.add(time) }
                if depth >= 25 { deep.add(time) }
            }
        }
        for volume in volumes {
            for snapshot in try await service.get("snapshots?volume_id=\(volume)").array ?? [] {
                try await service.change("DELETE", "snapshots/\(snapshot["id"]?.string ?? "")")
            }
            try await service.change("POST", "volumes/\(volume)?operation=detachFromInstance")
            try await service.change("DELETE", "volumes/\(volume)")
        }
        var rows = [Row("snapshot of 1 GiB → of 100 GiB", times[0], times[1], within: 0.2)]
        if deep.values.count > 4 {
            rows.append(Row("snapshot on 0–5 → on 25–\(deepest) layers", shallow, deep, within: 0.2))
        } else {
            rows.append(Row("the deepest that an active layer came to stand", "\(deepest) layers, after \(rounds)"))
        }
        return rows
    }

    /// How many layers the volume's active layer stands on.
    private func depth(of volume: String) async throws -> Int {
        let nodes = try await service.get("volumes/\(volume)/tree").array ?? []
        let parents = Dictionary(
            nodes.compactMap { node in node["layerId"]?.string.map { ($0, node["parentId"]?.string) } },
            uniquingKeysWith: { first, _ in first }
        )
        var depth = -1
        var next = nodes.first { $0["isHere"]?.bool == true }?["layerId"]?.string
        while let layer = next {
            depth += 1
            next = parents[layer] ?? nil
        }
        return depth
    }
}
