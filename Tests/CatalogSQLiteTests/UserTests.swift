import CatalogSQLite
import Foundation
import SnapshotDomain
import SnapshotPorts
import Testing

@Suite("Catalog: users, keys and roles")
struct UserTests {
    @Test("a user and the password, which an update of the user leaves alone")
    func user() async throws {
        try await withCatalog { catalog in
            var ada = Sample.user()
            let eve = Sample.user("eve")
            try await catalog.write { [ada] (writer) throws in
                try writer.insert(ada, passwordVerifier: "scrypt$1")
                try writer.insert(eve, passwordVerifier: "scrypt$2")
            }
            ada.name = "ada lovelace"
            ada.isOperator = true
            ada.isDisabled = true
            try await catalog.write { [ada] in try $0.update(ada) }
            try await catalog.read { [ada] (reader) throws in
                #expect(try reader.findUser(ada.id) == ada)
                #expect(try reader.findUser(named: "ada lovelace") == ada)
                #expect(try reader.findUser(named: "ada") == nil)
                #expect(try reader.listUsers() == [ada, eve])
                #expect(try reader.passwordVerifier(of: ada.id) == "scrypt$1")
                #expect(try reader.passwordVerifier(of: .random()) == nil)
            }
            try await catalog.write { [ada] in try $0.setPasswordVerifier("scrypt$3", of: ada.id) }
            let verifier = try await catalog.read { [ada] in try $0.passwordVerifier(of: ada.id) }
            #expect(verifier == "scrypt$3")
            await #expect(throws: CatalogFault.self) {
                try await catalog.write { try $0.setPasswordVerifier("scrypt$4", of: .random()) }
            }
        }
    }

    @Test("a key by its digest, until it is deleted")
    func keys() async throws {
        try await withCatalog { catalog in
            let (user, environment) = (Sample.user(), try Sample.environment())
            let rest = Sample.key(1, of: user.id)
            let query = Sample.key(2, of: user.id, in: environment.id)
            try await catalog.write { (writer) throws in
                try writer.insert(environment)
                try writer.insert(user, passwordVerifier: "")
                try writer.insert(query)
                try writer.insert(rest)
            }
            try await catalog.read { (reader) throws in
                #expect(try reader.findKey(digest: rest.digest) == rest)
                #expect(try reader.findKey(digest: query.digest) == query)
                #expect(try reader.findKey(digest: Data(repeating: 3, count: 32)) == nil)
                #expect(try reader.keys(of: user.id) == [rest, query])
            }
            try await catalog.write {
                try $0.noteUse(ofKey: rest.digest, at: Sample.instant + 3_600)
                try $0.noteUse(ofKey: Data(repeating: 3, count: 32), at: Sample.instant)
            }
            let uses = try await catalog.read { try $0.keys(of: user.id).map(\.lastUsedAt) }
            #expect(uses == [Sample.instant + 3_600, query.lastUsedAt])
            try await catalog.write {
                try $0.deleteKey(digest: rest.digest)
                try $0.deleteKey(digest: rest.digest)
            }
            let left = try await catalog.read { try $0.keys(of: user.id) }
            #expect(left == [query])
        }
    }

    @Test("roles are given, changed and taken away")
    func roles() async throws {
        try await withCatalog { catalog in
            let (ada, eve, environment) = (Sample.user(), Sample.user("eve"), try Sample.environment())
            try await catalog.write { (writer) throws in
                try writer.insert(environment)
                for user in [eve, ada] { try writer.insert(user, passwordVerifier: "") }
                try writer.setRole(.viewer, of: eve.id, in: environment.id)
                try writer.setRole(.owner, of: ada.id, in: environment.id)
                try writer.setRole(.editor, of: eve.id, in: environment.id)
            }
            try await catalog.read { (reader) throws in
                #expect(try reader.roles(of: eve.id) == [environment.id: .editor])
                let members = try reader.members(of: environment.id)
                #expect(members.map(\.user) == [ada, eve])
                #expect(members.map(\.role) == [.owner, .editor])
            }
            try await catalog.write {
                try $0.setRole(nil, of: eve.id, in: environment.id)
                try $0.setRole(nil, of: eve.id, in: environment.id)
            }
            let left = try await catalog.read { try $0.roles(of: eve.id) }
            #expect(left.isEmpty)
        }
    }

    @Test("keys and roles go with their user, and with their environment")
    func cascade() async throws {
        try await withCatalog { catalog in
            let (ada, eve, environment) = (Sample.user(), Sample.user("eve"), try Sample.environment())
            try await catalog.write { (writer) throws in
                try writer.insert(environment)
                for (byte, user) in [(UInt8(1), ada), (2, eve)] {
                    try writer.insert(user, passwordVerifier: "")
                    try writer.insert(Sample.key(byte, of: user.id, in: environment.id))
                    try writer.setRole(.editor, of: user.id, in: environment.id)
                }
                try writer.insert(Sample.key(3, of: eve.id))
                try writer.deleteUser(ada.id)
            }
            try await catalog.read { (reader) throws in
                #expect(try reader.keys(of: ada.id).isEmpty)
                #expect(try reader.members(of: environment.id).map(\.user) == [eve])
            }
            try await catalog.write { try $0.deleteEnvironment(environment.id) }
            try await catalog.read { (reader) throws in
                #expect(try reader.keys(of: eve.id) == [Sample.key(3, of: eve.id)])
                #expect(try reader.roles(of: eve.id).isEmpty)
            }
        }
    }
}
