import Foundation
import GRDB
import QEMU
import SnapshotDomain

/// A service with many things: memory, restart, lists.
struct ScaleCase {
    let folder: String
    let volumes: Int
    let snapshotsEach: Int

    private var data: String { "\(folder)/scale" }

    func run() async throws -> [Row] {
        var rows = [
            try await withService { service in
                try await idle(service, "idle memory of the server", atMost: 60)
            }
        ]
        let filler = try await BigCatalog(data: data)
        var small = try await filler.addVolumes(100, in: "small")
        try await filler.addSnapshots(snapshotsEach, to: &small)
        var large = try await filler.addVolumes(volumes - 100, in: "large")
        var restart = Series(.seconds)
        for _ in 0..<3 {
            try await withService { restart.add($0.startTime) }
        }
        rows.append(Row("restart with \(volumes) volumes to ready", restart, atMost: 3))
        try await filler.addSnapshots(snapshotsEach, to: &large)
        let snapshots = large.volumes.count * snapshotsEach
        let (crowded, volume) = (large.environment, large.volumes[0].id)
        rows += try await withService { service in
            [
                try await idle(service, "… with \(snapshots) snapshots", atMost: 120),
                Row("restart with them to ready", "\(Series(.seconds, [service.startTime / .seconds(1)]))"),
            ] + (try await lists(service, crowded, snapshots)) + (try await pages(service, snapshots))
                + [try await change(service, volume), try await memoryAfterwards(service)]
        }
        return rows
    }

    private func withService<Value>(_ body: (MeasuredService) async throws -> Value) async throws -> Value {
        let service = try await MeasuredService.start(data: data)
        do {
            let value = try await body(service)
            await service.stop()
            return value
        } catch {
            await service.stop()
            throw error
        }
    }

    private func idle(_ service: MeasuredService, _ what: String, atMost bound: Double) async throws -> Row {
        // What a start has left to do is done by then.
        try await Task.sleep(for: .seconds(3))
        return Row(what, Series(.mebibytes, [try service.proportionalMebibytes()]), atMost: bound)
    }

    /// What it holds when it has answered about everything, which takes a picture of the whole pool.
    private func memoryAfterwards(_ service: MeasuredService) async throws -> Row {
        try await Task.sleep(for: .seconds(3))
        return Row("memory after all these lists", "\(Series(.mebibytes, [try service.proportionalMebibytes()]))")
    }

    // MARK: Lists

    private func lists(_ service: MeasuredService, _ environment: EnvironmentID, _ count: Int) async throws -> [Row] {
        let pages = 200
        var (first, middle) = (Series(.milliseconds), Series(.milliseconds))
        var (few, query) = (Series(.milliseconds), Series(.milliseconds))
        let database = try DatabaseQueue(path: "\(data)/catalog.sqlite", configuration: Self.reading)
        // The first answer of each kind is warm-up.
        for round in 0...pages {
            let isWarm = round > 0
            let times = (
                try await page(1, of: "large", service), try await page(1, of: "small", service),
                try await ask(database, environment)
            )
            guard isWarm else { continue }
            first.add(times.0)
            few.add(times.1)
            query.add(times.2)
        }
        for _ in 0..<pages { middle.add(try await page(count / 100, of: "large", service)) }
        try database.close()
        return [
            Row(
                "page of 50 of \(count) snapshots, p99",
                first,
                value: first.quantile(0.99),
                atMost: 5,
                beside: "SQLite's own: \(query)"
            ),
            Row("page of 50: of 1000 → of \(count)", few, first, within: 0.2),
            Row("a page in the middle", middle.description),
        ]
    }

    private func page(_ number: Int, of environment: String, _ service: MeasuredService) async throws -> Duration {
        let start = ContinuousClock.now
        let answer = try await service.ask("snapshots?page_number=\(number)&page_size=50", in: environment)
        let time = ContinuousClock.now - start
        guard try answer.json["data"]?.array?.count == 50 else { throw BenchFault("no page of 50 snapshots") }
        return time
    }

    private static var reading: Configuration {
        var configuration = Configuration()
        configuration.readonly = true
        return configuration
    }

    /// The same page and count in SQLite's own words.
    private func ask(_ database: DatabaseQueue, _ environment: EnvironmentID) async throws -> Duration {
        let id = withUnsafeBytes(of: environment.uuid.uuid) { Data($0) }
        return try await database.read { database in
            let start = ContinuousClock.now
            let rows = try GRDB.Row.fetchAll(
                database.cachedStatement(
                    sql: """
                        SELECT * FROM snapshots WHERE environment_id = ? ORDER BY created_at DESC, id DESC LIMIT 50
                        """
                ),
                arguments: [id]
            )
            _ = try Int.fetchOne(
                database.cachedStatement(
                    sql: "SELECT sum(count) FROM tallies WHERE list = 'snapshots' AND environment_id = ?"
                ),
                arguments: [id]
            )
            guard rows.count == 50 else { throw BenchFault("SQLite found \(rows.count) snapshots") }
            return ContinuousClock.now - start
        }
    }

    // MARK: Pages

    /// Pages of the console, each to its last byte: the first comes no later.
    private func pages(_ service: MeasuredService, _ count: Int) async throws -> [Row] {
        let visitor = try await service.signIn()
        var rows: [Row] = []
        for page in ["snapshots", "snapshots?sort=name", "volumes"] {
            var times = Series(.milliseconds)
            for round in 0...200 {
                let start = ContinuousClock.now
                let answer = try await visitor.send("GET", "/environments/large/\(page)")
                // The first answer is warm-up.
                if round > 0 { times.add(ContinuousClock.now - start) }
                guard answer.status == 200, answer.contains("<table") else {
                    throw BenchFault("the page \(page) was answered \(answer.status)")
                }
            }
            rows.append(
                Row("console page \(page) of \(count) snapshots, p99", times, value: times.quantile(0.99), atMost: 25)
            )
        }
        return rows
    }

    // MARK: Changes

    /// One more snapshot among all the others.
    private func change(_ service: MeasuredService, _ volume: VolumeID) async throws -> Row {
        var times = Series(.milliseconds)
        for _ in 0..<5 {
            try await Bench.breathe()
            let start = ContinuousClock.now
            try await service.change(
                "POST",
                "snapshots?operation=create",
                ["volumeId": .string(volume.description)],
                in: "large"
            )
            times.add(ContinuousClock.now - start)
        }
        return Row("take a snapshot of a detached volume among all these", times.description)
    }
}
