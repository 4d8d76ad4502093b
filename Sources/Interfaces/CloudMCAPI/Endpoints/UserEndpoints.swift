import HTTPCommon
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// **ext** `/users`: who can sign in, for operators; and `/users/me` for everybody.
enum UserEndpoints {
    static let all: [Endpoint] = [
        .get("/users", list),
        .post("/users", create),
        .get("/users/me", show),
        .get("/users/:id", show),
        .delete("/users/:id", delete),
        .post("/users/:id", operation: "disable") { call in try await setDisabled(true, call) },
        .post("/users/:id", operation: "enable") { call in try await setDisabled(false, call) },
        .post("/users/:id", operation: "promote") { call in try await setOperator(true, call) },
        .post("/users/:id", operation: "demote") { call in try await setOperator(false, call) },
        .post("/users/:id", operation: "setPassword", setPassword),
    ]

    struct UserBody: Decodable {
        @Lenient var userName: String?
        @Lenient var isOperator: Bool?
        /// Not lenient: a password of digits is a string, too, and its zeros count.
        var password: String?
    }

    @Sendable
    private static func list(_ call: Call) async throws -> Response {
        let query = try ListQuery(call.query)
        let users = try await call.accounts.listUsers(call.caller).filter { view in
            query.search.map { view.user.name.matches($0) } ?? true
        }
        let list = ListAnswer(order: .byName) { order, page async throws(ServiceError) in
            page.cut(order.isDescending ? users.reversed() : users)
        }
        return try await list.response(query) { UserPayload($0) }
    }

    @Sendable
    private static func show(_ call: Call) async throws -> Response {
        try .json(DataPayload(UserPayload(try await call.accounts.user(try call.user(), call.caller))))
    }

    @Sendable
    private static func create(_ call: Call) async throws -> Response {
        let body: UserBody = try await call.body()
        let made = try await call.accounts.createUser(
            try UserName(try Input.required(body.userName, "userName")),
            password: try password(body),
            isOperator: body.isOperator ?? false,
            call.caller
        )
        let view = try await call.accounts.user(made.user.id, call.caller)
        return try call.answer(done: UserPayload(view, password: made.password))
    }

    @Sendable
    private static func setPassword(_ call: Call) async throws -> Response {
        let body: UserBody = try await call.body()
        let id = try call.user()
        let text = try await call.accounts.setPassword(of: id, to: try password(body), call.caller)
        return try call.answer(done: UserPayload(try await call.accounts.user(id, call.caller), password: text))
    }

    private static func setDisabled(_ isDisabled: Bool, _ call: Call) async throws -> Response {
        let id = try call.user()
        _ = try await call.accounts.setDisabled(isDisabled, id, call.caller)
        return try call.answer(done: UserPayload(try await call.accounts.user(id, call.caller)))
    }

    private static func setOperator(_ isOperator: Bool, _ call: Call) async throws -> Response {
        let id = try call.user()
        _ = try await call.accounts.setOperator(isOperator, id, call.caller)
        return try call.answer(done: UserPayload(try await call.accounts.user(id, call.caller)))
    }

    @Sendable
    private static func delete(_ call: Call) async throws -> Response {
        try await call.accounts.deleteUser(try call.user(), call.caller)
        return try call.answer(done: EmptyPayload())
    }

    private static func password(_ body: UserBody) throws(ServiceError) -> NewPassword? {
        guard let text = body.password else { return nil }
        return try NewPassword(text)
    }
}

extension Call {
    /// Whom the path names; below `/users/me`, which names nobody else, the caller.
    func user() throws(ServiceError) -> UserID {
        part("id").isEmpty ? caller.principal.user.id : try id("users")
    }
}
