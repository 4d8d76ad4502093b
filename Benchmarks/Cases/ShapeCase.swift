import QEMU

/// Snapshots of a running machine's volumes of different sizes, and on different depths.
struct ShapeCase {
    let service: MeasuredService
    let instance: String

    func run(rounds: Int) async throws -> [Row] {
        var times: [Int: Series] = [:]
        // Sorted by the layers that the volume's active layer stood on.
        var (shallow, deep) = (Series(.milliseconds), Series(.milliseconds))
        var deepest = 0
        for size in [1, 100] {
            let id = try await service.change(
                "POST",
                "volumes",
                ["name": .string("shape-\(size)"), "sizeInGb": .integer(Int64(size)), "instanceId": .string(instance)]
            ).id
            for _ in 0..<rounds {
                let depth = try await depth(of: id)
                deepest = max(deepest, depth)
                try await Bench.breathe()
                let start = ContinuousClock.now
                try await service.change("POST", "snapshots?operation=create", ["volumeId": .string(id)])
                let time = ContinuousClock.now - start
                times[size, default: Series(.milliseconds)].add(time)
                guard size == 1 else { continue }
                if depth <= 6 { shallow.add(time) }
                if depth >= 28 { deep.add(time) }
            }
            for snapshot in try await service.get("snapshots?volume_id=\(id)").array ?? [] {
                try await service.change("DELETE", "snapshots/\(snapshot["id"]?.string ?? "")")
            }
            try await service.change("POST", "volumes/\(id)?operation=detachFromInstance")
            try await service.change("DELETE", "volumes/\(id)")
        }
        guard let small = times[1], let large = times[100] else { return [] }
        var rows = [Row("snapshot of 1 GiB → of 100 GiB", small, large, within: 0.2)]
        if deep.values.count > 2 {
            rows.append(Row("snapshot 1–6 → 28–\(deepest) layers deep", shallow, deep, within: 0.2))
        } else {
            rows.append(Row("the deepest that an active layer came to stand", "\(deepest) layers of \(rounds)"))
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
