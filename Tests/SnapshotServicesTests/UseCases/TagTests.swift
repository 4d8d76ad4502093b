import Foundation
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import SnapshotServices

extension CloudTests {
    @Suite("tags, and what is known of what is gone")
    struct Tags {
        @Test("a tag hangs on its resource, finds it, and goes with it")
        func life() async throws {
            try await withCloud { cloud in
                let call = cloud.call
                let volume = try await cloud.makeVolume("data").id
                let other = try await cloud.makeVolume("other").id
                let resource = ResourceReference.volume(volume)
                let tag = try ResourceTag(on: resource, in: cloud.home.id, key: "Farbe", value: "grün")
                let line = try await cloud.cloud.addTags([tag], in: cloud.home.id, call)
                let logged = try await cloud.cloud.listActivity(
                    ActivityFilter(environment: cloud.home.id, id: line),
                    page: .all,
                    call
                )
                #expect(logged.rows.map(\.event) == ["tags.create"])
                #expect(logged.rows.first?.subjectID == volume.description)
                #expect(try await cloud.cloud.tags(of: [resource, .volume(other)], call) == [resource: [tag]])

                for (condition, found) in [
                    (TagCondition(key: "Farbe"), [volume]), (TagCondition(key: "Farbe", value: "grün"), [volume]),
                    (TagCondition(key: "Farbe", value: "rot"), []), (TagCondition(key: "farbe"), []),
                ] {
                    let filter = VolumeFilter(environment: cloud.home.id, tags: [condition])
                    let page = try await cloud.cloud.listVolumes(filter, order: .byName, page: .all, call)
                    #expect(page.rows.map(\.volume.id) == found)
                    #expect(page.total == found.count)
                }

                try await cloud.done(try await cloud.cloud.deleteVolume(volume, in: cloud.home.id, cloud.call))
                let listed = try await cloud.cloud.listTags(TagFilter(environment: cloud.home.id), page: .all, call)
                #expect(listed.rows.isEmpty)
            }
        }

        @Test("tags are added all or none, a key once on each resource")
        func allOrNone() async throws {
            try await withCloud { cloud in
                let resource = ResourceReference.volume(try await cloud.makeVolume("data").id)
                let one = try ResourceTag(on: resource, in: cloud.home.id, key: "one", value: "1")
                let two = try ResourceTag(on: resource, in: cloud.home.id, key: "two", value: "2")
                _ = try await cloud.cloud.addTags([one], in: cloud.home.id, cloud.call)
                let error = await #expect(throws: ServiceError.self) {
                    try await cloud.cloud.addTags([two, one], in: cloud.home.id, cloud.call)
                }
                #expect(error?.code == .nameTaken)
                #expect(try await cloud.cloud.tags(of: [resource], cloud.call) == [resource: [one]])
                _ = try await cloud.cloud.removeTags(
                    [TagCondition(key: "one", value: "another")],
                    of: [resource],
                    in: cloud.home.id,
                    cloud.call
                )
                #expect(try await cloud.cloud.tags(of: [resource], cloud.call) == [resource: [one]])
                _ = try await cloud.cloud.removeTags(nil, of: [resource], in: cloud.home.id, cloud.call)
                #expect(try await cloud.cloud.tags(of: [resource], cloud.call).isEmpty)
            }
        }

        @Test("what was deleted is known where it was, what never was is not, and strangers know neither")
        func gone() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("data").id
                try await cloud.done(try await cloud.cloud.deleteVolume(volume, in: cloud.home.id, cloud.call))
                let member = Authorisation.Caller.viewer.call(in: cloud.home.id)
                let stranger = Authorisation.Caller.viewer.call(in: cloud.abroad.id)
                #expect(try await cloud.cloud.environment(holding: .volume(volume), member) == cloud.home.id)
                #expect(try await cloud.cloud.environment(holding: .volume(volume), stranger) == nil)
                #expect(try await cloud.cloud.environment(holding: .volume(.random()), member) == nil)
                let asSnapshot = ResourceReference.snapshot(SnapshotID(volume.uuid))
                #expect(try await cloud.cloud.environment(holding: asSnapshot, member) == nil)
            }
        }
    }
}
