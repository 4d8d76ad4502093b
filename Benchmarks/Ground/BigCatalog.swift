import CatalogSQLite
import Foundation
import Platform
import SnapshotDomain
import SnapshotPorts

/// Fills the data folder of a service that does not run, with rows and with the empty layer files that belong to them.
struct BigCatalog: Sendable {
    let data: String
    private let base: ImageModel
    private let overlay: ImageModel
    private let thread = BlockingPool(name: "fill", width: 1)

    /// What has been made so far: volumes, with the layers below their active ones.
    struct Content: Sendable {
        var environment: EnvironmentID
        var volumes: [Volume]
    }

    init(data: String) async throws {
        self.data = data
        base = try await ImageModel(gibibytes: 1, isOverlay: false, in: data)
        overlay = try await ImageModel(gibibytes: 1, isOverlay: true, in: data)
    }

    /// Makes detached volumes of one blank layer each in an environment, which is made if need be.
    func addVolumes(_ count: Int, in environment: String) async throws -> Content {
        let name = try EnvironmentName(environment)
        return try await withCatalog { catalog in
            let id = try await catalog.write { writer -> EnvironmentID in
                if let known = try writer.findEnvironment(named: name) { return known.id }
                let made = Environment(id: .random(), name: name, description: "", createdAt: Date())
                try writer.insert(made)
                return made.id
            }
            let volumes = try (0..<count).map { number in
                Volume(
                    id: .random(),
                    environment: id,
                    name: try ResourceName("disk-\(number)"),
                    role: .data,
                    pool: .local,
                    size: .gibibytes(1),
                    activeLayer: .random(),
                    state: .available,
                    createdAt: Date()
                )
            }
            try await writeFiles(volumes.map { ($0.activeLayer, nil) })
            try await catalog.write { writer in
                for volume in volumes {
                    try writer.insert(Self.layer(volume.activeLayer, on: nil))
                    try writer.insert(volume)
                }
            }
            return Content(environment: id, volumes: volumes)
        }
    }

    /// Takes so many snapshots of each volume: each freezes the active layer under a new one.
    func addSnapshots(_ each: Int, to content: inout Content) async throws {
        var volumes = content.volumes
        try await withCatalog { catalog in
            for round in 0..<each {
                let fresh = volumes.map { _ in LayerID.random() }
                try await writeFiles(zip(fresh, volumes).map { ($0, $1.activeLayer) })
                let taken = Date()
                let frozen = volumes
                try await catalog.write { writer in
                    for (number, volume) in frozen.enumerated() {
                        try writer.insert(Self.layer(fresh[number], on: volume.activeLayer))
                        var moved = volume
                        moved.activeLayer = fresh[number]
                        try writer.update(moved)
                        try writer.insert(try Self.snapshot(of: volume, round, at: taken + Double(number) / 1_000))
                    }
                }
                for number in volumes.indices { volumes[number].activeLayer = fresh[number] }
            }
        }
        content.volumes = volumes
    }

    private static func layer(_ id: LayerID, on parent: LayerID?) -> Layer {
        Layer(id: id, pool: .local, parent: parent, size: .gibibytes(1), allocated: .kibibytes(12), phase: .ready)
    }

    private static func snapshot(of volume: Volume, _ round: Int, at taken: Date) throws -> Snapshot {
        Snapshot(
            id: .random(),
            environment: volume.environment,
            name: try ResourceName("detached_\(volume.name)_\(round)"),
            description: "",
            source: Snapshot.Source(
                volume: volume.id,
                volumeName: volume.name,
                role: .data,
                instance: nil,
                instanceName: nil
            ),
            pool: .local,
            layer: volume.activeLayer,
            size: volume.size,
            origin: .manual,
            consistency: ConsistencyRecord(requested: .crash, achieved: .crash),
            state: .available,
            createdAt: taken
        )
    }

    private func writeFiles(_ layers: [(id: LayerID, parent: LayerID?)]) async throws {
        try await thread.run { [data, base, overlay] in
            for layer in layers {
                let model = layer.parent == nil ? base : overlay
                let path = "\(data)/pools/local/layers/\(ImageModel.name(layer.id))"
                try model.write(to: path, on: layer.parent, isDurable: false)
            }
        }
    }

    private func withCatalog<Value>(_ body: (SQLiteCatalog) async throws -> Value) async throws -> Value {
        let catalog = try await SQLiteCatalog.open(at: "\(data)/catalog.sqlite")
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(catalog))
        } catch {
            result = .failure(error)
        }
        try await catalog.close()
        return try result.get()
    }
}
