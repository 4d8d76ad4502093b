import Foundation
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import SnapshotServices

extension CloudTests {
    /// How people get in, what they become, and the keys of their programs.
    @Suite("accounts")
    struct People {
        private static let password = "correct horse battery"

        @Test("a name and its password open a session that ends by itself, by signing out and by another password")
        func sessions() async throws {
            try await withPeople { people in
                let ana = try await people.make("ana")
                let accounts = people.accounts
                let first = try await accounts.signIn(name: "ana", password: Self.password, address: "192.0.2.7")
                let principal = try await accounts.principal(token: first.token, address: "192.0.2.7")
                #expect(principal?.user == ana)
                #expect(try await accounts.principal(token: "x" + first.token, address: nil) == nil)
                try await accounts.signOut(token: first.token)
                #expect(try await accounts.principal(token: first.token, address: nil) == nil)

                let second = try await accounts.signIn(name: "ana", password: Self.password, address: nil)
                people.cloud.time.advance(by: Accounts.lifetime)
                #expect(try await accounts.principal(token: second.token, address: nil) == nil)

                let third = try await accounts.signIn(name: "ana", password: Self.password, address: nil)
                let made = try await accounts.setPassword(of: ana.id, people.boss)
                #expect(try await accounts.principal(token: third.token, address: nil) == nil)
                _ = try await accounts.signIn(name: "ana", password: made, address: nil)
                await #expect(throws: Accounts.Refusal.unknown) {
                    try await accounts.signIn(name: "ana", password: Self.password, address: nil)
                }
            }
        }

        @Test("a wrong name and a wrong password are refused alike, and more slowly each time")
        func refusals() async throws {
            try await withPeople { people in
                _ = try await people.make("ana")
                for name in ["ana", "eva"] {
                    for _ in 0..<5 {
                        await #expect(throws: Accounts.Refusal.unknown) {
                            try await people.accounts.signIn(name: name, password: "wrong", address: name)
                        }
                    }
                    await #expect(throws: Accounts.Refusal.tooManyAttempts(retryAfter: .seconds(1))) {
                        try await people.accounts.signIn(name: name, password: Self.password, address: name)
                    }
                }
            }
        }

        @Test("one's own password is changed with the present one, and signs out everything but the caller")
        func ownPassword() async throws {
            try await withPeople { people in
                let ana = try await people.make("ana")
                let (accounts, call) = (people.accounts, try await people.call(of: ana))
                let open = try await accounts.signIn(name: "ana", password: Self.password, address: nil)
                let wrong = await #expect(throws: ServiceError.self) {
                    try await accounts.changePassword("wrong", to: try NewPassword("another good one"), call)
                }
                #expect(wrong?.code == .notAllowed)
                #expect(try await accounts.principal(token: open.token, address: nil) != nil)
                let next = try await accounts.changePassword(
                    Self.password,
                    to: try NewPassword("another good one"),
                    call
                )
                #expect(try await accounts.principal(token: open.token, address: nil) == nil)
                #expect(try await accounts.principal(token: next.token, address: nil)?.user == ana)
                _ = try await accounts.signIn(name: "ana", password: "another good one", address: nil)
                for _ in 0..<5 {
                    _ = try? await accounts.changePassword("wrong", to: try NewPassword("another good one"), call)
                }
                let slow = await #expect(throws: ServiceError.self) {
                    try await accounts.changePassword(
                        "another good one",
                        to: try NewPassword("another good one"),
                        call
                    )
                }
                #expect(slow?.code == .limitExceeded)
            }
        }

        @Test("somebody who is shut out comes in by no way, and again by all when let in")
        func disabling() async throws {
            try await withPeople { people in
                let ana = try await people.make("ana", as: .viewer)
                let (accounts, home) = (people.accounts, people.home)
                let open = try await accounts.signIn(name: "ana", password: Self.password, address: nil)
                let rest = try await accounts.createKey(for: .rest, of: ana.id, people.boss).key
                let query = try await accounts.createKey(for: .query(home), of: ana.id, people.boss).key
                func ways() async throws -> [Bool] {
                    let signedIn = try? await accounts.signIn(name: "ana", password: Self.password, address: nil)
                    return [
                        signedIn != nil,
                        try await accounts.principal(token: open.token, address: nil) != nil,
                        try await accounts.principal(restKey: rest, address: nil) != nil,
                        try await people.cloud.cloud.principal(restKey: rest, address: nil) != nil,
                        try await accounts.caller(queryKey: query, address: nil) != nil,
                    ]
                }
                #expect(try await ways() == [true, true, true, true, true])
                #expect(try await accounts.setDisabled(true, ana.id, people.boss).isDisabled)
                #expect(try await ways() == [false, false, false, false, false])
                _ = try await accounts.setDisabled(false, ana.id, people.boss)
                #expect(try await ways() == [true, false, true, true, true], "sessions have ended; the rest was kept")
            }
        }

        @Test("one name belongs to one user, and none to the service itself")
        func names() async throws {
            try await withPeople { people in
                _ = try await people.make("ana")
                for taken in ["ana", "instanta"] {
                    let error = await #expect(throws: ServiceError.self) {
                        try await people.accounts.createUser(try UserName(taken), people.boss)
                    }
                    #expect(error?.code == .nameTaken)
                }
            }
        }

        @Test("the last operator who can get in stays one")
        func lastOperator() async throws {
            try await withPeople { people in
                let accounts = people.accounts
                let first = try await accounts.createUser(try UserName("first"), isOperator: true, people.boss).user
                let second = try await accounts.createUser(try UserName("second"), isOperator: true, people.boss).user
                _ = try await accounts.setDisabled(true, second.id, people.boss)
                let attempts: [@Sendable () async throws -> Void] = [
                    { _ = try await accounts.setDisabled(true, first.id, people.boss) },
                    { _ = try await accounts.setOperator(false, first.id, people.boss) },
                    { try await accounts.deleteUser(first.id, people.boss) },
                ]
                for attempt in attempts {
                    let error = await #expect(throws: ServiceError.self) { try await attempt() }
                    #expect(error?.code == .inUse)
                }
                _ = try await accounts.setDisabled(false, second.id, people.boss)
                _ = try await accounts.setOperator(false, first.id, people.boss)
                try await accounts.deleteUser(first.id, people.boss)
                #expect(try await accounts.listUsers(people.boss).map(\.user.name) == ["second"])
            }
        }

        @Test("members come, change and go; the last owner stays unless an operator says otherwise")
        func members() async throws {
            try await withPeople { people in
                let (accounts, home) = (people.accounts, people.home)
                let ana = try await people.make("ana", as: .owner)
                let eva = try await people.make("eva")
                let call = try await people.call(of: ana)
                _ = try await accounts.addMember("eva", as: .viewer, in: home, call)
                _ = try await accounts.setRole(.editor, of: eva.id, in: home, call)
                #expect(try await accounts.user(eva.id, people.boss).roles.map(\.role) == [.editor])
                for attempt in [Role.viewer, nil] {
                    let error = await #expect(throws: ServiceError.self) {
                        if let attempt {
                            _ = try await accounts.setRole(attempt, of: ana.id, in: home, call)
                        } else {
                            try await accounts.removeMember(ana.id, from: home, call)
                        }
                    }
                    #expect(error?.code == .inUse)
                }
                let unknown = await #expect(throws: ServiceError.self) {
                    try await accounts.addMember("nobody", as: .viewer, in: home, call)
                }
                #expect(unknown?.subject == .field("name"))
                _ = try await accounts.setRole(.owner, of: eva.id, in: home, call)
                try await accounts.removeMember(ana.id, from: home, call)
                try await accounts.removeMember(eva.id, from: home, people.boss)
                let left = try await people.cloud.cloud.members(of: home, people.boss)
                #expect(left.isEmpty)
                let log = try await people.log()
                #expect(
                    log.filter { $0.event.hasPrefix("members") }
                        == [
                            ("members.set", "ana", "owner"), ("members.set", "eva", "viewer"),
                            ("members.set", "eva", "editor"),
                            ("members.set", "eva", "owner"), ("members.remove", "ana", nil),
                            ("members.remove", "eva", nil),
                        ].map { LogLine($0, $1, $2) }
                )
            }
        }

        @Test("a key opens what it was made for, says once what it is, and nothing after it was deleted")
        func keys() async throws {
            try await withPeople { people in
                let (accounts, home) = (people.accounts, people.home)
                let ana = try await people.make("ana", as: .editor)
                try await people.cloud.catalog.write { [abroad = people.cloud.abroad.id] in
                    try $0.setRole(.owner, of: ana.id, in: abroad)
                }
                let call = try await people.call(of: ana)
                let label = try ResourceName("nightly job")
                let rest = try await accounts.createKey(for: .rest, of: ana.id, label: label, call)
                let query = try await accounts.createKey(for: .query(home), of: ana.id, call)
                let secret = try #require(query.secret)
                #expect(rest.secret == nil)

                let caller = try #require(try await accounts.caller(queryKey: query.key, address: "192.0.2.7"))
                #expect(caller.secret == secret)
                #expect(caller.environment == home)
                #expect(caller.principal.roles == [home: .editor], "no more than the key was made for")
                #expect(caller.principal.address == "192.0.2.7")
                let principal = try await accounts.principal(restKey: rest.key, address: nil)
                #expect(principal?.roles.count == 2)
                #expect(try await accounts.caller(queryKey: rest.key, address: nil) == nil)
                #expect(try await accounts.principal(restKey: query.key, address: nil) == nil)

                let listed = try await accounts.listKeys(of: ana.id, call)
                #expect(
                    listed.map(\.id) == [rest.view.id, query.view.id]
                        || listed.map(\.id) == [query.view.id, rest.view.id]
                )
                let shown = String(describing: listed)
                for part in [rest.key, query.key, secret] { #expect(!shown.contains(part)) }
                #expect(listed.first { $0.kind == .rest }?.label == "nightly job")
                #expect(listed.first { $0.kind == .rest }?.hint == String(rest.key.suffix(4)))
                #expect(listed.first { $0.kind == .query }?.environment?.id == home)

                try await accounts.deleteKey(rest.view.id, of: ana.id, call)
                #expect(try await accounts.principal(restKey: rest.key, address: nil) == nil)
                let gone = await #expect(throws: ServiceError.self) {
                    try await accounts.deleteKey(rest.view.id, of: ana.id, call)
                }
                #expect(gone?.code == .notFound)
            }
        }

        @Test("a use is noted at first and then once an hour; that of a pair when the face says so")
        func uses() async throws {
            try await withPeople { people in
                let accounts = people.accounts
                let ana = try await people.make("ana", as: .viewer)
                let rest = try await accounts.createKey(for: .rest, of: ana.id, people.boss)
                let query = try await accounts.createKey(for: .query(people.home), of: ana.id, people.boss)
                func uses() async throws -> [StoredKey.Kind: Date] {
                    let keys = try await accounts.listKeys(of: ana.id, people.boss)
                    return Dictionary(
                        uniqueKeysWithValues: keys.compactMap { key in key.lastUsedAt.map { (key.kind, $0) } }
                    )
                }
                let start = people.cloud.time.now
                _ = try await accounts.principal(restKey: rest.key, address: nil)
                let caller = try #require(try await accounts.caller(queryKey: query.key, address: nil))
                #expect(try await uses() == [.rest: start])
                people.cloud.time.advance(by: .seconds(3_599))
                _ = try await accounts.principal(restKey: rest.key, address: nil)
                await accounts.noteUse(of: caller)
                #expect(try await uses() == [.rest: start, .query: people.cloud.time.now])
                people.cloud.time.advance(by: .seconds(1))
                _ = try await accounts.principal(restKey: rest.key, address: nil)
                #expect(try await uses()[.rest] == people.cloud.time.now)
            }
        }

        @Test("a pair needs business in its environment, and goes with it")
        func keysOfMembers() async throws {
            try await withPeople { people in
                let (accounts, home) = (people.accounts, people.home)
                let ana = try await people.make("ana")
                let call = try await people.call(of: ana)
                let refused = await #expect(throws: ServiceError.self) {
                    try await accounts.createKey(for: .query(home), of: ana.id, call)
                }
                #expect(refused?.code == .notFound)
                _ = try await accounts.addMember("ana", as: .editor, in: home, people.boss)
                let pair = try await accounts.createKey(for: .query(home), of: ana.id, call)
                let rest = try await accounts.createKey(for: .rest, of: ana.id, call)
                try await accounts.removeMember(ana.id, from: home, people.boss)
                #expect(try await accounts.caller(queryKey: pair.key, address: nil) == nil)
                #expect(try await accounts.listKeys(of: ana.id, call).map(\.id) == [rest.view.id])
            }
        }

        @Test("there is a bound to the number of somebody's keys")
        func mostKeys() async throws {
            try await withPeople { people in
                let ana = try await people.make("ana")
                for _ in 0..<Accounts.mostKeys {
                    _ = try await people.accounts.createKey(for: .rest, of: ana.id, people.boss)
                }
                let error = await #expect(throws: ServiceError.self) {
                    try await people.accounts.createKey(for: .rest, of: ana.id, people.boss)
                }
                #expect(error?.code == .limitExceeded)
            }
        }

        @Test("every change is in the log, with who made it and without what it was about")
        func log() async throws {
            try await withPeople { people in
                let accounts = people.accounts
                _ = try await accounts.createUser(try UserName("other"), isOperator: true, people.boss)
                let ana = try await people.make("ana", as: .viewer)
                _ = try await accounts.setOperator(true, ana.id, people.boss)
                _ = try await accounts.setOperator(false, ana.id, people.boss)
                _ = try await accounts.setDisabled(true, ana.id, people.boss)
                _ = try await accounts.setDisabled(false, ana.id, people.boss)
                let password = try await accounts.setPassword(of: ana.id, people.boss)
                let pair = try await accounts.createKey(for: .query(people.home), of: ana.id, people.boss)
                try await accounts.deleteKey(pair.view.id, of: ana.id, people.boss)
                try await accounts.deleteUser(ana.id, people.boss)
                let log = try await people.log().filter { $0.name == "ana" }
                #expect(
                    log.map(\.event) == [
                        "users.create", "members.set", "users.promote", "users.demote", "users.disable",
                        "users.enable", "users.setPassword", "keys.create", "keys.delete", "users.delete",
                    ]
                )
                let text = String(describing: log)
                for part in [password, pair.key, pair.secret ?? ""] { #expect(!text.contains(part)) }
            }
        }

        @Test("deleting somebody ends their sessions and keys")
        func deletion() async throws {
            try await withPeople { people in
                let ana = try await people.make("ana", as: .editor)
                let open = try await people.accounts.signIn(name: "ana", password: Self.password, address: nil)
                let key = try await people.accounts.createKey(for: .rest, of: ana.id, people.boss).key
                try await people.accounts.deleteUser(ana.id, people.boss)
                #expect(try await people.accounts.principal(token: open.token, address: nil) == nil)
                #expect(try await people.accounts.principal(restKey: key, address: nil) == nil)
                let again = await #expect(throws: ServiceError.self) {
                    try await people.accounts.deleteUser(ana.id, people.boss)
                }
                #expect(again?.code == .notFound)
            }
        }

        /// A cloud with the accounts over it.
        private struct Fixture {
            let cloud: TestCloud
            let accounts: Accounts

            var home: EnvironmentID { cloud.home.id }
            /// The operator's call.
            var boss: CallContext { cloud.call }

            /// Somebody who knows the password of all tests.
            func make(_ name: String, as role: Role? = nil) async throws -> User {
                let user = try await accounts.createUser(
                    try UserName(name),
                    password: try NewPassword(People.password),
                    boss
                ).user
                if let role { _ = try await accounts.addMember(name, as: role, in: home, boss) }
                return user
            }

            func call(of user: User) async throws -> CallContext {
                let roles = try await cloud.catalog.read { try $0.roles(of: user.id) }
                return CallContext(principal: Principal(user: user, roles: roles), requestID: "test")
            }

            /// Oldest first.
            func log() async throws -> [LogLine] {
                try await cloud.catalog.read { try $0.listActivity(ActivityFilter(), page: .all) }.rows.reversed()
                    .map { LogLine($0.event, $0.subjectName, $0.message) }
            }
        }

        private struct LogLine: Equatable {
            var event: String
            var name: String
            var message: String?

            init(_ event: String, _ name: String, _ message: String?) {
                (self.event, self.name, self.message) = (event, name, message)
            }
        }

        private func withPeople(_ body: (Fixture) async throws -> Void) async throws {
            try await withCloud { cloud in
                try await body(Fixture(cloud: cloud, accounts: Accounts(world: cloud.world, secrets: TestSecrets())))
            }
        }
    }
}
