import SnapshotDomain
import SnapshotPorts

/// Which part of a list a caller wants, and in which order.
struct ListQuery: Sendable {
    /// Rows that an answer without paging holds at most.
    static let largestAnswer = 10_000

    /// From 1; nil when the caller wants everything.
    let page: (number: Int, size: Int)?
    let order: ListOrder?
    /// A part of the name, in any letter case.
    let search: String?
    let state: String?

    /// Reads `page_number`, `page_size`, `sort_by`, `sort_order`, `search` and `state`.
    ///
    /// A field that lists cannot be sorted by leaves their own order; the answer's metadata says which it was.
    init(_ query: Query) throws(ServiceError) {
        let number = try query.integer("page_number")
        let size = try query.integer("page_size")
        if number != nil || size != nil {
            page = (min(max(number ?? 1, 1), 1_000_000), min(max(size ?? 50, 1), PageRequest.largest))
        } else {
            page = nil
        }
        let isDescending = query["sort_order"]?.uppercased() == "DESC"
        order = query["sort_by"].flatMap(Self.field).map { ListOrder($0, descending: isDescending) }
        search = query["search"]
        state = query["state"]
    }

    private static func field(_ name: String) -> ListOrder.Field? {
        switch name.lowercased() {
        case "name": .name
        case "creationdate", "created", "createdat": .createdAt
        case "state": .state
        case "size", "sizeingb", "virtualsize": .size
        default: nil
        }
    }
}

extension ListOrder.Field {
    /// The field as payloads call it.
    var wireName: String {
        switch self {
        case .name: "name"
        case .createdAt: "creationDate"
        case .state: "state"
        case .size: "sizeInGb"
        }
    }
}
