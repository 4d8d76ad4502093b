import Foundation
import HTTPTypes
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import CloudMCAPI
@testable import HTTPCommon
@testable import SnapshotServices

@Suite("Other things to read")
struct ReadingTests {
    struct Library: StubCloud {
        let asked = Locked<[String]>([])

        func snapshot(_ id: SnapshotID, in environment: EnvironmentID, _ call: CallContext)
            async throws(ServiceError) -> SnapshotView
        { Sample.snapshot(name: "año 1") }

        func export(_ id: SnapshotID, as format: ImageFormat, in environment: EnvironmentID, _ call: CallContext)
            async throws(ServiceError) -> ImageStream
        {
            asked.change { $0.append(format.rawValue) }
            let chunks = AsyncThrowingStream<Data, any Error> { continuation in
                continuation.yield(Data("first ".utf8))
                continuation.yield(Data("second".utf8))
                continuation.finish()
            }
            return ImageStream(length: ByteCount(12), sha256: [1, 2, 255], chunks: chunks)
        }

        func console(
            of id: InstanceID,
            from offset: Int64,
            atMost limit: Int,
            in environment: EnvironmentID,
            _ call: CallContext
        ) async throws(ServiceError) -> ConsoleText {
            asked.change { $0.append("\(offset) \(limit)") }
            return ConsoleText(text: "login: ", nextOffset: offset + 7)
        }

        func screenshot(of id: InstanceID, in environment: EnvironmentID, _ call: CallContext)
            async throws(ServiceError) -> Data
        { Data([0x89, 0x50]) }

        func planDeletion(of ids: [SnapshotID], in environment: EnvironmentID, _ call: CallContext)
            async throws(ServiceError) -> DeletionPlanView
        {
            asked.change { $0 += ids.map(\.description) }
            var plan = DeletionPlan()
            plan.unlinked = [Sample.id(40)]
            plan.freedAtLeast = .mebibytes(3)
            return DeletionPlanView(plan: plan, snapshots: [Sample.snapshot().snapshot], dependents: [])
        }

        func listActivity(_ filter: ActivityFilter, page: PageRequest, _ call: CallContext)
            async throws(ServiceError) -> CatalogPage<ActivityEntry>
        {
            asked.change { $0.append("\(filter.status?.rawValue ?? "any") \(filter.from?.timeIntervalSince1970 ?? 0)") }
            let entry = ActivityEntry(
                id: 5,
                environment: Sample.production.id,
                actor: Actor(user: Sample.id(9), name: "ada", address: "10.0.0.7"),
                event: "snapshots.create",
                subjectKind: "snapshots",
                subjectID: "x",
                subjectName: "before \"it\"",
                job: nil,
                status: .failed,
                message: "No room.",
                createdAt: Sample.instant
            )
            return CatalogPage(rows: [entry], total: 1)
        }

        func status(_ call: CallContext) async throws(ServiceError) -> ServiceStatus {
            ServiceStatus(
                version: "1.0",
                accelerator: Accelerator(kind: .tcg, reason: "no KVM"),
                pools: [
                    .init(
                        pool: .local,
                        capacity: PoolCapacity(total: .gibibytes(9), free: .gibibytes(4)),
                        account: SpaceAccount(LayerTree(layers: [], pins: [])),
                        trouble: nil
                    )
                ],
                runningJobs: 1,
                queuedJobs: 2
            )
        }
    }

    private static let snapshot = "snapshots/\(Sample.id(30) as SnapshotID)"
    private static let instance = "instances/\(Sample.id(10) as InstanceID)"

    @Test("an export is a file with its length and digest")
    func export() async throws {
        let library = Library()
        let answer = try await TestAPI(library).get(TestAPI.path(Self.snapshot + "/export?format=raw"))
        #expect(answer.text == "first second")
        #expect(answer.headers[.contentLength] == "12")
        #expect(answer.headers[.digest] == "sha-256=AQL/")
        #expect(answer.headers[.reprDigest] == "sha-256=:AQL/:")
        #expect(answer.headers[.contentDisposition]?.hasSuffix("filename*=UTF-8''a%C3%B1o%201.raw") == true)
        #expect(library.asked.value == ["raw"])
        #expect(try await TestAPI(library).get(TestAPI.path(Self.snapshot + "/export?format=vdi")).status == 400)
    }

    @Test("a console is text with the place to go on, and a screenshot a picture")
    func console() async throws {
        let library = Library()
        let api = TestAPI(library)
        let answer = try await api.get(TestAPI.path(Self.instance + "/console?offset=100&limit=99999999"))
        #expect(answer.text == "login: ")
        #expect(answer.headers[.nextOffset] == "107")
        _ = try await api.get(TestAPI.path(Self.instance + "/console?offset=-3&limit=0"))
        #expect(library.asked.value == ["100 1048576", "0 1"])
        #expect(try await api.get(TestAPI.path(Self.instance + "/screenshot")).headers[.contentType] == "image/png")
    }

    @Test("the plan of a deletion can be asked for one snapshot and for several")
    func plan() async throws {
        let library = Library()
        let one = try await TestAPI(library).get(TestAPI.path(Self.snapshot + "/deletionPlan")).data()
        #expect(one["freedBytesAtLeast"] as? Int == 3 << 20)
        #expect(one["unlinkedLayers"] as? Int == 1)
        let (first, second): (SnapshotID, SnapshotID) = (Sample.id(30), Sample.id(31))
        _ = try await TestAPI(library).get(TestAPI.path("snapshots/deletionPlan?ids=\(first),\(second)"))
        #expect(library.asked.value == [first, first, second].map(\.description))
    }

    @Test("the activity log tells who, what and from where")
    func activity() async throws {
        let library = Library()
        let path = "/api/v2/activity_log?environmentId=production&status=failed&start=2027-01-15T08:00:00Z"
        let entry = try #require(try await TestAPI(library).get(path).list().first)
        #expect(library.asked.value == ["failed 1800000000.0"])
        #expect(entry["status"] as? String == "FAILED")
        #expect(entry["environmentName"] as? String == "production")
        #expect(entry["requesterIp"] as? String == "10.0.0.7")
        #expect(entry["category"] as? String == "compute")
        let context = try #require(entry["eventContext"] as? String)
        let parsed = try JSONSerialization.jsonObject(with: Data(context.utf8)) as? [String: Any]
        #expect(parsed?["name"] as? String == "before \"it\"")
        #expect(try await TestAPI(library).get("/api/v2/activity_log?start=yesterday").status == 400)
    }

    @Test("every kind of job has its code in the list of codes")
    func codes() async throws {
        let data = try await TestAPI().get("/api/v2/activity_log/codes").data()
        let codes = ((data["compute"] as? [String]) ?? []) + ((data["SYSTEM"] as? [String]) ?? [])
        #expect(Set(Job.Kind.allCases.map(\.event)).isSubset(of: codes))
        #expect(Set(codes).count == codes.count)
    }

    @Test("the status shows what the service runs on, and how full it is")
    func status() async throws {
        let data = try await TestAPI(Library()).get("/api/v2/status").data()
        #expect((data["accelerator"] as? [String: Any])?["kind"] as? String == "tcg")
        let pool = try #require((data["pools"] as? [[String: Any]])?.first)
        #expect(pool["freeBytes"] as? Int == 4 << 30)
        #expect(data["queuedTasks"] as? Int == 2)
    }
}
