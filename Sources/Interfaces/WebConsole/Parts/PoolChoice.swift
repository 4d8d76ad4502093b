import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// Where something is made, as forms ask: only where there is more than one pool to choose from.
struct PoolChoice: Sendable {
    /// What the field is called.
    static let field = "pool"

    private let pools: [PoolStatus]
    private let visit: Visit

    init(_ visit: Visit) async throws(ServiceError) {
        pools = try await visit.cloud.listPools(visit.caller).filter { $0.state == .ready }
        self.visit = visit
    }

    var isNeeded: Bool { pools.count > 1 }

    /// The others than one.
    func others(than pool: PoolID) -> [PoolID] {
        pools.map(\.pool).filter { $0 != pool }
    }

    /// The field of a form; nil where there is nothing to choose.
    ///
    /// - Parameters:
    ///   - usual: What stands for no choice, such as *with the template*; nil offers the default pool by its name.
    ///   - without: A pool that cannot be chosen.
    ///   - hint: What the choice means.
    /// - Returns: The field.
    func field(usual: String? = nil, without: PoolID? = nil, hint: String? = nil) -> FormField? {
        guard isNeeded else { return nil }
        let standard = usual == nil ? pools.first(where: \.isDefault)?.pool.description ?? "" : ""
        let chosen = visit.value(Self.field, standard)
        let options = pools.filter { $0.pool != without }.map { pool in
            let name = pool.pool.description
            return FormField.Option(value: name, title: title(of: pool), isChosen: name == chosen)
        }
        let first = usual.map { [FormField.Option(value: "", title: $0, isChosen: chosen.isEmpty)] } ?? []
        return .select(Self.field, visit.texts("pool.pool"), first + options, hint: hint)
    }

    private func title(of pool: PoolStatus) -> String {
        guard let free = pool.capacity?.free else { return pool.pool.description }
        return visit.texts("pool.with_room", ["pool": pool.pool.description, "free": visit.formats.size(free)])
    }

    /// What was chosen; nil for nothing.
    static func read(_ form: Fields) throws(ServiceError) -> PoolID? {
        guard let text = form[field], !text.isEmpty else { return nil }
        guard let pool = PoolID(text) else {
            throw ServiceError(
                .invalidInput,
                "There is no pool of that name; choose one from the list.",
                subject: .field(field)
            )
        }
        return pool
    }
}
