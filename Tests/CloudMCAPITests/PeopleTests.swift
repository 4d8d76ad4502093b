import CatalogSQLite
import Foundation
import HTTPTypes
import SnapshotDomain
import SnapshotPorts
import SnapshotServices
import TestKit
import Testing

@testable import CloudMCAPI

@Suite("CloudMC API: users, members and keys")
struct PeopleTests {
    private static let eva: UserID = Sample.id(8)

    /// The API over a catalog with an operator, `ada`, and `eva`, an editor.
    private func withPeople(_ body: (TestAPI) async throws -> Void) async throws {
        let folder = URL(filePath: NSTemporaryDirectory()).appending(path: "people-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let catalog = try await SQLiteCatalog.open(at: folder.appending(path: "catalog.sqlite").path)
        let eva = User(id: Self.eva, name: "eva", isOperator: false, createdAt: Sample.instant)
        try await catalog.write { writer in
            for environment in Sample.environments { try writer.insert(environment) }
            try writer.insert(Sample.principal.user, passwordVerifier: "the first password")
            try writer.insert(eva, passwordVerifier: "the first password")
            try writer.setRole(.editor, of: eva.id, in: Sample.production.id)
        }
        do {
            try await body(TestAPI(PeopleCloud(catalog: catalog), accounts: .over(catalog)))
        } catch {
            try? await catalog.close()
            throw error
        }
        try await catalog.close()
    }

    private func expect(_ code: Int, _ answer: Answer) throws {
        let error = try answer.error()
        #expect(error["code"] as? Int == code, "\(answer.text)")
    }

    @Test("a user is made with a password that is shown once, shut out, let in, and deleted")
    func users() async throws {
        try await withPeople { api in
            let answer = try await api.send(.post, "/api/v2/users", body: #"{"userName": "ola"}"#)
            #expect(try answer.json()["taskStatus"] as? String == "SUCCESS")
            let made = try answer.data()
            let id = try #require(made["id"] as? String)
            let password = try #require(made["password"] as? String)
            #expect(made["userName"] as? String == "ola")
            #expect(password.count >= 12)
            let list = try await api.get("/api/v2/users")
            #expect(!list.text.contains(password))
            #expect(try list.list().compactMap { $0["userName"] as? String } == ["ada", "eva", "ola"])

            let user = "/api/v2/users/\(id)"
            #expect(try await api.send(.post, user + "?operation=disable").data()["isDisabled"] as? Bool == true)
            #expect(try await api.send(.post, user + "?operation=enable").data()["isDisabled"] as? Bool == false)
            #expect(try await api.send(.post, user + "?operation=promote").data()["isOperator"] as? Bool == true)
            #expect(try await api.send(.post, user + "?operation=demote").data()["isOperator"] as? Bool == false)
            let chosen = try await api.send(
                .post,
                user + "?operation=setPassword",
                body: #"{"password": "a password of ours"}"#
            )
            #expect(try chosen.data()["password"] as? String == "a password of ours")
            #expect(try await api.send(.delete, user).json()["taskStatus"] as? String == "SUCCESS")
            #expect(try await api.get(user).status == 404)
        }
    }

    @Test("what cannot be is refused, and says why")
    func refusals() async throws {
        try await withPeople { api in
            let users = "/api/v2/users"
            for (body, code) in [
                (#"{"userName": "eva"}"#, 2_003), (#"{"userName": "A b"}"#, 2_001), ("{}", 2_001),
                (#"{"userName": "ola", "password": "short"}"#, 2_001),
            ] {
                try await expect(code, api.send(.post, users, body: body))
            }
            let own = "\(users)/\(Sample.principal.user.id)"
            try await expect(2_013, api.send(.post, own + "?operation=disable"))
            try await expect(2_013, api.send(.delete, own))
            try await expect(2_002, api.get("\(users)/nobody"))
            let members = "/api/v2/environments/production/members"
            for body in [
                #"{"user": {"userName": "eva"}}"#, #"{"user": {"userName": "eva"}, "role": {"id": "king"}}"#,
                #"{"role": {"id": "viewer"}}"#, #"{"user": {"id": "eva"}, "role": {"id": "viewer"}}"#,
            ] {
                try await expect(2_001, api.send(.post, members, body: body))
            }
        }
    }

    @Test("members get roles by name and by id, and lose them")
    func members() async throws {
        try await withPeople { api in
            let members = "/api/v2/environments/lab/members"
            func roles() async throws -> [String: String] {
                let rows = try await api.get(members).list()
                return try Dictionary(
                    uniqueKeysWithValues: rows.map { row in
                        let user = try #require(row["user"] as? [String: Any])
                        let role = try #require(row["role"] as? [String: Any])
                        return (try #require(user["userName"] as? String), try #require(role["id"] as? String))
                    }
                )
            }
            let byName = #"{"user": {"userName": "eva"}, "role": {"id": "viewer"}}"#
            #expect(try await api.send(.post, members, body: byName).status == 200)
            #expect(try await roles() == ["eva": "viewer"])
            let byID = #"{"user": {"id": "\#(Self.eva)"}, "role": {"id": "owner"}}"#
            #expect(try await api.send(.post, members, body: byID).status == 200)
            #expect(try await roles() == ["eva": "owner"])
            let changed = try await api.send(.put, "\(members)/\(Self.eva)", body: #"{"role": {"id": "editor"}}"#)
            #expect(changed.status == 200)
            #expect(try await roles() == ["eva": "editor"])
            #expect(try await api.send(.delete, "\(members)/\(Self.eva)").status == 200)
            #expect(try await roles().isEmpty)
        }
    }

    @Test("a key is in the answer that made it, and in no other")
    func keys() async throws {
        try await withPeople { api in
            for (owner, body, hasSecret) in [
                ("me", #"{"label": "nightly"}"#, false),
                (Self.eva.description, #"{"kind": "query", "environment": {"id": "production"}}"#, true),
            ] {
                let keys = "/api/v2/users/\(owner)/keys"
                let made = try await api.send(.post, keys, body: body).data()
                let (id, key) = (try #require(made["id"] as? String), try #require(made["key"] as? String))
                #expect((made["secret"] is String) == hasSecret)
                let list = try await api.get(keys)
                #expect(try list.list().compactMap { $0["id"] as? String } == [id])
                #expect(!list.text.contains(key))
                #expect(try await api.send(.delete, "\(keys)/\(id)").status == 200)
                #expect(try await api.get(keys).list().isEmpty)
                #expect(try await api.send(.delete, "\(keys)/\(id)").status == 404)
            }
            let elsewhere = try await api.send(
                .post,
                "/api/v2/users/\(Self.eva)/keys",
                body: #"{"kind": "query", "environment": {"id": "lab"}}"#
            )
            try expect(2_002, elsewhere)
        }
    }
}

/// Environments with the members of a catalog.
private struct PeopleCloud: StubCloud {
    let catalog: SQLiteCatalog

    func members(of environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> [(user: User, role: Role)]
    {
        do {
            return try await catalog.read { try $0.members(of: environment) }
        } catch {
            throw ServiceError(reporting: error)
        }
    }
}
