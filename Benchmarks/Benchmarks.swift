import Foundation
import Glibc
import Platform
import QEMU

/// Measures the budgets of the design against the bare tools, side by side in one run, and prints a table.
///
/// Takes a few minutes. A budget that is missed is told and is no failure; the exit status is 1 only when something could
/// not be measured.
///
///     benchmarks [CASE…]      snapshot, shape, depth, thin, deletion, overhead, scale; all without one
@main
struct Benchmarks {
    private static let cases = ["snapshot", "shape", "depth", "thin", "deletion", "overhead", "scale"]

    static func main() async {
        signal(SIGPIPE, SIG_IGN)
        let asked = Array(CommandLine.arguments.dropFirst())
        guard asked.allSatisfy(cases.contains) else {
            tell("usage: benchmarks [\(cases.joined(separator: "|"))]…")
            exit(64)
        }
        let folder = "/tmp/instanta-bench-\(RandomName.make(length: 6))"
        var failures = 0
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for line in await Surroundings.describe() { print("- \(line)") }
            let run = Benchmarks(folder: folder, asked: asked.isEmpty ? cases : asked)
            let (rows, problems) = try await run.measure()
            print("\n\(ResultTable(rows: rows))")
            failures = problems
        } catch {
            tell("\(error)")
            failures += 1
        }
        try? FileManager.default.removeItem(atPath: folder)
        exit(failures == 0 ? 0 : 1)
    }

    private static func tell(_ text: String) {
        FileHandle.standardError.write(Data("benchmarks: \(text)\n".utf8))
    }

    private let folder: String
    private let asked: [String]

    /// Returns the rows, and how many cases failed.
    private func measure() async throws -> (rows: [Row], failures: Int) {
        var rows: [Row] = []
        var failures = 0
        func attempt(_ name: String, _ body: () async throws -> [Row]) async {
            guard asked.contains(name) else { return }
            let start = ContinuousClock.now
            do {
                rows += try await body()
                Self.tell("\(name) took \(Series(.seconds, [(ContinuousClock.now - start) / .seconds(1)]))")
            } catch {
                Self.tell("\(name): \(error)")
                failures += 1
            }
        }
        if asked.contains(where: { !["depth", "scale"].contains($0) }) {
            try await withDemo("demo") { service, machine in
                await attempt("snapshot") { try await snapshot(service, machine) }
                await attempt("shape") {
                    let instance = (machine as NSString).lastPathComponent
                    return try await ShapeCase(service: service, instance: instance).sizes(1, 100, rounds: 34)
                }
                await attempt("thin") { try await ThinCase(service: service, folder: folder).run(rounds: 12) }
                await attempt("deletion") { try await DeletionCase(service: service).run() }
                await attempt("overhead") { try await OverheadCase(service: service).run(rounds: 20) }
            }
        }
        await attempt("depth") {
            // The collector would shorten such a chain.
            try await withDemo("deep", settings: "[collection]\nsoft_depth = 100\n") { service, machine in
                let instance = (machine as NSString).lastPathComponent
                return try await ShapeCase(service: service, instance: instance).depths(30, rounds: 20)
            }
        }
        await attempt("scale") {
            // In memory: to remove so many files takes some disks minutes, and what is measured reads from memory anyway.
            let folder = "/dev/shm/\((folder as NSString).lastPathComponent)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            return try await ScaleCase(folder: folder, volumes: 10_000, snapshotsEach: 10).run()
        }
        return (rows, failures)
    }

    /// Runs a service with the demo machine.
    private func withDemo<Value>(
        _ name: String,
        settings: String? = nil,
        _ body: (MeasuredService, _ machine: String) async throws -> Value
    ) async throws -> Value {
        let environment = ProcessInfo.processInfo.environment
        let guest = environment["INSTANTA_DEMO_GUEST"] ?? "var/demo-guest.qcow2"
        guard FileManager.default.fileExists(atPath: guest) else {
            throw BenchFault("\(guest) is missing: scripts/build-demo-guest \(guest)")
        }
        let data = "\(folder)/\(name)"
        let service = try await MeasuredService.start(data: data, demoGuest: guest, settings: settings)
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(service, try await service.waitForDemo()))
        } catch {
            result = .failure(error)
        }
        await service.stop()
        // Machines go on without their service.
        for machine in (try? FileManager.default.contentsOfDirectory(atPath: "\(data)/machines")) ?? [] {
            let pidFile = "\(data)/machines/\(machine)/pid"
            try await RunningProcess.find(pidFile: pidFile, marker: pidFile)?.terminate(grace: .seconds(2))
        }
        return try result.get()
    }

    private func snapshot(_ service: MeasuredService, _ machine: String) async throws -> [Row] {
        let volume = try await service.id(of: "web01_data", among: "volumes")
        let root = try await service.id(of: "ROOT-web01", among: "volumes")
        let nodes = try await service.get("volumes/\(root)/tree").array ?? []
        guard let base = nodes.first(where: { $0["parentId"]?.string == nil })?["layerId"]?.string else {
            throw BenchFault("ROOT-web01 has no base")
        }
        let image = "\(service.data)/pools/local/layers/\(base).qcow2"
        let bare = try await BareMachine(folder: "\(folder)/bare", image: image)
        do {
            try await bare.waitForHeartbeat()
            let run = SnapshotCase(service: service, machine: machine, bare: bare, volume: volume)
            let rows = try await run.time(rounds: 14) + run.stall(rounds: 20)
            await bare.stop()
            return rows
        } catch {
            await bare.stop()
            throw error
        }
    }
}
