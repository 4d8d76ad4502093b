package import SnapshotDomain

/// What an operator said of a pool.
package struct PoolProfile: Hashable, Sendable {
    package let id: PoolID
    /// What keeps it, as the configuration calls it.
    ///
    /// For people: nothing is decided by it.
    package var kind: String
    /// Where it is: a folder, or a pool of a cluster.
    ///
    /// For operators.
    package var place: String
    /// New things go here when nobody says where.
    package var isDefault: Bool
    /// Free space that must remain; nil for that of the settings.
    package var reserve: ByteCount?
    /// What its layers may take together; nil for all that there is.
    package var limit: ByteCount?

    package init(
        _ id: PoolID,
        kind: String = "",
        place: String = "",
        isDefault: Bool = false,
        reserve: ByteCount? = nil,
        limit: ByteCount? = nil
    ) {
        self.id = id
        self.kind = kind
        self.place = place
        self.isDefault = isDefault
        self.reserve = reserve
        self.limit = limit
    }
}
