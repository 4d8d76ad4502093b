import Foundation
import GRDB
import SnapshotDomain
import SnapshotPorts
import Synchronization
import Testing

@testable import CatalogSQLite

/// How SQLite means to find the rows.
///
/// It keeps no statistics here, so its plans are the same for ten rows and a million.
@Suite("Catalog: query plans")
struct QueryPlanTests {
    @Test("a page of an environment's snapshots comes in order from one index, its total from the tallies")
    func snapshotPages() async throws {
        let filter = SnapshotFilter(environment: .random())
        for (order, index) in [
            (ListOrder.newestFirst, "snapshots_by_creation"), (ListOrder(.createdAt), "snapshots_by_creation"),
            (ListOrder.byName, "snapshots_by_name"), (ListOrder(.name, descending: true), "snapshots_by_name"),
        ] {
            let plans = try await plans {
                _ = try $0.listSnapshots(filter, order: order, page: PageRequest(offset: 500))
            }
            try #require(plans.count == 2)
            #expect(plans[0] == ["SEARCH snapshots USING INDEX \(index) (environment_id=?)"])
            #expect(plans[1] == ["SEARCH tallies USING PRIMARY KEY (list=? AND environment_id=?)"])
        }
    }

    @Test("pages of volumes, instances, jobs and activity sort nothing and count nothing")
    func otherPages() async throws {
        let environment = EnvironmentID.random()
        let statements: [(String, @Sendable (ReadSession) throws -> Void)] = [
            ("volumes", { _ = try $0.listVolumes(.init(environment: environment), order: .byName, page: .all) }),
            (
                "instances",
                { _ = try $0.listInstances(.init(environment: environment), order: .newestFirst, page: .all) }
            ),
            ("jobs", { _ = try $0.listJobs(in: environment, page: .all) }),
            ("activity", { _ = try $0.listActivity(.init(environment: environment), page: .all) }),
            ("activity", { _ = try $0.listActivity(.init(), page: .all) }),
        ]
        for (table, statement) in statements {
            let plans = try await plans(statement)
            try #require(plans.count == 2)
            #expect(plans[0].count == 1, "\(plans[0])")
            #expect(plans[0].allSatisfy { $0.contains("\(table) USING INDEX \(table)_by_") }, "\(plans[0])")
            #expect(plans[1].allSatisfy { $0.contains(" tallies USING PRIMARY KEY (list=?") }, "\(plans[1])")
        }
    }

    @Test("the snapshots of one volume, instance or group are found without those of the environment")
    func narrowFilters() async throws {
        let environment = EnvironmentID.random()
        for (filter, index) in [
            (SnapshotFilter(environment: environment, volume: .random()), "snapshots_by_volume (source_volume_id=?)"),
            (
                SnapshotFilter(environment: environment, instance: .random()),
                "snapshots_by_instance (source_instance_id=?)"
            ),
            (SnapshotFilter(environment: environment, group: .random()), "snapshots_by_group (group_id=?)"),
        ] {
            let plans = try await plans { _ = try $0.listSnapshots(filter, order: .newestFirst, page: .all) }
            for plan in plans { #expect(plan.first == "SEARCH snapshots USING INDEX \(index)") }
        }
    }

    @Test("nothing that is asked for one thing scans a table")
    func noScans() async throws {
        let name = try Sample.name("web")
        let statements: [@Sendable (ReadSession) throws -> Void] = [
            { _ = try $0.findEnvironment(.random()) },
            { _ = try $0.census(of: .random()) },
            { _ = try $0.findVolume(.random()) },
            { _ = try $0.findVolume(named: name, in: .random()) },
            { _ = try $0.volumes(of: .random()) },
            { _ = try $0.findSnapshot(.random()) },
            { _ = try $0.findSnapshot(named: name, in: .random()) },
            { _ = try $0.expiredUndoSnapshots(at: Sample.instant) },
            { _ = try $0.undoSnapshot(of: .random()) },
            { _ = try $0.findTemplate(.random()) },
            { _ = try $0.findTemplate(named: name, in: .random()) },
            { _ = try $0.listTemplates(TemplateFilter(visibleIn: .random()), order: .byName, page: .all) },
            { _ = try $0.listTemplates(TemplateFilter(visibleIn: .random(), isOwn: true), order: .byName, page: .all) },
            { _ = try $0.findInstance(.random()) },
            { _ = try $0.findInstance(named: name, in: .random()) },
            { _ = try $0.findLayer(.random()) },
            { _ = try $0.layerTree(around: .random()) },
            { _ = try $0.findJob(.random()) },
            { _ = try $0.findJob(idempotencyKey: "key", user: .random()) },
            { _ = try $0.findUser(.random()) },
            { _ = try $0.findUser(named: "ada") },
            { _ = try $0.passwordVerifier(of: .random()) },
            { _ = try $0.findKey(digest: Data()) },
            { _ = try $0.keys(of: .random()) },
            { _ = try $0.roles(of: .random()) },
            { _ = try $0.members(of: .random()) },
        ]
        for (number, statement) in statements.enumerated() {
            for plan in try await plans(statement) {
                // The intermediate tables of `layerTree(around:)` hold one tree.
                let scans = plan.filter { $0.hasPrefix("SCAN") && !["SCAN path", "SCAN tree"].contains($0) }
                #expect(scans.isEmpty, "statement \(number)")
            }
        }
    }

    @Test("damaged snapshots are counted without a look at the others")
    func damagedSnapshots() async throws {
        let plans = try await plans { _ = try $0.damagedSnapshotCount() }
        #expect(plans.allSatisfy { $0.allSatisfy { $0.contains("INDEX snapshots_damaged") } })
        #expect(!plans.isEmpty)
    }

    @Test("open jobs are found without those that ended")
    func openJobs() async throws {
        let plans = try await plans { _ = try $0.openJobs() }
        #expect(plans == [["SCAN jobs USING INDEX jobs_open"]])
    }

    /// The plans of the statements that a piece of work runs, each as its lines.
    private func plans(_ work: @escaping @Sendable (ReadSession) throws -> Void) async throws -> [[String]] {
        try await withCatalogPath { path in
            try await withCatalog(at: path) { _ in }
            return try inspect(path) { database in
                let statements = Mutex<[String]>([])
                database.trace { event in
                    if case .statement(let statement) = event { statements.withLock { $0.append(statement.sql) } }
                }
                try work(ReadSession(database: database))
                database.trace()
                return try statements.withLock { $0 }.map { sql in
                    let plan = SQLRequest<Row>(sql: "EXPLAIN QUERY PLAN \(sql)", arguments: nulls(for: sql))
                    return try Row.fetchAll(database, plan).map { try $0.decode(String.self, forColumn: "detail") }
                }
            }
        }
    }

    private func nulls(for sql: String) -> StatementArguments {
        StatementArguments(sql.filter { $0 == "?" }.map { _ in DatabaseValue.null })
    }
}
