import Foundation
import GRDB
import SnapshotDomain
import SnapshotPorts

extension Session {
    func findLayer(_ id: LayerID) throws -> Layer? {
        try run { try LayerRecord.find($0, where: "id = ?", [id.stored])?.layer }
    }

    func layerChain(of layer: LayerID) throws -> [LayerID] {
        try run { database in
            let sql = "WITH RECURSIVE \(LayerTreeQuery.path) SELECT id, parent_id FROM path"
            let statement = try database.cachedStatement(sql: sql)
            var parents: [LayerID: LayerID?] = [:]
            let rows = try Row.fetchCursor(statement, arguments: [layer.stored])
            while let row = try rows.next() {
                let parent = try row.decode(UUID?.self, atIndex: 1)
                parents[LayerID(try row.decode(atIndex: 0))] = .some(parent.map { LayerID($0) })
            }
            var chain: [LayerID] = []
            var next: LayerID? = layer
            // What was walked is taken out, so that a cycle, which only a damaged catalog holds, ends.
            while let id = next, let parent = parents.removeValue(forKey: id) {
                chain.append(id)
                next = parent
            }
            return chain
        }
    }

    func poolsWithLayers() throws -> Set<PoolID> {
        // Steps from pool to pool through the index, where DISTINCT would read all of it.
        let sql = """
            WITH RECURSIVE found (pool) AS (
                SELECT min(pool) FROM layers
                UNION ALL
                SELECT (SELECT min(layers.pool) FROM layers WHERE layers.pool > found.pool)
                FROM found WHERE found.pool IS NOT NULL
            )
            SELECT pool FROM found WHERE pool IS NOT NULL
            """
        return try run { Set(try String.fetchAll($0, sql: sql).compactMap(PoolID.init)) }
    }

    func layerTree(of pool: PoolID) throws -> LayerTree {
        try run { database in
            let name = pool.description
            return try LayerTreeQuery(
                layers: "SELECT * FROM layers WHERE pool = ? ORDER BY id",
                layerArguments: [name],
                pins: """
                    SELECT 'volume', id, active_layer_id FROM volumes WHERE pool = ?
                    UNION ALL SELECT 'snapshot', id, layer_id FROM snapshots WHERE pool = ?
                    UNION ALL SELECT 'template', id, layer_id FROM templates WHERE pool = ?
                    UNION ALL SELECT 'template', template_id, layer_id FROM template_copies WHERE pool = ?
                    """,
                pinArguments: [name, name, name, name]
            ).fetch(database)
        }
    }

    func layerTree(around layer: LayerID) throws -> LayerTree {
        try run { database in
            try LayerTreeQuery(
                layers: "\(LayerTreeQuery.connected) SELECT layers.* FROM tree JOIN layers USING (id) ORDER BY id",
                layerArguments: [layer.stored],
                pins: """
                    \(LayerTreeQuery.connected)
                    SELECT 'volume', volumes.id, tree.id FROM tree JOIN volumes ON active_layer_id = tree.id
                    UNION ALL SELECT 'snapshot', snapshots.id, tree.id FROM tree JOIN snapshots ON layer_id = tree.id
                    UNION ALL SELECT 'template', templates.id, tree.id FROM tree JOIN templates ON layer_id = tree.id
                    UNION ALL SELECT 'template', template_id, tree.id FROM tree JOIN template_copies ON layer_id = tree.id
                    """,
                pinArguments: [layer.stored]
            ).fetch(database)
        }
    }
}

extension WriteSession {
    func insert(_ layer: Layer) throws {
        try run { try LayerRecord(layer).insert(into: $0) }
    }

    func update(_ layer: Layer) throws {
        try run { try LayerRecord(layer).update(in: $0) }
    }

    func deleteLayer(_ id: LayerID) throws {
        try run { try LayerRecord.delete($0, where: "id = ?", [id.stored]) }
    }
}

/// The two statements that make a ``LayerTree``: its layers, and as kind, identity and layer its pins.
private struct LayerTreeQuery {
    /// `path`: a layer and its ancestors.
    static let path = """
        path (id, parent_id) AS (
                SELECT id, parent_id FROM layers WHERE id = ?
                UNION
                SELECT layers.id, layers.parent_id FROM path JOIN layers ON layers.id = path.parent_id
            )
        """

    /// `tree`: the identities of the layers connected with one, which are down from it to the base and then all that
    /// stands on that.
    static let connected = """
        WITH RECURSIVE
            \(path),
            tree (id) AS (
                SELECT id FROM path WHERE parent_id IS NULL
                UNION
                SELECT layers.id FROM tree JOIN layers ON layers.parent_id = tree.id
            )
        """

    var layers: String
    var layerArguments: StatementArguments
    var pins: String
    var pinArguments: StatementArguments

    func fetch(_ database: Database) throws -> LayerTree {
        LayerTree(
            layers: try LayerRecord.fetchAll(database.cachedStatement(sql: layers), arguments: layerArguments)
                .map(\.layer),
            pins: try PinRow.fetchAll(database.cachedStatement(sql: pins), arguments: pinArguments)
                .map { ($0.layer, $0.pin) }
        )
    }
}

private struct PinRow: FetchableRecord {
    /// What holds a layer, in the words of the statement.
    private enum Kind: String, DatabaseValueConvertible {
        case volume
        case snapshot
        case template
    }

    let pin: Pin
    let layer: LayerID

    init(row: Row) throws {
        let id = try row.decode(UUID.self, atIndex: 1)
        pin =
            switch try row.decode(Kind.self, atIndex: 0) {
            case .volume: .volume(Identifier(id))
            case .snapshot: .snapshot(Identifier(id))
            case .template: .template(Identifier(id))
            }
        layer = Identifier(try row.decode(atIndex: 2))
    }
}
