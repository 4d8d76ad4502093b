import Testing

@testable import CommandLine

@Suite("commands about people")
struct PeopleCommandTests {
    private static let eva: JSONValue = [
        "id": "0d9c5a6e-0000-4000-8000-000000000001", "name": "eva", "userName": "eva", "isOperator": false,
        "isDisabled": false, "creationDate": "2026-11-22T14:30:01.000Z",
        "environments": [["id": "e", "name": "demo", "role": "editor"]],
    ]
    private static let id = "0d9c5a6e-0000-4000-8000-000000000001"

    private func done(_ data: JSONValue = [:]) -> TestService.Response {
        .json(["taskId": "7", "taskStatus": "SUCCESS", "data": data])
    }

    @Test("users are listed in the reader's words")
    func list() async throws {
        try await TestService.with(routes: ["GET /api/v2/users": .list([Self.eva])]) { service in
            let table = try await service.run("user", "list", variables: ["LANG": "es_ES.UTF-8"])
            #expect(table.output.hasPrefix("Nombre  Operador  Desactivado  Entornos       Creación"))
            #expect(table.output.contains("eva     no        no           demo (editor)  2026-11-22 14:30:01"))
        }
    }

    @Test("a password is shown once, and never lost to --quiet")
    func create() async throws {
        guard case .object(var made) = Self.eva else { return }
        made["password"] = "the-password"
        try await TestService.with(routes: ["POST /api/v2/users": done(.object(made))]) { service in
            let run = try await service.run("user", "create", "eva", "--operator")
            #expect(run.output.contains("the-password"))
            #expect(service.requests.last?.json == ["userName": "eva", "isOperator": true])
            await #expect(throws: (any Error).self) {
                try await service.run("user", "create", "eva", "--quiet")
            }
            #expect(service.requests.count == 1)
        }
    }

    @Test("what shuts somebody out asks first, and finds them by name")
    func disable() async throws {
        let routes = [
            "GET /api/v2/users": TestService.Response.list([Self.eva]),
            "POST /api/v2/users/\(Self.id)": done(Self.eva), "DELETE /api/v2/users/\(Self.id)": done(),
        ]
        try await TestService.with(routes: routes) { service in
            for verb in ["disable", "promote", "demote", "delete", "set-password"] {
                let refused = try await service.run("user", verb, "eva")
                #expect(refused.status == .usage)
                #expect(service.requests.allSatisfy { $0.method == "GET" })
            }
            for (verb, operation) in [("disable", "disable"), ("demote", "demote"), ("set-password", "setPassword")] {
                #expect(try await service.run("user", verb, "eva", "--yes").status == .done)
                #expect(service.requests.last?.query["operation"] == operation)
            }
            #expect(try await service.run("user", "enable", "eva").status == .done)
            #expect(service.requests.last?.query["operation"] == "enable")
            #expect(try await service.run("user", "rm", "eva", "--yes").status == .done)
            #expect(service.requests.last?.method == "DELETE")
            #expect(try await service.run("user", "enable", "evan").status == .notFound)
        }
    }

    @Test("a member is set by name, and removed by name")
    func members() async throws {
        let member: JSONValue = [
            "id": .text(Self.id), "user": ["id": .text(Self.id), "userName": "eva"],
            "role": ["id": "editor", "name": "Editor"],
        ]
        let members = "/api/v2/environments/demo/members"
        let routes = [
            "GET \(members)": TestService.Response.list([member]), "POST \(members)": done(member),
            "DELETE \(members)/\(Self.id)": done(),
        ]
        try await TestService.with(routes: routes) { service in
            let set = try await service.run("member", "set", "eva", "--role", "editor")
            #expect(set.output.contains("Editor"))
            #expect(service.requests.last?.json == ["user": ["userName": "eva"], "role": ["id": "editor"]])
            _ = try await service.run("member", "set", Self.id, "--role", "viewer")
            #expect(service.requests.last?.json == ["user": ["id": .text(Self.id)], "role": ["id": "viewer"]])
            #expect(try await service.run("member", "remove", "eva").status == .usage)
            let removed = try await service.run("member", "remove", "eva", "--yes", "--quiet")
            #expect(removed.output == "\(Self.id)\n")
            #expect(service.requests.last?.method == "DELETE")
            #expect(try await service.run("member", "remove", "ola", "--yes").status == .notFound)
        }
    }

    @Test("a key is one's own unless another user is named, and a query key acts in the environment")
    func keys() async throws {
        let key: JSONValue = ["id": "k", "kind": "query", "environmentName": "demo", "key": "open", "secret": "sesame"]
        let routes = [
            "GET /api/v2/users": TestService.Response.list([Self.eva]),
            "GET /api/v2/users/me/keys": .list([["id": "k", "kind": "rest", "hint": "abcd"]]),
            "GET /api/v2/users/\(Self.id)/keys": .list([]), "POST /api/v2/users/me/keys": done(key),
            "DELETE /api/v2/users/me/keys/k": done(),
        ]
        try await TestService.with(routes: routes) { service in
            #expect(try await service.run("key", "list").output.contains("…abcd"))
            #expect(try await service.run("key", "list", "--user", "eva", "-q").output.isEmpty)
            let made = try await service.run("key", "create", "--kind", "query", "--label", "nightly")
            #expect(made.output.contains("open") && made.output.contains("sesame"))
            #expect(
                service.requests.last?.json == ["kind": "query", "label": "nightly", "environment": ["id": "demo"]]
            )
            #expect(try await service.run("key", "delete", "k").status == .usage)
            #expect(try await service.run("key", "delete", "k", "--yes").status == .done)
        }
    }
}
