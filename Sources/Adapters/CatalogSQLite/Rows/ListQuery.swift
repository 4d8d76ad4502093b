import Foundation
import GRDB
import SnapshotDomain
import SnapshotPorts

/// One page of one table, and how many rows the whole list has.
struct ListQuery<Item: Record> {
    private var rows = Conditions()
    /// The same conditions over `tallies`, or nil when those cannot answer.
    private var tallies: Conditions? = Conditions("list = ?", [Item.table])

    /// Rows of one environment, found by an index unless another condition leaves fewer (`isSelective` is false).
    mutating func filter(environment: EnvironmentID?, isSelective: Bool = true) {
        guard let environment else { return }
        // The unary plus keeps SQLite, which knows no numbers of rows, from choosing the index of this column.
        rows.add("\(isSelective ? "" : "+")environment_id = ?", [environment.stored])
        tallies?.add("environment_id = ?", [environment.stored])
    }

    /// Rows in one of several states.
    mutating func filter(states: [String]?, column: String = "state") {
        guard let states else { return }
        let places = Array(repeating: "?", count: states.count).joined(separator: ", ")
        rows.add("\(column) IN (\(places))", StatementArguments(states))
        tallies?.add("state IN (\(places))", StatementArguments(states))
    }

    /// Rows whose names contain a text.
    mutating func filter(text: String?, in names: String = "search_text") {
        guard let text, !text.isEmpty else { return }
        filter("instr(\(names), ?) > 0", searchable(text))
    }

    /// Rows that meet any other condition, unless the value is nil.
    mutating func filter(_ condition: String, _ value: (any DatabaseValueConvertible)?) {
        guard let value else { return }
        rows.add(condition, [value])
        tallies = nil
    }

    /// Rows with one of these identities.
    mutating func filter(ids: [UUID]?) {
        guard let ids else { return }
        let places = Array(repeating: "?", count: ids.count).joined(separator: ", ")
        rows.add("id IN (\(places))", StatementArguments(ids))
        tallies = nil
    }

    /// Rows with at least one of these tags.
    mutating func filter(tags: [TagCondition]?) {
        guard let tags, !tags.isEmpty else { return }
        let terms = tags.map { $0.value == nil ? "key = ?" : "(key = ? AND value = ?)" }.joined(separator: " OR ")
        let values = tags.flatMap { [$0.key] + ($0.value.map { [$0] } ?? []) }
        rows.add(
            "EXISTS (SELECT 1 FROM tags WHERE resource_id = \(Item.table).id AND (\(terms)))",
            StatementArguments(values)
        )
        tallies = nil
    }

    func page(_ database: Database, orderedBy order: String, _ page: PageRequest) throws -> CatalogPage<Item> {
        let sql = "SELECT * FROM \(Item.table) \(rows.clause) ORDER BY \(order) LIMIT ? OFFSET ?"
        let found = try Item.fetchAll(
            database.cachedStatement(sql: sql),
            arguments: rows.arguments + [page.limit, page.offset]
        )
        return CatalogPage(rows: found, total: try total(database))
    }

    private func total(_ database: Database) throws -> Int {
        let (sql, conditions) =
            if let tallies {
                ("SELECT coalesce(sum(count), 0) FROM tallies", tallies)
            } else {
                ("SELECT count(*) FROM \(Item.table)", rows)
            }
        let statement = try database.cachedStatement(sql: "\(sql) \(conditions.clause)")
        return try Int.fetchOne(statement, arguments: conditions.arguments) ?? 0
    }
}

/// What rows have to meet, all of it.
private struct Conditions {
    private var terms: [String] = []
    private(set) var arguments = StatementArguments()

    init() {}

    init(_ term: String, _ values: StatementArguments) {
        add(term, values)
    }

    mutating func add(_ term: String, _ values: StatementArguments) {
        terms.append(term)
        arguments += values
    }

    var clause: String {
        terms.isEmpty ? "" : "WHERE " + terms.joined(separator: " AND ")
    }
}

extension ListOrder {
    /// The order as SQL, made total by the identity.
    func sql(sizeColumn: String = "size") -> String {
        let column =
            switch field {
            case .name: "name COLLATE NOCASE"
            case .createdAt: "created_at"
            case .state: "state"
            case .size: sizeColumn
            }
        let direction = isDescending ? " DESC" : ""
        return "\(column)\(direction), id\(direction)"
    }
}

extension CatalogPage {
    func map<Other>(_ transform: (Row) -> Other) -> CatalogPage<Other> {
        CatalogPage<Other>(rows: rows.map(transform), total: total)
    }
}
