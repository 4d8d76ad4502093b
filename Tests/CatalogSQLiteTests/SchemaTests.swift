import Foundation
import SnapshotDomain
import SnapshotPorts
import Testing

@testable import CatalogSQLite

/// What the tables refuse, whoever asks.
@Suite("Catalog: the schema refuses")
struct SchemaTests {
    /// A pool with a layer on a base, and an instance with a volume on it.
    private struct Fixture {
        let environment: Environment
        let base = Sample.layer()
        let layer: Layer
        let free = Sample.layer()
        let instance: Instance
        let volume: Volume

        init() throws {
            environment = try Sample.environment()
            layer = Sample.layer(on: base.id)
            instance = try Sample.instance(in: environment.id)
            volume = try Sample.volume(
                in: environment.id,
                on: layer.id,
                attachment: .init(instance: instance.id, slot: 0)
            )
        }

        func insert(with writer: any CatalogWriter) throws {
            try writer.insert(environment)
            for layer in [base, layer, free] { try writer.insert(layer) }
            try writer.insert(instance)
            try writer.insert(volume)
        }
    }

    private func expectRefusal(
        _ code: CatalogFault.Code = .conflict,
        _ change: @escaping @Sendable (Fixture, any CatalogWriter) throws -> Void
    ) async throws {
        try await withCatalog { catalog in
            let fixture = try Fixture()
            try await catalog.write { try fixture.insert(with: $0) }
            let fault = await #expect(throws: CatalogFault.self) {
                try await catalog.write { try change(fixture, $0) }
            }
            #expect(fault?.code == code, "\(String(describing: fault))")
            #expect(fault?.outcome == .notDone)
        }
    }

    @Test("deleting a layer that another one stands on")
    func deleteParent() async throws {
        try await expectRefusal { try $1.deleteLayer($0.base.id) }
    }

    @Test("deleting the active layer of a volume")
    func deleteActiveLayer() async throws {
        try await expectRefusal { try $1.deleteLayer($0.layer.id) }
    }

    @Test("deleting the layer of a snapshot")
    func deleteSnapshotLayer() async throws {
        try await expectRefusal { fixture, writer in
            try writer.insert(try Sample.snapshot(in: fixture.environment.id, on: fixture.free.id))
            try writer.deleteLayer(fixture.free.id)
        }
    }

    @Test("deleting the layer of a template")
    func deleteTemplateLayer() async throws {
        try await expectRefusal { fixture, writer in
            try writer.insert(try Sample.template(in: fixture.environment.id, on: fixture.free.id))
            try writer.deleteLayer(fixture.free.id)
        }
    }

    @Test("a layer that nothing refers to can be deleted, once and again")
    func deleteFreeLayer() async throws {
        try await withCatalog { catalog in
            let fixture = try Fixture()
            try await catalog.write { writer in
                try fixture.insert(with: writer)
                try writer.deleteLayer(fixture.free.id)
                try writer.deleteLayer(fixture.free.id)
            }
            let found = try await catalog.read { try $0.findLayer(fixture.free.id) }
            #expect(found == nil)
        }
    }

    @Test("a snapshot outlives its volume and its instance")
    func snapshotOutlives() async throws {
        try await withCatalog { catalog in
            let fixture = try Fixture()
            var snapshot = try Sample.snapshot(in: fixture.environment.id, on: fixture.layer.id)
            snapshot.source.volume = fixture.volume.id
            snapshot.source.instance = fixture.instance.id
            try await catalog.write { [snapshot] writer in
                try fixture.insert(with: writer)
                try writer.insert(snapshot)
                try writer.deleteVolume(fixture.volume.id)
                try writer.deleteInstance(fixture.instance.id)
            }
            let found = try await catalog.read { [snapshot] in try $0.findSnapshot(snapshot.id) }
            #expect(found == snapshot)
        }
    }

    @Test("a layer on a parent that is not there, or on itself")
    func unknownParent() async throws {
        try await expectRefusal { try $1.insert(Sample.layer(on: .random())) }
        try await expectRefusal(.refused) { _, writer in
            let id = LayerID.random()
            try writer.insert(Sample.layer(on: id, id: id))
        }
    }

    @Test("a layer on one of another pool, and a pin on one")
    func otherPool() async throws {
        let other = try #require(PoolID("other"))
        try await expectRefusal { try $1.insert(Sample.layer(on: $0.base.id, pool: other)) }
        try await expectRefusal { fixture, writer in
            var snapshot = try Sample.snapshot(in: fixture.environment.id, on: fixture.base.id)
            snapshot.pool = other
            try writer.insert(snapshot)
        }
    }

    @Test("a second volume that writes the same layer")
    func secondWriter() async throws {
        try await expectRefusal { try $1.insert(try Sample.volume("second", in: $0.environment.id, on: $0.layer.id)) }
    }

    @Test("a second disk in one slot of an instance")
    func takenSlot() async throws {
        try await expectRefusal { fixture, writer in
            let attachment = Volume.Attachment(instance: fixture.instance.id, slot: 0)
            let environment = fixture.environment.id
            try writer.insert(
                try Sample.volume("second", in: environment, on: fixture.free.id, attachment: attachment)
            )
        }
    }

    @Test("pins, disks and resources that refer to what is not there")
    func unknownReferences() async throws {
        try await expectRefusal { try $1.insert(try Sample.volume("v", in: $0.environment.id, on: .random())) }
        try await expectRefusal { try $1.insert(try Sample.snapshot(in: $0.environment.id, on: .random())) }
        try await expectRefusal { try $1.insert(try Sample.template(in: $0.environment.id, on: .random())) }
        try await expectRefusal { try $1.insert(try Sample.volume("v", in: .random(), on: $0.free.id)) }
        try await expectRefusal { try $1.insert(try Sample.snapshot(in: .random(), on: $0.free.id)) }
        try await expectRefusal { try $1.insert(try Sample.template(in: .random(), on: $0.free.id)) }
        try await expectRefusal { try $1.insert(try Sample.instance("i", in: .random())) }
        try await expectRefusal { fixture, writer in
            let attachment = Volume.Attachment(instance: .random(), slot: 1)
            let environment = fixture.environment.id
            try writer.insert(try Sample.volume("v", in: environment, on: fixture.free.id, attachment: attachment))
        }
        try await expectRefusal { try $1.insert(Sample.key(1, of: .random())) }
        try await expectRefusal { try $1.setRole(.viewer, of: .random(), in: $0.environment.id) }
    }

    @Test("deleting an environment with anything in it, and an instance with a disk")
    func deleteInUse() async throws {
        try await expectRefusal { try $1.deleteEnvironment($0.environment.id) }
        try await expectRefusal { try $1.deleteInstance($0.instance.id) }
    }

    @Test("a name that is there already in the environment; the same one elsewhere is free")
    func takenNames() async throws {
        try await expectRefusal(.nameTaken) { try $1.insert(try Sample.volume(in: $0.environment.id, on: $0.free.id)) }
        try await expectRefusal(.nameTaken) { try $1.insert(try Sample.instance(in: $0.environment.id)) }
        try await expectRefusal(.nameTaken) { fixture, writer in
            for _ in 0..<2 { try writer.insert(try Sample.snapshot(in: fixture.environment.id, on: fixture.free.id)) }
        }
        try await expectRefusal(.nameTaken) { fixture, writer in
            for _ in 0..<2 { try writer.insert(try Sample.template(in: fixture.environment.id, on: fixture.free.id)) }
        }
        try await expectRefusal(.nameTaken) { _, writer in
            for _ in 0..<2 { try writer.insert(Sample.user(), passwordVerifier: "") }
        }
        try await withCatalog { catalog in
            let fixture = try Fixture()
            let other = try Sample.environment("other")
            try await catalog.write { writer in
                try fixture.insert(with: writer)
                try writer.insert(other)
                try writer.insert(try Sample.volume(in: other.id, on: fixture.free.id))
                try writer.insert(try Sample.instance(in: other.id))
            }
        }
    }

    @Test("an identity that is there already")
    func takenIdentities() async throws {
        try await expectRefusal { fixture, writer in
            try writer.insert(fixture.free)
        }
        try await expectRefusal { _, writer in
            let job = Sample.job(in: .random())
            for _ in 0..<2 { try writer.insert(job) }
        }
        try await expectRefusal { _, writer in
            let user = Sample.user()
            try writer.insert(user, passwordVerifier: "")
            for _ in 0..<2 { try writer.insert(Sample.key(1, of: user.id)) }
        }
    }

    @Test("numbers that cannot be")
    func impossibleNumbers() async throws {
        try await expectRefusal(.refused) { fixture, writer in
            var layer = fixture.free
            layer.allocated = ByteCount(-1)
            try writer.update(layer)
        }
        try await expectRefusal(.refused) { fixture, writer in
            var instance = fixture.instance
            instance.cpuCount = 0
            try writer.update(instance)
        }
        try await expectRefusal(.refused) { fixture, writer in
            var volume = fixture.volume
            volume.attachment?.slot = -1
            try writer.update(volume)
        }
    }

    @Test("forgetting a job that something is still being made by")
    func deleteHoldingJob() async throws {
        try await expectRefusal { fixture, writer in
            let job = Sample.job(in: fixture.environment.id, phase: .ended(.cancelled, at: .distantPast))
            try writer.insert(job)
            let (environment, layer) = (fixture.environment.id, fixture.free.id)
            try writer.insert(try Sample.volume("v", in: environment, on: layer, state: .deleting(job.id)))
            try writer.deleteJobs(endedBefore: Sample.instant)
        }
    }
}
