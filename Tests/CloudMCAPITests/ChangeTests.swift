import Foundation
import HTTPTypes
import SnapshotDomain
import SnapshotPorts
import SnapshotServices
import TestKit
import Testing

@testable import CloudMCAPI
@testable import HTTPCommon

@Suite("Changes")
struct ChangeTests {
    /// Takes every order and keeps it.
    struct Counter: StubCloud {
        enum Order: Sendable {
            case deploy(DeployRequest, EnvironmentID, String?)
            case deleteInstance(DeleteInstanceRequest)
            case destroyInstance(Set<VolumeID>)
            case stop(isForced: Bool)
            case take(TakeSnapshotRequest)
            case revert(RevertTarget, restarts: Bool)
            case createVolume(CreateVolumeRequest, EnvironmentID)
            case resize(ByteCount)
            case createTemplate(CreateTemplateRequest)
        }

        var upload = ""
        var refusesTemplates = false
        let orders = Locked<[Order]>([])
        private let job: JobID = Sample.id(70)

        init(upload: String = "", refusesTemplates: Bool = false) {
            self.upload = upload
            self.refusesTemplates = refusesTemplates
        }

        private func take(_ order: Order) {
            orders.change { $0.append(order) }
        }

        func task(_ id: JobID, _ call: CallContext) async throws(ServiceError) -> TaskView {
            Sample.task(.stopInstance, .running, subjects: [])
        }

        func deploy(_ request: DeployRequest, in environment: EnvironmentID, _ call: CallContext)
            async throws(ServiceError) -> Submitted<[InstanceView]>
        {
            take(.deploy(request, environment, call.idempotencyKey))
            return Submitted(job: job, resource: [Sample.instance()])
        }

        func deleteInstance(
            _ id: InstanceID,
            _ request: DeleteInstanceRequest,
            in environment: EnvironmentID,
            _ call: CallContext
        ) async throws(ServiceError) -> JobID {
            take(.deleteInstance(request))
            return job
        }

        func destroyInstance(
            _ id: InstanceID,
            with volumesToDestroy: Set<VolumeID>,
            in environment: EnvironmentID,
            _ call: CallContext
        ) async throws(ServiceError) -> JobID {
            take(.destroyInstance(volumesToDestroy))
            return job
        }

        func stopInstance(_ id: InstanceID, isForced: Bool, in environment: EnvironmentID, _ call: CallContext)
            async throws(ServiceError) -> Submitted<InstanceView>
        {
            take(.stop(isForced: isForced))
            return Submitted(job: job, resource: Sample.instance())
        }

        func takeSnapshots(_ request: TakeSnapshotRequest, in environment: EnvironmentID, _ call: CallContext)
            async throws(ServiceError) -> Submitted<[SnapshotView]>
        {
            take(.take(request))
            return Submitted(job: job, resource: [Sample.snapshot()])
        }

        func revert(
            _ target: RevertTarget,
            restarts: Bool,
            memory: MemoryUse,
            in environment: EnvironmentID,
            _ call: CallContext
        ) async throws(ServiceError) -> Submitted<[VolumeView]> {
            take(.revert(target, restarts: restarts))
            return Submitted(job: job, resource: [Sample.volume()])
        }

        func createVolume(_ request: CreateVolumeRequest, in environment: EnvironmentID, _ call: CallContext)
            async throws(ServiceError) -> Submitted<VolumeView>
        {
            take(.createVolume(request, environment))
            return Submitted(job: job, resource: Sample.volume())
        }

        func resizeVolume(_ id: VolumeID, to size: ByteCount, in environment: EnvironmentID, _ call: CallContext)
            async throws(ServiceError) -> Submitted<VolumeView>
        {
            take(.resize(size))
            return Submitted(job: job, resource: Sample.volume())
        }

        func createTemplate(_ request: CreateTemplateRequest, in environment: EnvironmentID, _ call: CallContext)
            async throws(ServiceError) -> Submitted<TemplateView>
        {
            if refusesTemplates { throw ServiceError(.nameTaken, "There is a template of that name.") }
            take(.createTemplate(request))
            return Submitted(job: job, resource: Sample.template())
        }

        func snapshot(_ id: SnapshotID, in environment: EnvironmentID, _ call: CallContext)
            async throws(ServiceError) -> SnapshotView
        { Sample.snapshot() }

        func uploadPath() async throws(ServiceError) -> String { upload }
    }

    private static let instance = "instances/\(Sample.id(10) as InstanceID)"
    private static let volume = "volumes/\(Sample.id(20) as VolumeID)"
    private static let snapshot = "snapshots/\(Sample.id(30) as SnapshotID)"
    private static let template = "\(Sample.id(50) as TemplateID)"

    private func order(_ path: String, _ body: String? = nil) async throws -> Counter.Order {
        let counter = Counter()
        let answer = try await TestAPI(counter).send(.post, TestAPI.path(path), body: body)
        #expect(answer.status == 200, "\(answer.text)")
        #expect(try answer.json()["taskStatus"] as? String == "PENDING")
        return try #require(counter.orders.value.first)
    }

    private func wrongOrder() {
        Issue.record("the service got no order, or another one")
    }

    // MARK: Instances

    @Test("a deployment is read with documented names, strings for numbers and our extensions")
    func deploy() async throws {
        let counter = Counter()
        let body = """
            {"name": "web", "computeOfferingId": "custom", "templateId": "\(Self.template)", "networkId": "",
             "cpuCount": "2", "memoryInMB": 2048, "rootVolumeSizeInGb": "20", "additionalDiskSizeInGb": "5",
             "additionalDiskIops": "100", "count": 3, "startInstance": false, "sshKeyName": "x", "portsToForward": []}
            """
        let answer = try await TestAPI(counter).send(
            .post,
            TestAPI.path("instances"),
            body: body,
            headers: [.idempotencyKey: "k1"]
        )
        #expect(answer.status == 200)
        guard case .deploy(let request, let environment, let key) = counter.orders.value.first else {
            return wrongOrder()
        }
        #expect(environment == Sample.production.id)
        #expect(key == "k1")
        #expect(request.source == .template(Sample.id(50)))
        #expect(request.name.description == "web")
        #expect(request.count == 3)
        #expect(request.cpuCount == 2)
        #expect(request.memory == .gibibytes(2))
        #expect(request.rootVolumeSize == .gibibytes(20))
        #expect(request.dataVolumeSize == .gibibytes(5))
        #expect(request.network == .user)
        #expect(!request.startsInstances)
    }

    @Test("a clone into another environment is isolated unless asked otherwise")
    func clone() async throws {
        let path = Self.snapshot + "?operation=createInstance"
        guard
            case .deploy(let clone, let environment, _) = try await order(path, #"{"name": "x", "environment": "lab"}"#)
        else { return wrongOrder() }
        #expect(clone.source == .snapshot(Sample.id(30)))
        #expect(clone.network == .isolated)
        #expect(environment == Sample.laboratory.id)
        guard case .deploy(let open, let home, _) = try await order(path, #"{"name": "x", "network": true}"#) else {
            return
        }
        #expect(open.network == .user)
        #expect(home == Sample.production.id)
    }

    @Test("deleting an instance puts it aside, unless it is to be purged or its snapshots go too")
    func deleteInstance() async throws {
        let counter = Counter()
        let api = TestAPI(counter)
        let volume = #""volumeIdsToDelete": ["\#(Sample.id(21) as VolumeID)"]"#
        for body in [
            #"{"deleteSnapshots": "true", \#(volume)}"#, #"{"purgeImmediately": true}"#, "{\(volume)}",
            #"{"purgeImmediately": false}"#, nil,
        ] {
            #expect(try await api.send(.delete, TestAPI.path(Self.instance), body: body).status == 200)
        }
        let orders = counter.orders.value.map { order in
            switch order {
            case .deleteInstance(let request): "delete \(request.deletesSnapshots) \(request.volumesToDelete.count)"
            case .destroyInstance(let volumes): "destroy \(volumes.count)"
            default: ""
            }
        }
        #expect(orders == ["delete true 1", "delete false 0", "destroy 1", "destroy 0", "destroy 0"])
    }

    @Test("a stop is forced only when asked for")
    func stop() async throws {
        guard case .stop(false) = try await order(Self.instance + "?operation=stop") else {
            return wrongOrder()
        }
        guard case .stop(true) = try await order(Self.instance + "?operation=stop", #"{"forceStop": true}"#) else {
            return wrongOrder()
        }
    }

    // MARK: Snapshots

    @Test(
        "a snapshot of a volume can be asked for in three ways",
        arguments: [
            (
                "snapshots?operation=create",
                #"{"volumeId": "00000000-0000-4000-8000-000000000014", "name": "s", "rapid": "x"}"#
            ),
            ("snapshots", #"{"volumeId": "00000000-0000-4000-8000-000000000014", "name": "s"}"#),
            (Self.volume + "?operation=createSnapshotFromVolume", #"{"snapshot": {"name": "s", "rapid": true}}"#),
        ]
    )
    func takeSnapshot(_ path: String, _ body: String) async throws {
        guard case .take(let request) = try await order(path, body) else { return wrongOrder() }
        #expect(request.target == .volume(Sample.id(20)))
        #expect(request.name?.description == "s")
        #expect(request.consistency == ConsistencyRequest())
    }

    @Test("an unnamed snapshot needs no body, or an empty one", arguments: [nil, "", "{}", #"{"snapshot": {}}"#])
    func unnamed(_ body: String?) async throws {
        guard case .take(let request) = try await order(Self.volume + "?operation=createSnapshotFromVolume", body)
        else { return wrongOrder() }
        #expect(request.name == nil)
    }

    @Test("all volumes of an instance are taken with the consistency that is asked for")
    func takeSnapshots() async throws {
        let body = #"{"consistency": "FileSystem", "maxFreezeMilliseconds": "500", "onMiss": "fail"}"#
        guard case .take(let request) = try await order(Self.instance + "?operation=createSnapshots", body) else {
            return
        }
        #expect(request.target == .instance(Sample.id(10)))
        #expect(
            request.consistency == ConsistencyRequest(mode: .filesystem, maxFreezeMilliseconds: 500, onMiss: .fail)
        )
    }

    @Test("a revert restarts unless told not to")
    func revert() async throws {
        let group: SnapshotGroupID = Sample.id(60)
        let cases: [(String, String?, RevertTarget, Bool)] = [
            (Self.snapshot + "?operation=revert", nil, .snapshot(Sample.id(30)), true),
            (Self.snapshot + "?operation=revert", #"{"restartInstance": false}"#, .snapshot(Sample.id(30)), false),
            (Self.volume + "?operation=undoRevert", "{}", .undo(Sample.id(20)), true),
            (Self.instance + "?operation=revert", #"{"groupId": "\#(group)"}"#, .group(group, of: Sample.id(10)), true),
        ]
        for (path, body, target, restarts) in cases {
            guard case .revert(let asked, let isRestarting) = try await order(path, body) else {
                wrongOrder(); continue
            }
            #expect(asked == target)
            #expect(isRestarting == restarts)
        }
    }

    // MARK: Volumes

    @Test("a volume is made blank, or of a snapshot for another environment")
    func createVolume() async throws {
        guard
            case .createVolume(let blank, _) = try await order(
                "volumes",
                #"{"name": "d", "diskOfferingId": "disk-10"}"#
            )
        else { return wrongOrder() }
        #expect(blank.source == .blank(.gibibytes(10)))
        guard case .createVolume(let custom, _) = try await order("volumes", #"{"name": "d", "sizeInGb": "7"}"#) else {
            return
        }
        #expect(custom.source == .blank(.gibibytes(7)))
        #expect(custom.diskOffering == "custom")
        let body = #"{"name": "d", "environment": "lab", "full": true}"#
        guard case .createVolume(let copy, let home) = try await order(Self.snapshot + "?operation=createVolume", body)
        else { return wrongOrder() }
        #expect(copy.source == .snapshot(Sample.id(30), isFull: true))
        #expect(copy.environment == Sample.laboratory.id)
        #expect(home == Sample.production.id)
    }

    @Test("a volume grows to a size, or to that of an offering")
    func resize() async throws {
        guard case .resize(let size) = try await order(Self.volume + "?operation=resize", #"{"sizeInGb": "12"}"#) else {
            return
        }
        #expect(size == .gibibytes(12))
        guard
            case .resize(let size) = try await order(
                Self.volume + "?operation=resize",
                #"{"diskOfferingId": "disk-100"}"#
            )
        else { return wrongOrder() }
        #expect(size == .gibibytes(100))
    }

    // MARK: Bad input

    @Test(
        "input that cannot be meant is answered 400, and the field is named",
        arguments: [
            ("instances", "{}", "templateId"), ("instances", #"{"templateId": "x"}"#, "templateId"),
            ("instances", #"{"templateId": "\#(Self.template)"}"#, "name"),
            ("instances", #"{"templateId": "\#(Self.template)", "name": "../etc"}"#, "name"),
            (
                "instances", #"{"templateId": "\#(Self.template)", "name": "a", "rootVolumeSizeInGb": -1}"#,
                "rootVolumeSizeInGb"
            ),
            ("instances", #"{"templateId": "\#(Self.template)", "name": "a", "memoryInMB": 1}"#, "memoryInMB"),
            (
                "instances", #"{"templateId": "\#(Self.template)", "name": "a", "diskOfferingId": "x"}"#,
                "diskOfferingId"
            ),
            ("volumes", #"{"name": "a"}"#, "diskOfferingId"),
            ("volumes", #"{"name": "a", "sizeInGb": 9223372036854775807}"#, "sizeInGb"),
            ("volumes", #"{"name": "a", "diskOfferingId": "custom"}"#, "sizeInGb"),
            ("snapshots", "{}", "volumeId"), (Self.volume + "?operation=resize", "", "sizeInGb"),
            (Self.volume + "?operation=attachToInstance", "", "instanceId"),
            (Self.instance + "?operation=revert", "", "groupId"),
            (Self.instance + "?operation=createSnapshots", #"{"consistency": "sometimes"}"#, "consistency"),
            ("templates", #"{"name": "a"}"#, "url"),
            ("templates", #"{"name": "a", "url": "ftp://example.org/y"}"#, "url"),
            ("templates", #"{"name": "a", "url": "https://example.org/y", "format": "vmdk"}"#, "format"),
            ("templates?operation=upload", "bytes", "name"),
        ]
    )
    func badInput(_ path: String, _ body: String, _ field: String) async throws {
        let answer = try await TestAPI(Counter()).send(.post, TestAPI.path(path), body: body)
        #expect(answer.status == 400, "\(answer.text)")
        #expect((try answer.error()["context"] as? [String: Any])?["field"] as? String == field, "\(answer.text)")
    }

    // MARK: Images

    @Test("an upload becomes a file that the service takes over")
    func upload() async throws {
        let path = NSTemporaryDirectory() + "template-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let counter = Counter(upload: path)
        let query = "templates?operation=upload&name=my%20image&format=RAW"
        let answer = try await TestAPI(counter).send(.post, TestAPI.path(query), body: "the bytes")
        #expect(answer.status == 200, "\(answer.text)")
        guard case .createTemplate(let request) = counter.orders.value.first else { return wrongOrder() }
        #expect(request.source == .file(path: path, format: "raw", isUpload: true))
        #expect(request.name.description == "my image")
        #expect(FileManager.default.contents(atPath: path) == Data("the bytes".utf8))
    }

    @Test("an upload that the service does not take is removed")
    func refusedUpload() async throws {
        let path = NSTemporaryDirectory() + "template-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let counter = Counter(upload: path, refusesTemplates: true)
        let answer = try await TestAPI(counter).send(
            .post,
            TestAPI.path("templates?operation=upload&name=a"),
            body: "the bytes"
        )
        #expect(try answer.error()["code"] as? Int == 2_003)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("an operator can import a file; an address is the job's to fetch")
    func importImage() async throws {
        let body = #"{"name": "a", "url": "file:///srv/a%20b.qcow2", "format": "QCOW2", "osTypeId": "debian-12"}"#
        guard case .createTemplate(let request) = try await order("templates", body) else { return wrongOrder() }
        #expect(request.source == .file(path: "/srv/a b.qcow2", format: "qcow2", isUpload: false))
        #expect(request.options.osType == "debian-12")

        let remote = #"{"name": "a", "url": "https://example.org/a.img", "format": "raw"}"#
        guard case .createTemplate(let request) = try await order("templates", remote) else { return wrongOrder() }
        let url = try #require(URL(string: "https://example.org/a.img"))
        #expect(request.source == .address(url, format: "raw"))
    }
}
