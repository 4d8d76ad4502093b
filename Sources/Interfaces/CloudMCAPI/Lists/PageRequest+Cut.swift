import SnapshotDomain
import SnapshotPorts

extension PageRequest {
    /// The page of a list that is in memory as a whole.
    func cut<Row: Sendable>(_ rows: [Row]) -> CatalogPage<Row> {
        CatalogPage(rows: Array(rows.dropFirst(offset).prefix(limit)), total: rows.count)
    }
}

extension [SnapshotDomain.Environment] {
    /// Sorted by what environments have: a name and an age.
    func sorted(by order: ListOrder) -> Self {
        let ascending =
            switch order.field {
            case .createdAt: sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
            case .name, .state, .size: sorted { $0.name.description < $1.name.description }
            }
        return order.isDescending ? ascending.reversed() : ascending
    }
}
