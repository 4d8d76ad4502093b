import SnapshotDomain
import SnapshotPorts

/// Whole lists, page after page: for work over everything, never for a face.
extension CatalogReader {
    func allSnapshots(_ filter: SnapshotFilter) throws -> [Snapshot] {
        try everything { try listSnapshots(filter, order: .byName, page: $0) }
    }

    func allVolumes(_ filter: VolumeFilter) throws -> [Volume] {
        try everything { try listVolumes(filter, order: .byName, page: $0) }
    }

    func allInstances(in environment: EnvironmentID?) throws -> [Instance] {
        try everything { try listInstances(InstanceFilter(environment: environment), order: .byName, page: $0) }
    }

    /// Those that belong to the environment, without other environments' public ones.
    func allTemplates(of environment: EnvironmentID) throws -> [Template] {
        let filter = TemplateFilter(visibleIn: environment, isOwn: true)
        return try everything { try listTemplates(filter, order: .byName, page: $0) }
    }

    private func everything<Row>(_ list: (PageRequest) throws -> CatalogPage<Row>) throws -> [Row] {
        var rows: [Row] = []
        while true {
            let page = try list(PageRequest(offset: rows.count, limit: PageRequest.largest))
            rows += page.rows
            if page.rows.isEmpty || rows.count >= page.total { return rows }
        }
    }
}
