import Foundation
package import SnapshotDomain
import SnapshotPorts

/// Finds the callers of programs' keys.
struct KeyRing: Sendable {
    /// How exact the time of a key's last use is: each finer step would cost a write of the disk more often.
    static let useResolution: TimeInterval = 3_600

    let world: World
    let secrets: any Secrets

    /// The caller that a key of the REST face opens for, with all their roles; nil for a key that opens nothing.
    func principal(restKey: String, address: String?) async throws(ServiceError) -> Principal? {
        guard let (key, principal) = try await find(restKey, .rest, address) else { return nil }
        await noteUse(of: key)
        return principal
    }

    /// What a key of the query face says of its caller, who has proved nothing yet.
    func caller(queryKey: String, address: String?) async throws(ServiceError) -> QueryCaller? {
        guard let (key, principal) = try await find(queryKey, .query, address),
            let secret = key.secret, let environment = key.environment
        else { return nil }
        return QueryCaller(
            principal: principal.narrowed(to: environment),
            environment: environment,
            secret: secret,
            key: key
        )
    }

    /// Notes that a key was used, unless that is noted already.
    ///
    /// Forgotten when the catalog cannot be written: a full disk must not keep out who has come to make room.
    func noteUse(of key: StoredKey) async {
        let now = world.time.now
        if let last = key.lastUsedAt, now.timeIntervalSince(last) < Self.useResolution { return }
        do {
            try await world.catalog.write { try $0.noteUse(ofKey: key.digest, at: now) }
        } catch {
            return
        }
    }

    private func find(
        _ text: String,
        _ kind: StoredKey.Kind,
        _ address: String?
    ) async throws(ServiceError) -> (key: StoredKey, principal: Principal)? {
        let digest = secrets.digest(of: text)
        do {
            return try await world.catalog.read { reader in
                guard let key = try reader.findKey(digest: digest), key.kind == kind,
                    let user = try reader.findUser(key.user), !user.isDisabled
                else { return nil }
                return (key, Principal(user: user, roles: try reader.roles(of: user.id), address: address))
            }
        } catch {
            throw ServiceError(reporting: error)
        }
    }
}

/// Who a CloudStack key says is calling, and what proves it.
package struct QueryCaller: Sendable {
    /// With the role in the key's environment only; operators remain operators.
    package let principal: Principal
    /// Where the key acts.
    package let environment: EnvironmentID
    /// What the caller must have signed the request with.
    ///
    /// For comparing signatures, and for nothing else.
    package let secret: String
    let key: StoredKey
}

extension Principal {
    fileprivate func narrowed(to environment: EnvironmentID) -> Principal {
        Principal(user: user, roles: roles.filter { $0.key == environment }, address: address)
    }
}
