import SnapshotDomain
import SnapshotPorts

/// Whole lists, page after page: for work over everything, never for a face.
extension CatalogReader {
    func allSnapshots(_ filter: SnapshotFilter) throws -> [Snapshot] {
        try everything { try listSnapshots(filter, order: .byName, page: $0) }
    }

    /// Those that were put aside, too, unless the filter names states.
    func allVolumes(_ filter: VolumeFilter) throws -> [Volume] {
        var filter = filter
        filter.states = filter.states ?? Set(ResourceState.Word.allCases)
        return try everything { try listVolumes(filter, order: .byName, page: $0) }
    }

    /// Those that were put aside, too, unless states are named.
    func allInstances(
        in environment: EnvironmentID?,
        states: Set<ResourceState.Word> = Set(ResourceState.Word.allCases)
    ) throws -> [Instance] {
        let filter = InstanceFilter(environment: environment, states: states)
        return try everything { try listInstances(filter, order: .byName, page: $0) }
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
