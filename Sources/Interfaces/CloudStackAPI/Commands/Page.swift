import SnapshotPorts

/// Which page of a list a caller wants.
struct Page: Hashable, Sendable {
    static let largest = 500

    var offset: Int
    /// Nil for everything.
    var limit: Int?

    init(_ arguments: Arguments) throws(APIFailure) {
        let (page, size) = (arguments.integer("page"), arguments.integer("pagesize"))
        switch (page, size) {
        case (nil, nil):
            (offset, limit) = (0, Self.largest)
        case (nil, -1):
            (offset, limit) = (0, nil)
        case (_, nil):
            throw .invalid("\"pagesize\" parameter is required when \"page\" is specified")
        case (nil, _):
            throw .invalid("\"page\" parameter is required when \"pagesize\" is specified")
        case (let page?, let size?):
            guard size != -1 else {
                throw .invalid("\"page\" must not be specified when \"pagesize\" is -1 (unlimited)")
            }
            guard (1...Self.largest).contains(size) else {
                throw .invalid("Page size can not exceed max page size = \(Self.largest), and is at least 1")
            }
            guard (1...1_000_000).contains(page) else { throw .invalid("\"page\" is from 1 on, not \(page)") }
            (offset, limit) = ((page - 1) * size, size)
        }
    }

    func cut<Row>(_ rows: [Row]) -> [Row] {
        let rest = rows.dropFirst(offset)
        return limit.map { Array(rest.prefix($0)) } ?? Array(rest)
    }
}

extension Call {
    /// A list that is whole in memory, cut to the page that the caller wants.
    func answer<Row>(_ rows: [Row], _ shape: Shape<Row>) throws(APIFailure) -> Answer {
        .rows(try Page(arguments).cut(rows).map(shape.json), total: rows.count, named: shape.name)
    }
}
