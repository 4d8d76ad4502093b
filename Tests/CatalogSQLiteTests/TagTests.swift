import Foundation
import SnapshotDomain
import SnapshotPorts
import Testing

@testable import CatalogSQLite

@Suite("Catalog: tags, and what is left of what was deleted")
struct TagTests {
    @Test("every kind of resource is found where it is, and where it was; its tags are gone with it")
    func retirement() async throws {
        try await withCatalog { catalog in
            let environment = try Sample.environment()
            let layers = (0..<2).map { _ in Sample.layer() }
            let instance = try Sample.instance(in: environment.id)
            let volume = try Sample.volume(in: environment.id, on: layers[0].id)
            let group = SnapshotGroupID.random()
            var first = try Sample.snapshot(in: environment.id, on: layers[1].id)
            var second = try Sample.snapshot("second", in: environment.id, on: layers[1].id)
            (first.group, second.group) = (group, group)
            let snapshots = [first, second]
            let template = try Sample.template(in: environment.id, on: layers[1].id)
            let resources: [ResourceReference] = [
                .volume(volume.id), .instance(instance.id), .template(template.id), .snapshot(first.id),
                .snapshotGroup(group),
            ]
            try await catalog.write { writer in
                try writer.insert(environment)
                for layer in layers { try writer.insert(layer) }
                try writer.insert(instance)
                try writer.insert(volume)
                for snapshot in snapshots { try writer.insert(snapshot) }
                try writer.insert(template)
                for resource in resources {
                    #expect(try writer.environment(holding: resource) == environment.id)
                    try writer.insert(ResourceTag(on: resource, in: environment.id, key: "k", value: "v"))
                }
                #expect(try writer.tags(of: resources).count == resources.count)
                try writer.deleteSnapshot(snapshots[0].id)
                #expect(try writer.tags(of: [.snapshotGroup(group)]).count == 1)
                try writer.deleteSnapshot(snapshots[1].id)
                try writer.deleteVolume(volume.id)
                try writer.deleteInstance(instance.id)
                try writer.deleteTemplate(template.id)
                #expect(try writer.tags(of: resources).isEmpty)
                for resource in resources {
                    #expect(try writer.environment(holding: resource) == environment.id)
                    let never = ResourceReference(resource.kind, .random())
                    #expect(try writer.environment(holding: never) == nil)
                }
                try writer.deleteEnvironment(environment.id)
                for resource in resources { #expect(try writer.environment(holding: resource) == nil) }
            }
        }
    }

    @Test("a key is on a resource once")
    func uniqueness() async throws {
        try await withCatalog { catalog in
            let environment = try Sample.environment()
            let tag = try ResourceTag(on: .volume(.random()), in: environment.id, key: "k", value: "v")
            try await catalog.write { try $0.insert(tag) }
            let fault = await #expect(throws: CatalogFault.self) { try await catalog.write { try $0.insert(tag) } }
            #expect(fault?.code == .conflict)
        }
    }
}
