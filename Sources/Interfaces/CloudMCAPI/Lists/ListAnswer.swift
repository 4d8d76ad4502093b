import HTTPCommon
import Hummingbird
import SnapshotDomain
import SnapshotPorts

/// Answers lists: fetches what the caller wants, page by page, and wraps it.
struct ListAnswer<Row: Sendable> {
    /// How the list is sorted unless the caller says otherwise.
    let order: ListOrder
    /// Reads one page of the service's list.
    let fetch: (ListOrder, PageRequest) async throws(ServiceError) -> CatalogPage<Row>
    /// What the service's own filter cannot tell apart.
    ///
    /// With one, paging happens here, over all that it leaves.
    var refinement: ((Row) -> Bool)?

    func response<Payload: Encodable & Sendable>(
        _ query: ListQuery,
        _ payload: (Row) -> Payload
    ) async throws -> Response {
        let order = query.order ?? order
        let page = try await rows(query, order)
        var metadata = ListPayload<Payload>.MetadataPayload(recordCount: page.total)
        if let wanted = query.page {
            metadata.pageSize = wanted.size
            metadata.pageCurrent = wanted.number
            metadata.sortField = order.field.wireName
            metadata.sortOrder = order.isDescending ? "DESC" : "ASC"
        }
        return try .json(ListPayload(data: page.rows.map(payload), metadata: metadata))
    }

    private func rows(_ query: ListQuery, _ order: ListOrder) async throws(ServiceError) -> CatalogPage<Row> {
        if let wanted = query.page, refinement == nil {
            let offset = (wanted.number - 1) * wanted.size
            return try await fetch(order, PageRequest(offset: offset, limit: wanted.size))
        }
        let whole = try await everything(order)
        guard let wanted = query.page else { return whole }
        let rest = whole.rows.dropFirst((wanted.number - 1) * wanted.size)
        return CatalogPage(rows: Array(rest.prefix(wanted.size)), total: whole.total)
    }

    private func everything(_ order: ListOrder) async throws(ServiceError) -> CatalogPage<Row> {
        var rows: [Row] = []
        var total = 0
        repeat {
            let request = PageRequest(offset: rows.count, limit: PageRequest.largest)
            let page = try await fetch(order, request)
            rows += page.rows
            total = page.total
            if page.rows.isEmpty { break }
        } while rows.count < min(total, ListQuery.largestAnswer)
        guard let refinement else { return CatalogPage(rows: rows, total: total) }
        let refined = rows.filter(refinement)
        return CatalogPage(rows: refined, total: refined.count)
    }
}
