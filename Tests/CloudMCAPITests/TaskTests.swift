import Foundation
import HTTPTypes
import SnapshotDomain
import SnapshotPorts
import SnapshotServices
import TestKit
import Testing

@testable import CloudMCAPI
@testable import HTTPCommon

@Suite("Tasks")
struct TaskTests {
    /// Knows one task, and shows any resource.
    struct Workshop: StubCloud {
        var task: TaskView
        let waits = Locked<[Duration]>([])

        func task(_ id: JobID, _ call: CallContext) async throws(ServiceError) -> TaskView {
            guard id == task.job.id else { throw ServiceError(.notFound, "There is no such task.") }
            return task
        }

        func awaitTask(_ id: JobID, atMost limit: Duration, _ call: CallContext) async throws(ServiceError) -> TaskView
        {
            waits.change { $0.append(limit) }
            return try await task(id, call)
        }

        func deleteSnapshot(_ id: SnapshotID, in environment: EnvironmentID, _ call: CallContext)
            async throws(ServiceError) -> JobID
        { task.job.id }

        func snapshot(_ id: SnapshotID, in environment: EnvironmentID, _ call: CallContext)
            async throws(ServiceError) -> SnapshotView
        { Sample.snapshot(id == Sample.id(31) ? 31 : 30, group: task.job.snapshots.count > 1 ? Sample.id(60) : nil) }

        func volume(_ id: VolumeID, in environment: EnvironmentID, _ call: CallContext)
            async throws(ServiceError) -> VolumeView
        {
            if id == Sample.id(99) { throw ServiceError(.notFound, "There is no such volume.") }
            return Sample.volume()
        }

        func instance(_ id: InstanceID, in environment: EnvironmentID, _ call: CallContext)
            async throws(ServiceError) -> InstanceView
        { Sample.instance(id == Sample.id(11) ? 11 : 10) }

        func template(_ id: TemplateID, in environment: EnvironmentID, _ call: CallContext)
            async throws(ServiceError) -> TemplateView
        { Sample.template() }

        func updateSnapshot(
            _ id: SnapshotID,
            name: ResourceName?,
            description: String?,
            in environment: EnvironmentID,
            _ call: CallContext
        ) async throws(ServiceError) -> SnapshotView { Sample.snapshot(name: name?.description ?? "unnamed") }
    }

    static let path = "/api/v2/tasks/\(Sample.id(70) as JobID)"

    private func show(_ task: TaskView) async throws -> [String: Any] {
        try await TestAPI(Workshop(task: task)).get(Self.path).json()
    }

    @Test(
        "a task comes in both shapes, with no result while it is pending",
        arguments: [TaskView.Status.queued, .running]
    )
    func pending(_ status: TaskView.Status) async throws {
        let task = try await show(Sample.task(.createVolume, status, subjects: [.volume(Sample.id(20))]))
        let data = try #require(task["data"] as? [String: Any])
        #expect(task["taskId"] as? String == data["id"] as? String)
        #expect(task["taskStatus"] as? String == "PENDING")
        #expect(data["status"] as? String == "PENDING")
        #expect(data["created"] as? String == "2027-01-15T08:00:00.250Z")
        #expect(data["state"] as? String == status.rawValue)
        #expect(task["result"] == nil)
        #expect(data["result"] == nil)
    }

    @Test(
        "the result of a success is what the task was about",
        arguments: [
            (.createSnapshots, [.snapshot(Sample.id(30)), .volume(Sample.id(20))], 30),
            (.revertVolumes, [.volume(Sample.id(20)), .instance(Sample.id(10))], 20),
            (.revertVolumes, [.instance(Sample.id(10)), .volume(Sample.id(20))], 10),
            (.createVolume, [.volume(Sample.id(20))], 20), (.resizeVolume, [.volume(Sample.id(20))], 20),
            (.createVolume, [.volume(Sample.id(99))], 99), (.createTemplate, [.template(Sample.id(50))], 50),
            (.deployInstances, [.instance(Sample.id(10)), .volume(Sample.id(20))], 10),
            (.startInstance, [.instance(Sample.id(10))], 10), (.deleteVolume, [.volume(Sample.id(20))], nil),
        ] as [(Job.Kind, [JobSubject], UInt8?)]
    )
    func success(_ kind: Job.Kind, _ subjects: [JobSubject], _ id: UInt8?) async throws {
        let task = try await show(Sample.task(kind, .succeeded, subjects: subjects))
        let result = try #require(task["result"] as? [String: Any])
        #expect(task["taskStatus"] as? String == "SUCCESS")
        #expect(result["id"] as? String == id.map { "\(Sample.id($0) as VolumeID)" })
        let data = try #require(task["data"] as? [String: Any])
        #expect((data["result"] as? [String: Any])?["id"] as? String == result["id"] as? String)
    }

    @Test("snapshots of one instant come with their group, several instances as a list, a verification as its finding")
    func shapes() async throws {
        let group = try await show(
            Sample.task(.createSnapshots, .succeeded, subjects: [.snapshot(Sample.id(30)), .snapshot(Sample.id(31))])
        )
        let snapshots = try #require(group["result"] as? [String: Any])
        #expect(snapshots["groupId"] as? String == "00000000-0000-4000-8000-00000000003c")
        #expect((snapshots["snapshots"] as? [Any])?.count == 2)

        let many = try await show(
            Sample.task(.deployInstances, .succeeded, subjects: [.instance(Sample.id(10)), .instance(Sample.id(11))])
        )
        let instances = try #require((many["result"] as? [String: Any])?["instances"] as? [[String: Any]])
        #expect(instances.map { $0["name"] as? String } == ["web10", "web11"])

        let verified = try await show(
            Sample.task(.verifySnapshot, .succeeded, subjects: [], reads: [.snapshot(Sample.id(30))])
        )
        #expect((verified["result"] as? [String: Any])?["id"] as? String == "\(Sample.id(30) as SnapshotID)")
    }

    @Test("a failed task is no failed request: its errors are its result")
    func failure() async throws {
        let failure = ServiceError(.noSpace, "The pool is full.")
        let task = try await show(Sample.task(.createVolume, .failed, subjects: [], failure: failure))
        #expect(task["errors"] == nil)
        #expect(task["taskStatus"] as? String == "FAILED")
        let result = try #require((task["data"] as? [String: Any])?["result"] as? [String: Any])
        let error = try #require((result["errors"] as? [[String: Any]])?.first)
        #expect(error["code"] as? Int == 2_014)
        #expect(error["message"] as? String == "The pool is full.")
    }

    @Test("a cancelled task has failed, and says that it was cancelled")
    func cancelled() async throws {
        let task = try await show(Sample.task(.createVolume, .cancelled, subjects: []))
        let data = try #require(task["data"] as? [String: Any])
        #expect(data["status"] as? String == "FAILED")
        #expect(data["state"] as? String == "cancelled")
        #expect(((data["result"] as? [String: Any])?["errors"] as? [[String: Any]])?.first?["code"] as? Int == 2_018)
    }

    @Test("a change answers with the task alone while it is pending, and with the result when it is done")
    func changes() async throws {
        let path = TestAPI.path("snapshots/\(Sample.id(30) as SnapshotID)")
        let pending = Workshop(task: Sample.task(.deleteSnapshot, .running, subjects: []))
        #expect(
            try await TestAPI(pending).send(.delete, path).text
                == #"{"taskId":"00000000-0000-4000-8000-000000000046","taskStatus":"PENDING"}"#
        )
        let done = Workshop(task: Sample.task(.deleteSnapshot, .succeeded, subjects: []))
        let answer = try await TestAPI(done).send(.delete, path)
        #expect(answer.status == 200)
        #expect(
            answer.text == #"{"data":{},"taskId":"00000000-0000-4000-8000-000000000046","taskStatus":"SUCCESS"}"#
        )
        #expect(done.waits.value == [.milliseconds(50)])
    }

    @Test("a caller can ask to wait for the end, within bounds")
    func prefer() async throws {
        let path = TestAPI.path("snapshots/\(Sample.id(30) as SnapshotID)")
        let workshop = Workshop(task: Sample.task(.deleteSnapshot, .succeeded, subjects: []))
        let api = TestAPI(workshop)
        let answer = try await api.send(.delete, path, headers: [.prefer: "respond-async, wait=5"])
        #expect(answer.headers[.preferenceApplied] == "wait=5")
        let bounded = try await api.send(.delete, path, headers: [.prefer: "wait=3600"])
        #expect(bounded.headers[.preferenceApplied] == "wait=60")
        _ = try await api.send(.get, Self.path, headers: [.prefer: "wait=0"])
        #expect(workshop.waits.value == [.seconds(5), .seconds(60), .zero])
    }

    @Test(
        "what cannot be a wait is none",
        arguments: ["", "wait", "wait=", "wait=x", "wait=-1", "wait=99999999999999999999", "handling=strict"]
    )
    func noWait(_ value: String) {
        #expect(Prefer([value]).wait == nil)
    }

    @Test("a change that needs no task says so in the same form")
    func immediate() async throws {
        let workshop = Workshop(task: Sample.task(.deleteSnapshot, .running, subjects: []))
        let path = TestAPI.path("snapshots/\(Sample.id(30) as SnapshotID)?operation=update")
        let answer = try await TestAPI(workshop).send(.post, path, body: #"{"name": "kept"}"#)
        #expect(try answer.json()["taskStatus"] as? String == "SUCCESS")
        #expect(try answer.json()["taskId"] is String)
        #expect(try answer.data()["name"] as? String == "kept")
    }
}
