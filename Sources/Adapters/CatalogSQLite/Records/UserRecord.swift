import GRDB
import SnapshotDomain

/// A user without the password, which is written and read apart.
struct UserRecord: Record {
    static let table = "users"

    let user: User

    init(_ user: User) {
        self.user = user
    }

    init(row: Row) throws {
        user = User(
            id: try row.identifier("id"),
            name: try row.value("name"),
            isOperator: try row.value("is_operator"),
            isDisabled: try row.value("is_disabled"),
            createdAt: try row.instant("created_at")
        )
    }

    var columns: KeyValuePairs<String, (any DatabaseValueConvertible)?> {
        [
            "id": user.id.stored,
            "name": user.name,
            "is_operator": user.isOperator,
            "is_disabled": user.isDisabled,
            "created_at": user.createdAt.stored,
        ]
    }
}

/// A user who comes to be, with the password.
struct NewUserRecord: Record {
    static let table = UserRecord.table

    let user: User
    let passwordVerifier: String

    init(_ user: User, passwordVerifier: String) {
        self.user = user
        self.passwordVerifier = passwordVerifier
    }

    init(row: Row) throws {
        user = try UserRecord(row: row).user
        passwordVerifier = try row.value("password_verifier")
    }

    var columns: KeyValuePairs<String, (any DatabaseValueConvertible)?> {
        [
            "id": user.id.stored,
            "name": user.name,
            "is_operator": user.isOperator,
            "is_disabled": user.isDisabled,
            "password_verifier": passwordVerifier,
            "created_at": user.createdAt.stored,
        ]
    }
}
