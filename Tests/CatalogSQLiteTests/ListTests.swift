import Foundation
import SnapshotDomain
import SnapshotPorts
import Testing

@testable import CatalogSQLite

@Suite("Catalog: lists")
struct ListTests {
    static let orders = ListOrder.Field.allCases.flatMap { field in
        [ListOrder(field), ListOrder(field, descending: true)]
    }

    @Test("pages of a list of snapshots never overlap and leave nothing out, in every order", arguments: orders)
    func pages(_ order: ListOrder) async throws {
        let crowd = try Crowd(seed: 7)
        try await withCatalog { catalog in
            try await catalog.write { try crowd.insert(with: $0) }
            let filter = SnapshotFilter(environment: crowd.environments[0].id)
            let wanted = crowd.snapshots(filter, order)
            for size in [1, 7, 50] {
                var found: [Snapshot] = []
                for offset in stride(from: 0, to: wanted.count + 2 * size, by: size) {
                    let request = PageRequest(offset: offset, limit: size)
                    let page = try await catalog.read { try $0.listSnapshots(filter, order: order, page: request) }
                    #expect(page.total == wanted.count)
                    #expect(page.rows.count <= size)
                    found += page.rows
                }
                #expect(found.map(\.id) == wanted.map(\.id))
            }
        }
    }

    @Test("every combination of filters finds what a look at each snapshot finds")
    func snapshotFilters() async throws {
        let crowd = try Crowd(seed: 11)
        try await withCatalog { catalog in
            try await catalog.write { try crowd.insert(with: $0) }
            for filter in crowd.snapshotFilters() {
                let wanted = crowd.snapshots(filter, .byName)
                let page = try await catalog.read { try $0.listSnapshots(filter, order: .byName, page: .all) }
                #expect(page.rows.map(\.id) == wanted.map(\.id), "\(filter)")
                #expect(page.total == wanted.count, "\(filter)")
            }
        }
    }

    @Test("text is found in any letter case, of any script, and however an accent was typed")
    func text() async throws {
        try await withCatalog { catalog in
            let environment = try Sample.environment()
            let layer = Sample.layer()
            var snapshot = try Sample.snapshot("Copia de Ñandú 100%_x", in: environment.id, on: layer.id)
            snapshot.source.volumeName = try Sample.name("ДИСК")
            snapshot.source.instanceName = try Sample.name("Café")
            try await catalog.write { [snapshot] writer in
                try writer.insert(environment)
                try writer.insert(layer)
                try writer.insert(snapshot)
            }
            for (text, isFound) in [
                ("ñANDÚ", true), ("n\u{303}and", true), ("диск", true), ("CAFE\u{301}", true), ("", true),
                ("100%_", true), ("100_", false), ("cafe", false), ("xдиск", false), ("'; DROP TABLE snapshots", false),
            ] {
                let filter = SnapshotFilter(environment: environment.id, text: text)
                let page = try await catalog.read { try $0.listSnapshots(filter, order: .newestFirst, page: .all) }
                #expect(page.rows.isEmpty != isFound, "\(text)")
                #expect(page.total == page.rows.count)
            }
        }
    }

    @Test("volumes by environment, instance, role, state and text")
    func volumeFilters() async throws {
        try await withCatalog { catalog in
            let (home, other) = (try Sample.environment("home"), try Sample.environment("other"))
            let instance = try Sample.instance(in: home.id)
            let layers = (0..<4).map { _ in Sample.layer() }
            let root = try Sample.volume(
                "root",
                in: home.id,
                on: layers[0].id,
                attachment: .init(instance: instance.id, slot: 0)
            )
            var data = try Sample.volume("DATA", in: home.id, on: layers[1].id)
            data.role = .data
            data.attachment = .init(instance: instance.id, slot: 3)
            var lost = try Sample.volume("lost", in: home.id, on: layers[2].id, state: .failed(reason: "lost"))
            lost.role = .data
            let foreign = try Sample.volume("foreign", in: other.id, on: layers[3].id)
            try await catalog.write { [data, lost] writer in
                for environment in [home, other] { try writer.insert(environment) }
                for layer in layers { try writer.insert(layer) }
                try writer.insert(instance)
                for volume in [root, data, lost, foreign] { try writer.insert(volume) }
            }
            func list(_ filter: VolumeFilter) async throws -> [String] {
                let page = try await catalog.read { try $0.listVolumes(filter, order: .byName, page: .all) }
                #expect(page.total == page.rows.count)
                return page.rows.map(\.name.description)
            }
            #expect(try await list(VolumeFilter()) == ["DATA", "foreign", "lost", "root"])
            #expect(try await list(VolumeFilter(environment: home.id)) == ["DATA", "lost", "root"])
            #expect(try await list(VolumeFilter(environment: home.id, instance: instance.id)) == ["DATA", "root"])
            #expect(try await list(VolumeFilter(environment: other.id, instance: instance.id)) == [])
            #expect(try await list(VolumeFilter(environment: home.id, role: .data)) == ["DATA", "lost"])
            #expect(try await list(VolumeFilter(states: [.available])) == ["DATA", "foreign", "root"])
            #expect(try await list(VolumeFilter(environment: home.id, states: [.failed, .creating])) == ["lost"])
            #expect(try await list(VolumeFilter(states: [])) == [])
            #expect(try await list(VolumeFilter(environment: home.id, text: "OO")) == ["root"])
        }
    }

    @Test("a census counts what an environment has, by its states, and nobody else's")
    func census() async throws {
        try await withCatalog { catalog in
            let (home, other) = (try Sample.environment("home"), try Sample.environment("other"))
            let layers = (0..<6).map { _ in Sample.layer() }
            var stopped = try Sample.instance("stopped", in: home.id)
            stopped.power = .stopped
            var failed = try Sample.instance("failed", in: home.id)
            failed.state = .failed(reason: "no")
            try await catalog.write { [stopped, failed] writer in
                for environment in [home, other] { try writer.insert(environment) }
                for layer in layers { try writer.insert(layer) }
                for instance in [stopped, failed, try Sample.instance("on", in: home.id)] {
                    try writer.insert(instance)
                }
                try writer.insert(try Sample.instance("on", in: other.id))
                try writer.insert(try Sample.volume("a", in: home.id, on: layers[0].id))
                try writer.insert(
                    try Sample.volume("b", in: home.id, on: layers[1].id, state: .failed(reason: "no"))
                )
                try writer.insert(try Sample.volume("c", in: other.id, on: layers[2].id))
                let gone = try Sample.snapshot("gone", in: home.id, on: layers[3].id)
                for snapshot in [gone, try Sample.snapshot("kept", in: home.id, on: layers[3].id)] {
                    try writer.insert(snapshot)
                }
                try writer.deleteSnapshot(gone.id)
                try writer.insert(try Sample.template("golden", in: home.id, on: layers[4].id))
                try writer.insert(try Sample.template("golden", in: other.id, on: layers[5].id))
            }
            let (census, nothing) = try await catalog.read { reader in
                (try reader.census(of: home.id), try reader.census(of: .random()))
            }
            #expect(
                census
                    == Census(
                        instances: [.available: 2, .failed: 1],
                        runningInstances: 1,
                        volumes: [.available: 1, .failed: 1],
                        snapshots: [.available: 1],
                        templates: [.available: 1]
                    )
            )
            #expect(nothing == Census())
            let running = try await catalog.read { reader in
                try reader.listInstances(
                    InstanceFilter(environment: home.id, states: [.available], power: .running),
                    order: .byName,
                    page: .all
                )
            }
            #expect(running.rows.map(\.name.description) == ["on"])
            #expect(running.total == 1)
        }
    }

    @Test("instances by environment and text")
    func instanceFilters() async throws {
        try await withCatalog { catalog in
            let (home, other) = (try Sample.environment("home"), try Sample.environment("other"))
            let instances = [
                try Sample.instance("Ñandú", in: home.id), try Sample.instance("web", in: home.id),
                try Sample.instance("web", in: other.id),
            ]
            try await catalog.write { writer in
                for environment in [home, other] { try writer.insert(environment) }
                for instance in instances { try writer.insert(instance) }
            }
            for (filter, count) in [
                (InstanceFilter(), 3), (InstanceFilter(environment: home.id), 2), (InstanceFilter(text: "WE"), 2),
                (InstanceFilter(environment: home.id, text: "ñan"), 1), (InstanceFilter(text: "%"), 0),
            ] {
                let page = try await catalog.read { try $0.listInstances(filter, order: .byName, page: .all) }
                #expect(page.rows.count == count, "\(filter)")
                #expect(page.total == count, "\(filter)")
            }
        }
    }

    @Test("totals stay true while resources come, change and go")
    func tallies() async throws {
        try await withCatalog { catalog in
            var random = SeededGenerator(seed: 3)
            let environments = [try Sample.environment("one"), try Sample.environment("two")]
            let layer = Sample.layer()
            let job = Sample.job(in: environments[0].id)
            try await catalog.write { writer in
                for environment in environments { try writer.insert(environment) }
                try writer.insert(layer)
                try writer.insert(job)
            }
            let states: [ResourceState] = [
                .creating(job.id), .available, .deleting(job.id), .failed(reason: "no"),
            ]
            var model: [SnapshotID: Snapshot] = [:]
            for turn in 0..<300 {
                let state = states[Int.random(in: 0..<states.count, using: &random)]
                let known = model.values.sorted { $0.id < $1.id }.randomElement(using: &random)
                switch (Int.random(in: 0...3, using: &random), known) {
                case (0, let known?):
                    try await catalog.write { try $0.deleteSnapshot(known.id) }
                    model[known.id] = nil
                case (1, var changed?):
                    changed.state = state
                    try await catalog.write { [changed] in try $0.update(changed) }
                    model[changed.id] = changed
                default:
                    let home = environments[Int.random(in: 0...1, using: &random)].id
                    let new = try Sample.snapshot("s\(turn)", in: home, on: layer.id, state: state)
                    try await catalog.write { try $0.insert(new) }
                    model[new.id] = new
                }
            }
            for environment in environments.map(\.id) + [nil] {
                for states in [nil, [.available], [.creating, .failed]] as [Set<ResourceState.Word>?] {
                    let filter = SnapshotFilter(environment: environment, states: states)
                    let page = try await catalog.read { try $0.listSnapshots(filter, order: .byName, page: .all) }
                    let wanted = model.values.filter { snapshot in
                        (environment == nil || snapshot.environment == environment)
                            && states?.contains(snapshot.state.word) != false
                    }
                    #expect(page.total == wanted.count, "\(filter)")
                    #expect(page.rows.count == wanted.count, "\(filter)")
                }
            }
        }
    }
}

/// Many snapshots with few different names, sizes and instants, so that every order has ties.
private struct Crowd: Sendable {
    let environments: [Environment]
    private let layer = Sample.layer()
    private let job: Job
    private let all: [Snapshot]
    private let volumes = (0..<4).map { _ in VolumeID.random() }
    private let instances = (0..<3).map { _ in InstanceID.random() }
    private let groups = (0..<3).map { _ in SnapshotGroupID.random() }

    init(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        environments = [try Sample.environment("one"), try Sample.environment("two")]
        job = Sample.job(in: environments[0].id)
        let states: [ResourceState] = [.available, .creating(job.id), .failed(reason: "no"), .available]
        var all: [Snapshot] = []
        for index in 0..<150 {
            // "nightly 7" and "NIGHTLY 7" are two names and one place in the order.
            let word = ["nightly", "NIGHTLY", "Ñ", "before"][index % 4]
            var snapshot = try Sample.snapshot(
                "\(word) \(index / 4)",
                in: environments[Int.random(in: 0...1, using: &random)].id,
                on: layer.id,
                createdAt: Sample.instant + Double(Int.random(in: 0...9, using: &random)),
                state: states[Int.random(in: 0...3, using: &random)]
            )
            snapshot.size = .gibibytes(Int64.random(in: 1...4, using: &random))
            snapshot.source.volume = volumes[Int.random(in: 0...3, using: &random)]
            snapshot.source.instance = Bool.random(using: &random) ? instances.randomElement(using: &random) : nil
            snapshot.group = Bool.random(using: &random) ? groups.randomElement(using: &random) : nil
            all.append(snapshot)
        }
        self.all = all
    }

    func insert(with writer: any CatalogWriter) throws {
        for environment in environments { try writer.insert(environment) }
        try writer.insert(layer)
        try writer.insert(job)
        for snapshot in all { try writer.insert(snapshot) }
    }

    func snapshotFilters() -> [SnapshotFilter] {
        var filters: [SnapshotFilter] = []
        for environment in [nil, environments[0].id] {
            for volume in [nil, volumes[0]] {
                for instance in [nil, instances[0]] {
                    for group in [nil, groups[0]] {
                        for states in [nil, [], [.available], [.creating, .failed]] as [Set<ResourceState.Word>?] {
                            for text in [nil, "NIGHT"] {
                                filters.append(
                                    SnapshotFilter(
                                        environment: environment,
                                        volume: volume,
                                        instance: instance,
                                        group: group,
                                        states: states,
                                        text: text
                                    )
                                )
                            }
                        }
                    }
                }
            }
        }
        return filters
    }

    /// What a list should hold: the slow and obvious way.
    func snapshots(_ filter: SnapshotFilter, _ order: ListOrder) -> [Snapshot] {
        all.filter { snapshot in
            (filter.environment == nil || snapshot.environment == filter.environment)
                && (filter.volume == nil || snapshot.source.volume == filter.volume)
                && (filter.instance == nil || snapshot.source.instance == filter.instance)
                && (filter.group == nil || snapshot.group == filter.group)
                && filter.states?.contains(snapshot.state.word) != false
                && (filter.text.map { snapshot.name.description.lowercased().contains($0.lowercased()) } ?? true)
        }
        .sorted { first, second in
            let (left, right) = order.isDescending ? (second, first) : (first, second)
            switch order.field {
            case .name:
                return isBefore(left, right) { ($0.name.description.utf8.map(Self.withoutCase)) }
            case .createdAt:
                return (left.createdAt, left.id) < (right.createdAt, right.id)
            case .state:
                return (left.state.word.rawValue, left.id) < (right.state.word.rawValue, right.id)
            case .size:
                return (left.size, left.id) < (right.size, right.id)
            }
        }
    }

    private func isBefore(_ left: Snapshot, _ right: Snapshot, by key: (Snapshot) -> [UInt8]) -> Bool {
        let (leftKey, rightKey) = (key(left), key(right))
        return leftKey == rightKey ? left.id < right.id : leftKey.lexicographicallyPrecedes(rightKey)
    }

    private static func withoutCase(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte + 32 : byte
    }
}
