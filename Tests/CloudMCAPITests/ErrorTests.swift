import Foundation
import HTTPTypes
import SnapshotDomain
import TestKit
import Testing

@testable import CloudMCAPI
@testable import HTTPCommon

@Suite("Errors on the wire")
struct ErrorTests {
    static let refusals: [RequestRefusal] = [
        .noSuchEndpoint, .methodNotAllowed(allowed: [.get, .post]), .bodyTooLarge(limit: 5),
        .tooManyRequests(retryAfter: .milliseconds(1_500)),
    ]

    @Test("every code has a status that CloudMC documents, or 503", arguments: ServiceError.Code.allCases)
    func statuses(_ code: ServiceError.Code) {
        #expect([400, 403, 404, 500, 503].contains(code.httpStatus.code))
    }

    @Test("every error has a number of its own, and the published ones stay")
    func numbers() {
        let codes = ServiceError.Code.allCases.map { ErrorNumber.number(of: $0) }
        let all = codes + Self.refusals.map { ErrorNumber.number(of: $0) }
        #expect(Set(all).count == all.count)
        let published = Dictionary(uniqueKeysWithValues: zip(ServiceError.Code.allCases.map(\.rawValue), codes))
        #expect(
            published == [
                "invalid_input": 2_001, "not_authenticated": 1_001, "not_allowed": 1_002, "not_found": 2_002,
                "name_taken": 2_003, "wrong_state": 2_012, "in_use": 2_013, "no_space": 2_014, "limit_exceeded": 2_015,
                "bad_image": 2_016, "guest_failed": 2_017, "damaged": 3_002, "unavailable": 3_001, "cancelled": 2_018,
                "internal_error": 3_000,
            ]
        )
        #expect(Self.refusals.map { ErrorNumber.number(of: $0) } == [1_003, 1_004, 1_005, 1_006])
    }

    @Test("a wrong state tells which it is and which are needed")
    func wrongState() throws {
        let error = ServiceError(
            .wrongState,
            "The volume is busy.",
            subject: .volume(Sample.id(20)),
            currentState: "Attaching",
            expectedStates: ["Ready"]
        )
        let answer = try JSONSerialization.jsonObject(
            with: JSONEncoder().encode(ErrorsPayload(errors: [ErrorPayload(error)]))
        )
        let errors = try #require((answer as? [String: Any])?["errors"] as? [[String: Any]])
        let context = try #require(errors.first?["context"] as? [String: Any])
        #expect(errors.first?["code"] as? Int == 2_012)
        #expect(errors.first?["errorCode"] as? String == "2012")
        #expect(context["type"] as? String == "volumes")
        #expect(context["id"] as? String == "00000000-0000-4000-8000-000000000014")
        #expect(context["currentState"] as? String == "Attaching")
        #expect(context["expectedStates"] as? [String] == ["Ready"])
    }

    @Test("a refusal says in the head what helps")
    func headers() {
        #expect(RequestRefusal.methodNotAllowed(allowed: [.get, .put]).headers[.allow] == "GET, PUT")
        #expect(RequestRefusal.tooManyRequests(retryAfter: .milliseconds(1_500)).headers[.retryAfter] == "2")
    }
}
