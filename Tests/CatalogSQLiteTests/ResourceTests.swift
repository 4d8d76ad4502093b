import CatalogSQLite
import Foundation
import SnapshotDomain
import SnapshotPorts
import Testing

@Suite("Catalog: what is written is read back")
struct ResourceTests {
    @Test("an environment by identity, by name and in the list, until it is deleted")
    func environment() async throws {
        try await withCatalog { catalog in
            var environment = try Sample.environment()
            let other = try Sample.environment("attic")
            try await catalog.write { [environment] (writer) throws in
                try writer.insert(environment)
                try writer.insert(other)
                #expect(try writer.findEnvironment(environment.id) == environment)
            }
            environment.name = try EnvironmentName("renamed")
            environment.description = ""
            try await catalog.write { [environment] in try $0.update(environment) }
            try await catalog.read { [environment] (reader) throws in
                #expect(try reader.findEnvironment(environment.id) == environment)
                #expect(try reader.findEnvironment(named: environment.name) == environment)
                #expect(try reader.findEnvironment(named: try EnvironmentName("production")) == nil)
                #expect(try reader.listEnvironments() == [other, environment])
            }
            try await catalog.write { [environment] in
                try $0.deleteEnvironment(environment.id)
                try $0.deleteEnvironment(environment.id)
            }
            let deleted = try await catalog.read { [environment] in try $0.findEnvironment(environment.id) }
            #expect(deleted == nil)
        }
    }

    @Test("a volume with its attachment, and the disks of an instance in the order of their slots")
    func volume() async throws {
        try await withCatalog { catalog in
            let environment = try Sample.environment()
            let instance = try Sample.instance(in: environment.id)
            let layers = (0..<3).map { _ in Sample.layer() }
            let root = try Sample.volume(
                in: environment.id,
                on: layers[0].id,
                attachment: .init(instance: instance.id, slot: 0)
            )
            let data = try Sample.volume(
                "DATA",
                in: environment.id,
                on: layers[1].id,
                attachment: .init(instance: instance.id, slot: 1)
            )
            var changed = data
            changed.name = try Sample.name("Datos")
            changed.role = .data
            changed.size = .gibibytes(20)
            changed.activeLayer = layers[2].id
            changed.attachment = nil
            changed.state = .failed(reason: "the file is gone")
            changed.diskOffering = nil
            changed.template = nil
            try await catalog.write { [changed] (writer) throws in
                try writer.insert(environment)
                try writer.insert(instance)
                for layer in layers { try writer.insert(layer) }
                try writer.insert(data)
                try writer.insert(root)
                #expect(try writer.volumes(of: instance.id) == [root, data])
                try writer.update(changed)
            }
            try await catalog.read { [changed] (reader) throws in
                #expect(try reader.findVolume(changed.id) == changed)
                #expect(try reader.findVolume(named: changed.name, in: environment.id) == changed)
                #expect(try reader.findVolume(named: data.name, in: environment.id) == nil)
                #expect(try reader.findVolume(named: changed.name, in: .random()) == nil)
                #expect(try reader.volumes(of: instance.id) == [root])
            }
            try await catalog.write { try $0.deleteVolume(root.id) }
            let deleted = try await catalog.read { try $0.findVolume(root.id) }
            #expect(deleted == nil)
        }
    }

    @Test("a snapshot with everything it remembers, or nothing of it")
    func snapshot() async throws {
        try await withCatalog { catalog in
            let environment = try Sample.environment()
            let layer = Sample.layer()
            let full = try Sample.snapshot(in: environment.id, on: layer.id)
            var bare = try Sample.snapshot("bare", in: environment.id, on: layer.id)
            bare.source.instance = nil
            bare.source.instanceName = nil
            bare.group = nil
            bare.verification = nil
            bare.damage = nil
            bare.consistency = ConsistencyRecord(requested: .crash, achieved: .crash)
            try await catalog.write { [bare] (writer) throws in
                try writer.insert(environment)
                try writer.insert(layer)
                try writer.insert(full)
                try writer.insert(bare)
            }
            try await catalog.read { [bare] (reader) throws in
                #expect(try reader.findSnapshot(full.id) == full)
                #expect(try reader.damagedSnapshotCount() == 1)
                #expect(try reader.findSnapshot(named: bare.name, in: environment.id) == bare)
            }
            var changed = full
            changed.origin = .undo(of: .random(), expiresAt: Sample.instant + 60)
            changed.description = ""
            try await catalog.write { [changed, bare] in
                try $0.update(changed)
                try $0.deleteSnapshot(bare.id)
            }
            try await catalog.read { [changed, bare] (reader) throws in
                #expect(try reader.findSnapshot(changed.id) == changed)
                #expect(try reader.findSnapshot(bare.id) == nil)
            }
        }
    }

    @Test("undo snapshots by their volume, and those whose time has come")
    func undoSnapshots() async throws {
        try await withCatalog { catalog in
            let environment = try Sample.environment()
            let layer = Sample.layer()
            let job = Sample.job(in: environment.id)
            let volume = VolumeID.random()
            func undo(_ name: String, age: Double, expires: Double, state: ResourceState) throws -> Snapshot {
                var snapshot = try Sample.snapshot(name, in: environment.id, on: layer.id, state: state)
                snapshot.createdAt = Sample.instant - age
                snapshot.origin = .undo(of: volume, expiresAt: Sample.instant + expires)
                return snapshot
            }
            let old = try undo("old", age: 30, expires: -20, state: .available)
            let held = try undo("held", age: 20, expires: -10, state: .deleting(job.id))
            let due = try undo("due", age: 10, expires: 0, state: .available)
            let fresh = try undo("fresh", age: 0, expires: 0.001, state: .available)
            try await catalog.write { (writer) throws in
                try writer.insert(environment)
                try writer.insert(layer)
                try writer.insert(job)
                for snapshot in [fresh, due, held, old] { try writer.insert(snapshot) }
                try writer.insert(try Sample.snapshot(in: environment.id, on: layer.id))
            }
            try await catalog.read { (reader) throws in
                #expect(try reader.expiredUndoSnapshots(at: Sample.instant) == [old, due])
                #expect(try reader.expiredUndoSnapshots(at: .distantPast).isEmpty)
                #expect(try reader.expiredUndoSnapshots(at: .distantFuture) == [old, due, fresh])
                #expect(try reader.undoSnapshot(of: volume) == fresh)
                #expect(try reader.undoSnapshot(of: .random()) == nil)
            }
        }
    }

    @Test("a template, seen in its environment, and in the others when it is public")
    func template() async throws {
        try await withCatalog { catalog in
            let (home, other) = (try Sample.environment("home"), try Sample.environment("other"))
            let layer = Sample.layer()
            let mine = try Sample.template("mine", in: home.id, on: layer.id)
            var shared = try Sample.template("shared", in: other.id, on: layer.id)
            shared.options.isPublic = true
            let hidden = try Sample.template("hidden", in: other.id, on: layer.id)
            try await catalog.write { [shared] (writer) throws in
                try writer.insert(home)
                try writer.insert(other)
                try writer.insert(layer)
                for template in [mine, shared, hidden] { try writer.insert(template) }
            }
            try await catalog.read { [shared] (reader) throws in
                #expect(try reader.findTemplate(mine.id) == mine)
                #expect(try reader.findTemplate(named: hidden.name, in: other.id) == hidden)
                let page = try reader.listTemplates(TemplateFilter(visibleIn: home.id), order: .byName, page: .all)
                #expect(page.rows == [mine, shared])
                #expect(page.total == 2)
                for (filter, found) in [
                    (TemplateFilter(visibleIn: home.id, isOwn: true), [mine]),
                    (TemplateFilter(visibleIn: home.id, states: [.creating, .failed]), []),
                    (TemplateFilter(visibleIn: home.id, states: [.available], text: "SHA"), [shared]),
                ] {
                    let page = try reader.listTemplates(filter, order: .byName, page: .all)
                    #expect(page.rows == found)
                    #expect(page.total == found.count)
                }
                let second = PageRequest(offset: 1, limit: 1)
                let cut = try reader.listTemplates(TemplateFilter(visibleIn: other.id), order: .byName, page: second)
                #expect(cut.rows == [shared])
                #expect(cut.total == 2)
            }
            shared.options.isPublic = false
            shared.state = .failed(reason: "the image is damaged")
            try await catalog.write { [shared] in
                try $0.update(shared)
                try $0.deleteTemplate(hidden.id)
            }
            try await catalog.read { [shared] (reader) throws in
                #expect(try reader.findTemplate(shared.id) == shared)
                #expect(try reader.findTemplate(hidden.id) == nil)
                #expect(
                    try reader.listTemplates(TemplateFilter(visibleIn: home.id), order: .newestFirst, page: .all).rows
                        == [mine]
                )
            }
        }
    }

    @Test("an instance, by name and in the lists of one environment or of all")
    func instance() async throws {
        try await withCatalog { catalog in
            let (home, other) = (try Sample.environment("home"), try Sample.environment("other"))
            var first = try Sample.instance("a", in: home.id)
            let second = try Sample.instance("B", in: home.id)
            let third = try Sample.instance("c", in: other.id)
            try await catalog.write { [first] (writer) throws in
                try writer.insert(home)
                try writer.insert(other)
                for instance in [third, second, first] { try writer.insert(instance) }
            }
            first.power = .stopped
            first.memory = .gibibytes(4)
            first.template = nil
            first.network = .isolated
            try await catalog.write { [first] in try $0.update(first) }
            try await catalog.read { [first] (reader) throws in
                #expect(try reader.findInstance(first.id) == first)
                #expect(try reader.findInstance(named: second.name, in: home.id) == second)
                let page = try reader.listInstances(InstanceFilter(environment: home.id), order: .byName, page: .all)
                #expect(page.rows == [first, second])
                #expect(page.total == 2)
                let all = try reader.listInstances(
                    InstanceFilter(),
                    order: ListOrder(.size, descending: true),
                    page: .all
                )
                #expect(all.rows.first == first)
                #expect(all.total == 3)
            }
            try await catalog.write { try $0.deleteInstance(third.id) }
            let left = try await catalog.read { try $0.listInstances(InstanceFilter(), order: .byName, page: .all) }
                .total
            #expect(left == 2)
        }
    }
}
