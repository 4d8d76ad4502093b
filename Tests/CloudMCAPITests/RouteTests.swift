import Foundation
import HTTPTypes
import SnapshotDomain
import TestKit
import Testing

@testable import CloudMCAPI
@testable import HTTPCommon

@Suite("Routes of the CloudMC API")
struct RouteTests {
    private static func path(_ pattern: String, root: String = "/api/v2") -> String {
        root
            + pattern.replacing(":service", with: "compute").replacing(":environment", with: "production")
            .replacing(":id", with: "00000000-0000-4000-8000-000000000001")
    }

    @Test("no call, under any root, is answered without a valid key", arguments: CloudMCRoutes.roots)
    func authentication(_ root: String) async throws {
        let api = TestAPI()
        for slot in CloudMCRoutes.table.slots {
            for key in [nil, "", "wrong"] {
                let answer = try await api.send(slot.method, Self.path(slot.pattern, root: root), key: key)
                #expect(answer.status == 403, "\(slot.method) \(slot.pattern)")
                #expect(try answer.error()["code"] as? Int == 1_001)
            }
        }
    }

    @Test("a method that a path does not have is answered 405, with those that it has")
    func methods() async throws {
        let api = TestAPI()
        for (pattern, allowed) in CloudMCRoutes.table.methods {
            for method in [HTTPRequest.Method.get, .post, .put, .delete, .patch] where !allowed.contains(method) {
                let answer = try await api.send(method, Self.path(pattern))
                #expect(answer.status == 405, "\(method) \(pattern)")
                #expect(answer.headers[.allow] == allowed.map(\.rawValue).joined(separator: ", "))
                #expect(try answer.error()["code"] as? Int == 1_004)
            }
        }
    }

    @Test(
        "what is not there is answered 404 in the API's format",
        arguments: [
            "/api/v2", "/api/v2/", "/api/v2/nothing", "/v1/x/y/z", "/api/v1/services/compute/production",
            "/api/v2/services/storage/production/volumes", "/api/v2/services/compute/nowhere/volumes",
            "/api/v2/services/compute/production/snapshots/not-an-id", "/api/v2/tasks/%00",
            "/api/v2/services/connections/00000000-0000-4000-8000-000000000001",
            "/api/v2/organizations/00000000-0000-4000-8000-000000000001",
            "/api/v2/services/compute/production/zones/mars",
        ]
    )
    func notFound(_ path: String) async throws {
        let answer = try await TestAPI().get(path)
        #expect(answer.status == 404)
        _ = try answer.error()
    }

    @Test("a path of no face is answered in plain text")
    func plain() async throws {
        let answer = try await TestAPI().get("/elsewhere")
        #expect(answer.status == 404)
        #expect(answer.headers[.contentType]?.hasPrefix("text/plain") == true)
    }

    @Test(
        "doubled slashes, a bare question mark and unknown parameters do not disturb",
        arguments: [
            "/api/v2/environments?", "//api//v2///environments", "/api/v2/environments/",
            "/api/v2/environments?org_id=7&x",
            "/v1/environments?&&=", "/api/v1/environments?page=%ZZ",
        ]
    )
    func tolerance(_ path: String) async throws {
        let answer = try await TestAPI().get(path)
        #expect(answer.status == 200, "\(answer.text)")
        #expect(try answer.list().map { $0["name"] as? String } == ["lab", "production"])
    }

    @Test("an environment can be named by its id, too")
    func environmentByID() async throws {
        let answer = try await TestAPI().get("/api/v2/services/compute/\(Sample.production.id)/zones")
        #expect(try answer.list().count == 1)
    }

    @Test("an unknown operation is answered 400, and the answer lists those that exist")
    func operations() async throws {
        let path = TestAPI.path("instances/00000000-0000-4000-8000-000000000001")
        for operation in ["?operation=levitate", ""] {
            let answer = try await TestAPI().send(.post, path + operation)
            #expect(answer.status == 400)
            let message = try #require(try answer.error()["message"] as? String)
            #expect(message.contains("createsnapshots, purge, reboot, recover, revert, start, stop"))
        }
    }

    @Test("an operation's name is read in any letter case")
    func operationCase() throws {
        let slots = CloudMCRoutes.table.slots
        let slot = try #require(slots.first { $0.method == .post && $0.pattern.hasSuffix("/volumes/:id") })
        #expect(slot.operations.keys.allSatisfy { $0 == $0.lowercased() })
        _ = try slot.handler(for: "ATTACHTOINSTANCE")
    }

    @Test("kinds of resource that there are none of have empty lists", arguments: OfferingEndpoints.absent)
    func absent(_ kind: String) async throws {
        let answer = try await TestAPI().get(TestAPI.path(kind))
        #expect(answer.text == #"{"data":[],"metadata":{"recordCount":0}}"#)
    }

    @Test("offerings have integers where clients expect them, and the custom ones choices")
    func offerings() async throws {
        let compute = try await TestAPI().get(TestAPI.path("computeofferings")).list()
        #expect(compute.count == ComputeOffering.builtIn.count)
        let custom = try #require(compute.first { $0["custom"] as? Bool == true })
        #expect(custom["cpuCount"] == nil)
        #expect((custom["availableCpuCountValues"] as? [Int])?.first == 1)
        let disks = try await TestAPI().get(TestAPI.path("diskofferings")).list()
        #expect(disks.compactMap { $0["gbSize"] as? Int } == [1, 10, 100])
        #expect(try await TestAPI().get(TestAPI.path("computeofferings/tiny")).data()["memoryInMB"] as? Int == 256)
    }

    @Test("the service connection leads to itself")
    func connection() async throws {
        let list = try await TestAPI().get("/api/v2/services/connections").list()
        let id = try #require(list.first?["id"] as? String)
        let one = try await TestAPI().get("/api/v2/services/connections/\(id)").data()
        #expect(one["serviceCode"] as? String == "compute")
        #expect((one["status"] as? [String: Any])?["reachable"] as? Bool == true)
    }

    @Test("apiInfo shows what the composition root gives for the caller and the environment")
    func apiInfo() async throws {
        let configuration = CloudMCConfiguration(apiFields: { principal, environment in
            [.init(key: "api_key", value: "\(principal.user.name)@\(environment)", isSensitive: true)]
        })
        let path = "/api/v2/services/connections/\(configuration.connection)/apiInfo"
        let api = TestAPI(configuration: configuration)
        let fields = try await api.get(path + "?environmentId=production").data()["fields"] as? [[String: Any]]
        #expect(fields?.first?["value"] as? String == "ada@\(Sample.production.id)")
        #expect(try await api.get(path).status == 400)
    }
}
