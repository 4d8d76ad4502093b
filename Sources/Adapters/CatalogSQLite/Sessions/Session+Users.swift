import Foundation
import GRDB
import SnapshotDomain
import SnapshotPorts

extension Session {
    func findUser(_ id: UserID) throws -> User? {
        try run { try UserRecord.find($0, where: "id = ?", [id.stored])?.user }
    }

    func findUser(named name: String) throws -> User? {
        try run { try UserRecord.find($0, where: "name = ?", [name])?.user }
    }

    func listUsers() throws -> [User] {
        try run { try UserRecord.list($0, orderedBy: "name").map(\.user) }
    }

    func passwordVerifier(of user: UserID) throws -> String? {
        try run {
            let statement = try $0.cachedStatement(sql: "SELECT password_verifier FROM users WHERE id = ?")
            return try String.fetchOne(statement, arguments: [user.stored])
        }
    }

    func findKey(digest: Data) throws -> StoredKey? {
        try run { try KeyRecord.find($0, where: "digest = ?", [digest])?.key }
    }

    func keys(of user: UserID) throws -> [StoredKey] {
        try run { try KeyRecord.list($0, where: "user_id = ?", [user.stored], orderedBy: "created_at, digest") }
            .map(\.key)
    }

    func findSession(digest: Data) throws -> StoredSession? {
        try run { try SessionRecord.find($0, where: "digest = ?", [digest])?.session }
    }

    func roles(of user: UserID) throws -> [EnvironmentID: Role] {
        try run { database in
            let sql = "SELECT environment_id, role FROM memberships WHERE user_id = ?"
            let rows = try Row.fetchAll(database.cachedStatement(sql: sql), arguments: [user.stored])
            return try Dictionary(
                rows.map { (try $0.identifier("environment_id"), try $0.word("role")) },
                uniquingKeysWith: { first, _ in first }
            )
        }
    }

    func members(of environment: EnvironmentID) throws -> [(user: User, role: Role)] {
        try run { database in
            let sql = """
                SELECT users.*, role FROM memberships JOIN users ON users.id = user_id
                WHERE environment_id = ? ORDER BY name
                """
            let rows = try Row.fetchAll(database.cachedStatement(sql: sql), arguments: [environment.stored])
            return try rows.map { (user: try UserRecord(row: $0).user, role: try $0.word("role")) }
        }
    }
}

extension WriteSession {
    func insert(_ user: User, passwordVerifier: String) throws {
        try run { try NewUserRecord(user, passwordVerifier: passwordVerifier).insert(into: $0) }
    }

    func update(_ user: User) throws {
        try run { try UserRecord(user).update(in: $0) }
    }

    func setPasswordVerifier(_ verifier: String, of user: UserID) throws {
        try run {
            try $0.cachedStatement(sql: "UPDATE users SET password_verifier = ? WHERE id = ?")
                .execute(arguments: [verifier, user.stored])
            try UserRecord.demandChange(in: $0)
        }
    }

    func deleteUser(_ id: UserID) throws {
        try run { try UserRecord.delete($0, where: "id = ?", [id.stored]) }
    }

    func insert(_ key: StoredKey) throws {
        try run { try KeyRecord(key).insert(into: $0) }
    }

    func deleteKey(digest: Data) throws {
        try run { try KeyRecord.delete($0, where: "digest = ?", [digest]) }
    }

    func noteUse(ofKey digest: Data, at instant: Date) throws {
        try run {
            try $0.cachedStatement(sql: "UPDATE api_keys SET last_used_at = ? WHERE digest = ?")
                .execute(arguments: [instant.stored, digest])
        }
    }

    func insert(_ session: StoredSession) throws {
        try run { try SessionRecord(session).insert(into: $0) }
    }

    func deleteSession(digest: Data) throws {
        try run { try SessionRecord.delete($0, where: "digest = ?", [digest]) }
    }

    func deleteSessions(of user: UserID) throws {
        try run { try SessionRecord.delete($0, where: "user_id = ?", [user.stored]) }
    }

    func deleteSessions(expiredAt instant: Date) throws {
        try run { try SessionRecord.delete($0, where: "expires_at <= ?", [instant.stored]) }
    }

    func setRole(_ role: Role?, of user: UserID, in environment: EnvironmentID) throws {
        try run {
            guard let role else {
                try $0.cachedStatement(sql: "DELETE FROM memberships WHERE user_id = ? AND environment_id = ?")
                    .execute(arguments: [user.stored, environment.stored])
                return
            }
            try $0.cachedStatement(
                sql: """
                    INSERT INTO memberships (user_id, environment_id, role) VALUES (?, ?, ?)
                    ON CONFLICT (user_id, environment_id) DO UPDATE SET role = excluded.role
                    """
            ).execute(arguments: [user.stored, environment.stored, role.rawValue])
        }
    }
}
