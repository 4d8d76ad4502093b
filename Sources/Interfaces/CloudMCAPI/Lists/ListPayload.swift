/// The envelope of lists.
struct ListPayload<Element: Encodable & Sendable>: Encodable, Sendable {
    let data: [Element]
    let metadata: MetadataPayload

    struct MetadataPayload: Encodable, Sendable {
        /// Rows in the whole list, also when this is only a page of it.
        var recordCount: Int
        var pageSize: Int?
        var pageCurrent: Int?
        var sortField: String?
        var sortOrder: String?
    }

    init(data: [Element], metadata: MetadataPayload) {
        self.data = data
        self.metadata = metadata
    }

    /// A list that is whole.
    init(_ data: [Element]) {
        self.init(data: data, metadata: MetadataPayload(recordCount: data.count))
    }
}

/// The envelope of one resource.
struct DataPayload<Value: Encodable & Sendable>: Encodable, Sendable {
    let data: Value

    init(_ data: Value) {
        self.data = data
    }
}
