import Foundation
import SnapshotDomain
import SnapshotPorts
import SnapshotServices
import TestKit
import Testing

@testable import CloudMCAPI
@testable import HTTPCommon

@Suite("Resources on the wire")
struct PayloadTests {
    struct Museum: StubCloud {
        func snapshot(_ id: SnapshotID, in environment: EnvironmentID, _ call: CallContext)
            async throws(ServiceError) -> SnapshotView
        { Sample.snapshot(group: Sample.id(60)) }

        func volume(_ id: VolumeID, in environment: EnvironmentID, _ call: CallContext)
            async throws(ServiceError) -> VolumeView
        {
            let progress = JobProgress(doneBytes: .mebibytes(1), totalBytes: .mebibytes(4), bytesPerSecond: 9)
            var view = Sample.volume(
                activity: ResourceActivity(job: Sample.id(70), kind: .createSnapshots, progress: progress)
            )
            view.chain = ChainDepth(layers: 18, missingRoom: .mebibytes(7))
            return view
        }

        func instance(_ id: InstanceID, in environment: EnvironmentID, _ call: CallContext)
            async throws(ServiceError) -> InstanceView
        { Sample.instance(status: .paused(reason: "I/O error")) }

        func template(_ id: TemplateID, in environment: EnvironmentID, _ call: CallContext)
            async throws(ServiceError) -> TemplateView
        { Sample.template() }
    }

    private func show(_ kind: String) async throws -> [String: Any] {
        try await TestAPI(Museum()).get(TestAPI.path("\(kind)/00000000-0000-4000-8000-000000000001")).data()
    }

    @Test("a snapshot has the documented fields, and ours")
    func snapshot() async throws {
        let data = try await show("snapshots")
        let documented = ["id", "name", "state", "intervalType", "volumeId", "volume", "volumeType"]
        #expect(documented.allSatisfy { data[$0] is String })
        #expect(data["state"] as? String == "BackedUp")
        #expect(data["intervalType"] as? String == "MANUAL")
        #expect(data["volume"] as? String == "ROOT-web01")
        #expect(data["volumeType"] as? String == "os")
        #expect(data["sizeInGb"] as? Int == 2)
        #expect(data["virtualSize"] as? Int == 1_500 << 20)
        #expect(data["exclusiveBytes"] as? Int == 3 << 20)
        #expect(data["physicalSize"] as? Int == 8 << 20)
        #expect(data["rapid"] as? Bool == true)
        #expect(data["creationDate"] as? String == "2027-01-15T08:00:00.250Z")
        #expect(data["groupId"] as? String == "00000000-0000-4000-8000-00000000003c")
        #expect(data["consistency"] as? String == "crash")
        #expect(data["consistencyRequested"] as? String == "filesystem")
        let dependents = try #require(data["dependents"] as? [[String: Any]])
        #expect(dependents.map { $0["type"] as? String } == ["volumes", "templates"])
        #expect(data["error"] == nil)
    }

    @Test("damage is told beside the state, which stays a documented one")
    func damaged() throws {
        var view = Sample.snapshot()
        view.snapshot.damage = Damage(reason: "Other bytes.", foundAt: Sample.instant)
        view.failure = ServiceError(.damaged, "Other bytes.")
        let payload = SnapshotPayload(view, zoneID: "zone-1")
        #expect(payload.state == "BackedUp")
        #expect(payload.damagedAt == "2027-01-15T08:00:00.250Z")
        #expect(payload.error?.message == "Other bytes.")
    }

    @Test("a volume shows its instance, and what is done to it")
    func volume() async throws {
        let data = try await show("volumes")
        #expect(data["type"] as? String == "os")
        #expect(data["state"] as? String == "Snapshotting")
        #expect(data["sizeInGb"] as? Int == 2)
        #expect(data["instanceState"] as? String == "Running")
        #expect(data["iops"] as? Int == 0)
        #expect(data["chainDepth"] as? Int == 18)
        #expect(data["chainMissingBytes"] as? Int == 7 << 20)
        #expect(data["taskId"] as? String == "00000000-0000-4000-8000-000000000046")
        let progress = try #require(data["progress"] as? [String: Any])
        #expect(progress["doneBytes"] as? Int == 1 << 20)
        #expect(progress["totalBytes"] as? Int == 4 << 20)
    }

    @Test("an instance names its template in both ways, and says why its state is unknown")
    func instance() async throws {
        let data = try await show("instances")
        #expect(data["imageId"] as? String == data["templateId"] as? String)
        #expect(data["imageName"] as? String == "golden")
        #expect(data["templateName"] as? String == "golden")
        #expect(data["memoryInMB"] as? Int == 1_024)
        #expect(data["computeOfferingName"] as? String == "1 vCPU, 1 GiB")
        #expect(data["state"] as? String == "Unknown")
        #expect(data["stateReason"] as? String == "I/O error")
        #expect(data["publicIps"] as? [String] == [])
        #expect((data["nics"] as? [Any])?.count == 1)
    }

    @Test("a template names its system in both ways")
    func template() async throws {
        let data = try await show("templates")
        #expect(data["osType"] as? String == data["osTypeName"] as? String)
        #expect(data["size"] as? Int == 2 << 30)
        #expect(data["ready"] as? Bool == true)
    }

    @Test("an environment is provisioned, and says what the caller is in it")
    func environment() async throws {
        let data = try await TestAPI().get("/api/v2/environments/lab").data()
        #expect(data["state"] as? String == "PROVISIONED")
        #expect(data["role"] as? String == "owner")
        #expect((data["serviceConnection"] as? [String: Any])?["serviceCode"] as? String == "compute")
        #expect((data["defaultRole"] as? [String: Any])?["defaultScope"] as? String == "ENV")
        #expect(data["metadata"] is [String: Any])
    }
}
