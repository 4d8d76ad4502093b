import HTTPCommon
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// **ext** `/users/me/keys` and `/users/:id/keys`: one's own keys, and for operators everybody's.
enum KeyEndpoints {
    static let all = ["/users/me", "/users/:id"].flatMap { user -> [Endpoint] in
        [
            .get(user + "/keys", list), .post(user + "/keys", create), .delete(user + "/keys/:key", delete),
        ]
    }

    enum Kind: String, CaseIterable {
        case rest, query
    }

    struct KeyBody: Decodable {
        struct Place: Decodable {
            @Lenient var id: String?
        }

        @Lenient var kind: String?
        @Lenient var label: String?
        var environment: Place?
    }

    @Sendable
    private static func list(_ call: Call) async throws -> Response {
        let keys = try await call.accounts.listKeys(of: try call.user(), call.caller)
        let list = ListAnswer(order: .byName) { _, page async throws(ServiceError) in page.cut(keys) }
        return try await list.response(try ListQuery(call.query)) { KeyPayload($0) }
    }

    @Sendable
    private static func create(_ call: Call) async throws -> Response {
        let body: KeyBody = try await call.body()
        let kind: Kind = try Input.word(body.kind, "kind") ?? .rest
        let purpose: Accounts.KeyPurpose =
            switch kind {
            case .rest: .rest
            case .query:
                .query(
                    try await call.cloud.environment(
                        try Input.required(body.environment?.id, "environment.id"),
                        call.caller
                    ).id
                )
            }
        let made = try await call.accounts.createKey(
            for: purpose,
            of: try call.user(),
            label: try Input.name(body.label, "label"),
            call.caller
        )
        return try call.answer(done: KeyPayload(made.view, key: made.key, secret: made.secret))
    }

    @Sendable
    private static func delete(_ call: Call) async throws -> Response {
        try await call.accounts.deleteKey(try call.id("keys", part: "key"), of: try call.user(), call.caller)
        return try call.answer(done: EmptyPayload())
    }
}
