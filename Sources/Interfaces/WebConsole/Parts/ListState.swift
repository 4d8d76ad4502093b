import SnapshotDomain
import SnapshotPorts

/// What part of a list is shown, in which order: all of it stands in the address, so that it can be kept and sent.
struct ListState: Sendable {
    static let pageSize = 25

    let text: String?
    /// Other restrictions, by their names in the address.
    private(set) var filters: [(name: String, value: String)]
    let order: ListOrder
    /// From 1.
    let page: Int
    private let path: String
    private let standardOrder: ListOrder

    /// - Parameters:
    ///   - visit: The request.
    ///   - names: What restricts this list, by its names in the address.
    ///   - standard: The order when the address names none.
    init(_ visit: Visit, filters names: [String] = [], order standard: ListOrder = .newestFirst) {
        let query = visit.query
        path = visit.path
        text = query["text"].map { String($0.prefix(200)) }
        filters = names.flatMap { name in query.all(name).map { (name, $0) } }
        standardOrder = standard
        order = query["sort"].flatMap(Self.order) ?? standard
        page = max(1, query["page"].flatMap { Int($0) } ?? 1)
    }

    func filter(_ name: String) -> String? {
        filters.first { $0.name == name }?.value
    }

    /// What the filter `state` means; nil for everything, also where its word means nothing.
    var states: Set<ResourceState.Word>? {
        filter("state").flatMap(ResourceState.Word.init).map { [$0] }
    }

    var request: PageRequest {
        PageRequest(offset: (min(page, 1_000_000) - 1) * Self.pageSize, limit: Self.pageSize)
    }

    /// The same list in another order or at another page.
    func address(order: ListOrder? = nil, page: Int = 1) -> String {
        var parts = filters.map { "\($0.name)=\($0.value.urlEncoded)" }
        if let text { parts.append("text=\(text.urlEncoded)") }
        let order = order ?? self.order
        if order != standardOrder { parts.append("sort=\(Self.word(order))") }
        if page > 1 { parts.append("page=\(page)") }
        return path + (parts.isEmpty ? "" : "?" + parts.joined(separator: "&"))
    }

    /// The same list from its start, restricted to a value of one filter, or not restricted by it.
    func address(_ name: String, _ value: String?) -> String {
        var other = self
        other.filters.removeAll { $0.name == name }
        if let value { other.filters.append((name, value)) }
        return other.address()
    }

    private static func word(_ order: ListOrder) -> String {
        (order.isDescending ? "-" : "") + order.field.rawValue
    }

    private static func order(_ word: String) -> ListOrder? {
        let isDescending = word.hasPrefix("-")
        return ListOrder.Field(rawValue: String(word.drop { $0 == "-" }))
            .map { ListOrder($0, descending: isDescending) }
    }
}

/// The parts of a list's page that do not depend on what it lists.
struct ListControls: PageValue {
    struct Hidden: PageValue {
        let name: String
        let value: String
    }

    let path: String
    let text: String?
    let hidden: [Hidden]
    let range: String
    let previous: String?
    let next: String?
    let isFiltered: Bool

    init(_ state: ListState, total: Int, shown: Int, _ visit: Visit) {
        path = visit.path
        text = state.text
        hidden = state.filters.map { Hidden(name: $0.name, value: $0.value) }
        let first = state.request.offset + 1
        range = visit.texts(
            "list.range",
            [
                "first": visit.formats.number(shown == 0 ? 0 : first),
                "last": visit.formats.number(shown == 0 ? 0 : first + shown - 1),
                "total": visit.formats.number(total),
            ]
        )
        previous = state.page > 1 ? state.address(page: state.page - 1) : nil
        next = first + shown - 1 < total ? state.address(page: state.page + 1) : nil
        isFiltered = state.text != nil || !state.filters.isEmpty
    }
}

/// A restriction of a list: a choice, or one that is in force and can be taken away.
struct Chip: PageValue {
    let title: String
    let address: String
    var isChosen = false
    /// Nil for a choice; else what its sign does.
    var removal: String?

    /// One of the choices of a filter; a value of nil for all.
    static func choice(_ title: String, _ name: String, _ value: String?, in state: ListState) -> Chip {
        Chip(title: title, address: state.address(name, value), isChosen: state.filter(name) == value)
    }

    /// A filter in force that came with the address, such as the instance whose page led here.
    static func removable(_ title: String, _ name: String, in state: ListState, _ texts: Texts) -> Chip {
        Chip(title: title, address: state.address(name, nil), isChosen: true, removal: texts("list.remove_filter"))
    }

    /// The state that a list is restricted to, where it has no choice of states; empty for all.
    static func states(in state: ListState, _ texts: Texts) -> [Chip] {
        guard let word = state.states?.first else { return [] }
        return [.removable(texts("list.state.\(word.rawValue)"), "state", in: state, texts)]
    }
}

/// The head of a column, which orders the list where it can.
struct Column: PageValue {
    let title: String
    let address: String?
    /// For `aria-sort`.
    let direction: String
    let isAscending: Bool
    let isDescending: Bool
    /// What else stands in its cells and orders the list, such as the size below the name.
    let others: [Column]

    init(_ title: String, by field: ListOrder.Field? = nil, in state: ListState, and others: [Column] = []) {
        self.title = title
        self.others = others
        let isCurrent = field == state.order.field
        isAscending = isCurrent && !state.order.isDescending
        isDescending = isCurrent && state.order.isDescending
        let isUp = isAscending || others.contains(where: \.isAscending)
        let isDown = isDescending || others.contains(where: \.isDescending)
        direction = isUp ? "ascending" : isDown ? "descending" : "none"
        address = field.map { field in
            let isNewestFirst = field == .createdAt || field == .size
            return state.address(
                order: ListOrder(field, descending: isCurrent ? !state.order.isDescending : isNewestFirst)
            )
        }
    }
}
