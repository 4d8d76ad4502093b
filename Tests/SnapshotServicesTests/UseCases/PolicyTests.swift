import Foundation
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import SnapshotServices

extension CloudTests {
    @Suite("policies")
    struct Policies {
        @Test("a volume has one policy for each interval, which keeps its identity when it is set again")
        func life() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("data").id
                let home = cloud.home.id
                let schedule = try SnapshotPolicy.Schedule(.daily, minute: 5, hour: 3)
                let wanted = PolicyChange(schedule: schedule, timeZone: "Europe/Zurich", kept: 7)
                let made = try await cloud.cloud.setPolicy(.daily, wanted, of: volume, in: home, cloud.call)
                #expect(try await cloud.cloud.policy(made.id, cloud.call) == made)
                let again = try await cloud.cloud.setPolicy(
                    .daily,
                    PolicyChange(kept: 2),
                    of: volume,
                    in: home,
                    cloud.call
                )
                #expect((again.id, again.kept, again.schedule) == (made.id, 2, schedule))
                let other = try await cloud.cloud.setPolicy(
                    .hourly,
                    PolicyChange(schedule: try .init(.hourly, minute: 0), timeZone: "Nowhere/Land", kept: 1),
                    of: volume,
                    in: home,
                    cloud.call
                )
                #expect(other.timeZone == "GMT")
                let updated = try await cloud.cloud.updatePolicy(
                    other.id,
                    PolicyChange(isActive: false),
                    in: home,
                    cloud.call
                )
                #expect(!updated.policy.isActive)
                let logged = try await cloud.cloud.listActivity(
                    ActivityFilter(environment: home, id: updated.line),
                    page: .all,
                    cloud.call
                )
                #expect(logged.rows.first?.event == "policies.update")
                #expect(logged.rows.first?.subjectID == other.id.description)

                // All of them, or none.
                await #expect(throws: ServiceError.self) {
                    try await cloud.cloud.deletePolicies([made.id, .random()], in: home, cloud.call)
                }
                #expect(try await cloud.cloud.listPolicies(of: volume, in: home, cloud.call).count == 2)
                try await cloud.cloud.deletePolicies([made.id], in: home, cloud.call)
                #expect(try await cloud.cloud.listPolicies(of: volume, in: home, cloud.call).map(\.id) == [other.id])

                // They go with their volume.
                try await cloud.done(try await cloud.cloud.deleteVolume(volume, in: home, cloud.call))
                let error = await #expect(throws: ServiceError.self) {
                    try await cloud.cloud.policy(other.id, cloud.call)
                }
                #expect(error?.code == .notFound)
            }
        }

        @Test("a policy of an environment that the caller cannot see is not there")
        func hidden() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("data").id
                let wanted = PolicyChange(schedule: try .init(.hourly, minute: 0), kept: 1)
                let made = try await cloud.cloud.setPolicy(.hourly, wanted, of: volume, in: cloud.home.id, cloud.call)
                let stranger = Authorisation.Caller.owner.call(in: cloud.abroad.id)
                let error = await #expect(throws: ServiceError.self) { try await cloud.cloud.policy(made.id, stranger) }
                #expect(error?.code == .notFound)
            }
        }
    }
}
