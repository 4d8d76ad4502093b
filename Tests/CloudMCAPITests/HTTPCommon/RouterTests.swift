import Foundation
import HTTPTypes
import Hummingbird
import Logging
import SnapshotDomain
import SnapshotPorts
import SnapshotServices
import TestKit
import Testing

@testable import CloudMCAPI
@testable import HTTPCommon

@Suite("Around every route")
struct RouterTests {
    struct SurprisedCloud: StubCloud {
        struct Surprise: Error {
            let secret = "s3cret"
        }

        func listEnvironments(_ call: CallContext) async throws(ServiceError) -> [SnapshotDomain.Environment] {
            throw ServiceError(.unavailable, "The catalog cannot be read.")
        }
    }

    @Test("a request keeps the identity that its caller gave it, if it is harmless")
    func requestIdentity() async throws {
        let kept = try await TestAPI().send(.get, "/healthz", headers: [.requestID: "run-17.4_b"])
        #expect(kept.headers[.requestID] == "run-17.4_b")
        for bad in ["", "a b", "x\"y", String(repeating: "a", count: 65), "ñ"] {
            let answer = try await TestAPI().send(.get, "/healthz", headers: [.requestID: bad])
            let id = try #require(answer.headers[.requestID])
            #expect(id != bad)
            #expect(RequestIdentityMiddleware.isHarmless(id))
        }
    }

    @Test("only behind a proxy is the forwarded address believed, and only its last hop")
    func forwardedAddress() {
        #expect(RequestIdentityMiddleware.forwardedAddress([.forwardedFor: "6.6.6.6, 10.0.0.7"]) == "10.0.0.7")
        #expect(RequestIdentityMiddleware.forwardedAddress([.forwardedFor: "2001:db8::1"]) == "2001:db8::1")
        #expect(RequestIdentityMiddleware.forwardedAddress([.forwardedFor: ", "]) == nil)
        #expect(RequestIdentityMiddleware.forwardedAddress([:]) == nil)
    }

    @Test(
        "every answer, also a failure, tells browsers to do nothing clever",
        arguments: ["/healthz", "/api/v2/nothing", "/x"]
    )
    func safeHeaders(_ path: String) async throws {
        let answer = try await TestAPI().get(path)
        #expect(answer.headers[.xContentTypeOptions] == "nosniff")
        #expect(answer.headers[.contentSecurityPolicy]?.contains("default-src 'none'") == true)
        #expect(answer.headers[.cacheControl] == "no-store")
    }

    @Test("what may work later is answered 503, with the request's identity")
    func unavailable() async throws {
        let answer = try await TestAPI(SurprisedCloud()).send(
            .get,
            "/api/v2/environments",
            headers: [.requestID: "abc"]
        )
        #expect(answer.status == 503)
        let context = try #require(try answer.error()["context"] as? [String: Any])
        #expect(context["requestId"] as? String == "abc")
    }

    @Test("an error that nobody expected is told to the log, and its identity to the caller")
    func unexpected() async throws {
        let router = makeApplicationRouter(faces: [CloudMCRoutes.errorFace])
        router.get("/api/v2/surprise") { _, _ -> Response in throw SurprisedCloud.Surprise() }
        let log = LogCollector()
        let responder = router.buildResponder()
        let request = Request(
            head: HTTPRequest(
                method: .get,
                scheme: nil,
                authority: nil,
                path: "/api/v2/surprise",
                headerFields: [.requestID: "abc"]
            ),
            body: RequestBody(buffer: ByteBuffer())
        )
        let response = try await responder.respond(to: request, context: IncomingContext(logger: log.logger))
        #expect(response.status == .internalServerError)
        let line = try #require(log.lines.first { $0.level == .error })
        #expect(line.metadata["request.id"] == "abc")
        #expect("\(line.metadata["error"] ?? "")".contains("s3cret"))
    }

    @Test("the rate limit's answer says how long to wait")
    func rateLimit() async throws {
        let limited = HTTPConfiguration(admission: { method, _ in method == .post ? .seconds(3) : nil })
        let answer = try await TestAPI(http: limited).send(.post, "/api/v2/environments")
        #expect(answer.status == 429)
        #expect(answer.headers[.retryAfter] == "3")
        #expect(try answer.error()["code"] as? Int == 1_006)
        #expect(try await TestAPI(http: limited).get("/healthz").status == 200)
    }

    @Test("health, readiness and metrics need no key")
    func operators() async throws {
        let troubled = HTTPConfiguration(
            troubles: { ["pool local cannot be reached"] },
            gauges: { [Gauge("instanta_pool_free_bytes", help: "Free.", labels: [("pool", "a\"b")], value: 7)] }
        )
        let api = TestAPI(http: troubled)
        #expect(try await api.send(.get, "/healthz", key: nil).text == "ok\n")
        #expect(try await TestAPI().send(.get, "/readyz", key: nil).status == 200)
        let unready = try await api.send(.get, "/readyz", key: nil)
        #expect(unready.status == 503)
        #expect(unready.text == "pool local cannot be reached\n")
        _ = try await api.send(.get, "/api/v2/environments/\(UUID())", key: nil)
        let metrics = try await api.send(.get, "/metrics", key: nil).text
        #expect(metrics.contains(#"instanta_http_requests_total{method="GET",route="/healthz",status="200"} 1"#))
        #expect(metrics.contains(#"route="/api/v2/environments/{id}",status="403"} 1"#), "\(metrics)")
        #expect(metrics.contains(#"instanta_pool_free_bytes{pool="a\"b"} 7.0"#))
    }

    @Test("a face is chosen by whole components of the path")
    func faces() {
        let face = CloudMCRoutes.errorFace
        #expect(face.match("/api/v2/environments") == 2)
        #expect(face.match("//api//v2") == 2)
        #expect(face.match("/v1") == 1)
        #expect(face.match("/api/v22") == nil)
        #expect(face.match("/") == nil)
    }
}
