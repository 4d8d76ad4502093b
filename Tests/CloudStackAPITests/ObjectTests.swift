import Foundation
import SnapshotDomain
import SnapshotPorts
import SnapshotServices
import TestKit
import Testing

@testable import CloudStackAPI

@Suite("objects of the query API")
struct ObjectTests {
    /// What a field's type says its values are.
    private func fits(_ value: JSON, _ kind: String) -> Bool {
        switch (value, kind) {
        case (.text, "string"), (.text, "date"), (.integer, "long"), (.flag, "boolean"), (.list, "list"),
            (.object, "map"):
            true
        default: false
        }
    }

    private func check<Source>(_ shape: Shape<Source>, _ source: Source, has names: [String]) {
        guard case .object(let fields) = shape.json(source) else { return }
        for field in shape.fields {
            guard let value = fields[field.name] else { continue }
            #expect(fits(value, field.kind.rawValue), "\(shape.name).\(field.name)")
        }
        for name in names { #expect(fields[name] != nil, "\(shape.name).\(name)") }
        let all = shape.fields.map(\.name)
        #expect(Set(all).count == all.count, "\(shape.name): \(all)")
    }

    private func owned<View>(_ view: View) -> Owned<View> {
        Owned(view, owner: .account("ada"), tags: [], zone: "Local")
    }

    @Test("fields have the types that they declare, and those that clients need are there")
    func types() {
        check(Shapes.volume, owned(Sample.volume()), has: ["id", "name", "type", "state", "size", "tags", "deviceid"])
        check(
            Shapes.snapshot,
            owned(Sample.snapshot()),
            has: ["id", "name", "volumeid", "state", "tags", "physicalsize", "virtualsize", "created"]
        )
        check(
            Shapes.instance,
            owned(Sample.instance()),
            has: [
                "id", "name", "displayname", "state", "nic", "tags", "templateid", "serviceofferingid", "affinitygroup",
            ]
        )
        check(
            Shapes.template,
            owned(Sample.template()),
            has: ["id", "name", "displaytext", "hypervisor", "format", "ostypename", "size", "isready", "tags"]
        )
        check(Shapes.zone, "Local", has: ["id", "name", "networktype"])
        for offering in ComputeOffering.builtIn {
            check(Shapes.computeOffering, offering, has: ["id", "name", "cpunumber", "memory"])
        }
        for offering in DiskOffering.builtIn {
            check(Shapes.diskOffering, offering, has: ["id", "name", "displaytext", "disksize", "iscustomized"])
        }
        check(Shapes.capability, Sample.principal, has: ["cloudstackversion", "supportELB"])
    }

    @Test("what a volume says of its machine is absent while it has none")
    func detached() {
        var view = Sample.volume()
        view.volume.attachment = nil
        view.instance = nil
        guard case .object(let fields) = Shapes.volume.json(owned(view)) else { return }
        for name in ["virtualmachineid", "vmname", "vmdisplayname", "vmstate", "deviceid", "attached"] {
            #expect(fields[name] == nil, "\(name)")
        }
    }

    @Test("only words that clients know are shown")
    func words() {
        let volumes: Set = [
            "Creating", "Ready", "Snapshotting", "RevertSnapshotting", "Resizing", "Migrating", "Attaching",
            "Destroying", "Destroy",
            "Error",
        ]
        #expect(ShownVolumeState.allCases.map(StateWords.word).allSatisfy { volumes.contains($0) })
        let machines: Set = ["Running", "Starting", "Stopped", "Stopping", "Destroyed", "Expunging", "Error"]
        #expect(ShownInstanceState.allCases.map(StateWords.word).allSatisfy { machines.contains($0) })
    }

    @Test("a finished job has a result with one key, and a failed one the error")
    func jobs() async throws {
        struct Jobs: StubCloud {
            let view: TaskView

            func task(_ id: JobID, _ call: CallContext) async throws(ServiceError) -> TaskView { view }

            func volume(_ id: VolumeID, in environment: EnvironmentID, _ call: CallContext)
                async throws(ServiceError) -> VolumeView
            {
                if id == Sample.id(99) { throw ServiceError(.notFound, "It is gone.") }
                return Sample.volume()
            }

            func tags(of resources: [ResourceReference], _ call: CallContext)
                async throws(ServiceError) -> [ResourceReference: [ResourceTag]]
            { [:] }
        }
        func result(of view: TaskView) async throws -> [String: Any] {
            let api = TestAPI(Jobs(view: view))
            let answer = try await api.ask("queryAsyncJobResult", ["jobid": view.job.id.description])
            return answer.body
        }
        let pending = try await result(of: Sample.task(.createVolume, .running, subjects: [.volume(Sample.id(20))]))
        #expect(pending["jobstatus"] as? Int == 0 && pending["jobresultcode"] as? Int == 0)
        #expect(pending["jobresult"] == nil && pending["completed"] == nil)
        let done = try await result(of: Sample.task(.createVolume, .succeeded, subjects: [.volume(Sample.id(20))]))
        #expect(done["jobstatus"] as? Int == 1 && done["jobinstancetype"] as? String == "Volume")
        #expect((done["jobresult"] as? [String: Any]).map { Array($0.keys) } == ["volume"])
        let gone = try await result(of: Sample.task(.createVolume, .succeeded, subjects: [.volume(Sample.id(99))]))
        #expect(((gone["jobresult"] as? [String: Any])?["volume"] as? [String: Any])?["name"] as? String == "a job")
        let failure = ServiceError(.noSpace, "The pool is full.")
        let failed = try await result(
            of: Sample.task(.createVolume, .failed, subjects: [.volume(Sample.id(20))], failure: failure)
        )
        #expect(failed["jobstatus"] as? Int == 2 && failed["jobresultcode"] as? Int == 530)
        let error = try #require(failed["jobresult"] as? [String: Any])
        #expect(error["errorcode"] as? Int == 535 && error["errortext"] as? String == "The pool is full.")
    }
}
