import SnapshotDomain
import SnapshotServices
import TestKit

extension StubCloud {
    var environments: [Environment] { Sample.environments }

    func principal(restKey: String, address: String?) async throws(ServiceError) -> Principal? {
        restKey == Sample.key ? Sample.principal : nil
    }
}

/// A cloud that has nothing but an owner and two environments.
struct EmptyCloud: StubCloud {}
