import Foundation
import Logging
import SnapshotDomain
import SnapshotPorts
import SnapshotServices
import TestKit
import Testing

@testable import CloudMCAPI
@testable import HTTPCommon

@Suite("On a connection", .timeLimit(.minutes(1)))
struct ConnectionTests {
    struct Door: StubCloud {
        let upload: String
        let templates = Locked(0)
        let deleted = Locked<[Bool]>([])

        init() {
            upload = NSTemporaryDirectory() + "connection-\(UUID())"
        }

        func task(_ id: JobID, _ call: CallContext) async throws(ServiceError) -> TaskView {
            Sample.task(.deleteInstance, .running, subjects: [])
        }

        func deleteInstance(
            _ id: InstanceID,
            _ request: DeleteInstanceRequest,
            in environment: EnvironmentID,
            _ call: CallContext
        ) async throws(ServiceError) -> JobID {
            deleted.change { $0.append(request.deletesSnapshots) }
            return Sample.id(70)
        }

        func uploadPath() async throws(ServiceError) -> String { upload }

        func createTemplate(_ request: CreateTemplateRequest, in environment: EnvironmentID, _ call: CallContext)
            async throws(ServiceError) -> Submitted<TemplateView>
        {
            templates.change { $0 += 1 }
            return Submitted(job: Sample.id(70), resource: Sample.template())
        }

        func removeUpload() {
            try? FileManager.default.removeItem(atPath: upload)
        }
    }

    private func head(_ method: String, _ path: String, key: String = Sample.key, _ fields: String...) -> String {
        (["\(method) \(path) HTTP/1.1", "Host: test", "MC-Api-Key: \(key)"] + fields).joined(separator: "\r\n")
            + "\r\n\r\n"
    }

    @Test("a DELETE may have a body")
    func deleteWithBody() async throws {
        let door = Door()
        try await TestServer.run(door) { server in
            let body = #"{"deleteSnapshots": true}"#
            let path = TestAPI.path("instances/\(Sample.id(10) as InstanceID)")
            let answer = try await server.exchange(
                head("DELETE", path, "Connection: close", "Content-Length: \(body.utf8.count)") + body
            )
            #expect(answer.hasPrefix("HTTP/1.1 200"), "\(answer)")
            #expect(answer.contains(#""taskStatus":"PENDING""#))
        }
        #expect(door.deleted.value == [true])
    }

    @Test("a refused upload does not disturb the next request on the connection")
    func refusedUpload() async throws {
        let door = Door()
        try await TestServer.run(door) { server in
            let bytes = String(repeating: "x", count: 100_000)
            let path = TestAPI.path("templates?operation=upload&name=a")
            let answer = try await server.exchange(
                head("POST", path, key: "wrong", "Content-Length: \(bytes.utf8.count)") + bytes
                    + head("GET", "/healthz", "Connection: close")
            )
            #expect(answer.hasPrefix("HTTP/1.1 403"), "\(answer)")
            #expect(answer.contains("HTTP/1.1 200 OK"))
            #expect(answer.hasSuffix("ok\n"))
        }
        #expect(!FileManager.default.fileExists(atPath: door.upload))
    }

    @Test("an upload may come in pieces of unknown number")
    func chunkedUpload() async throws {
        let door = Door()
        defer { door.removeUpload() }
        try await TestServer.run(door) { server in
            let path = TestAPI.path("templates?operation=upload&name=a")
            let answer = try await server.exchange(
                head("POST", path, "Connection: close", "Transfer-Encoding: chunked")
                    + "5\r\nfirst\r\n7\r\n second\r\n0\r\n\r\n"
            )
            #expect(answer.hasPrefix("HTTP/1.1 200"), "\(answer)")
        }
        #expect(FileManager.default.contents(atPath: door.upload) == Data("first second".utf8))
        #expect(door.templates.value == 1)
    }

    @Test(
        "an upload that is cut off makes no template and leaves no file",
        arguments: ["Content-Length: 1000", "Transfer-Encoding: chunked"]
    )
    func cutUpload(_ framing: String) async throws {
        let door = Door()
        defer { door.removeUpload() }
        try await TestServer.run(door) { server in
            let path = TestAPI.path("templates?operation=upload&name=a")
            _ = try await server.exchange(head("POST", path, framing) + "5\r\nfirst\r\n", cutsOff: true)
            for await line in server.log.stream where line.metadata["http.route"] != nil || line.level >= .error {
                break
            }
        }
        #expect(door.templates.value == 0)
        #expect(!FileManager.default.fileExists(atPath: door.upload))
    }
}
