import CommandLine
import Foundation
import Glibc
import Platform
import Testing

/// A service in a temporary folder, with the demo environment: what the tests of one suite share.
///
/// One machine boots for all of them. Each test leaves the service running and `web01` counting, and names what it makes
/// so that no other test meets it.
actor Ground {
    @TaskLocal private static var shared: Ground?

    /// The ground of the running suite.
    static var current: Ground {
        get throws { try #require(shared, "the suite has no service: see the trait 'withService'") }
    }

    /// Of everything that is made here.
    nonisolated let folder: String
    nonisolated var data: String { "\(folder)/data" }
    private var child: ChildProcess?
    private(set) var url = ""

    private init() throws {
        folder = "\(NSTemporaryDirectory())/e2e-\(RandomName.make(length: 8))".replacing("//", with: "/")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    /// Opens one for as long as `body` runs.
    ///
    /// Nothing is left behind, also after a failure.
    static func open(_ body: () async throws -> Void) async throws {
        let ground = try Ground()
        do {
            try await ground.serve()
            try await ground.waitForDemo()
            try await $shared.withValue(ground) { try await body() }
        } catch {
            await ground.close()
            throw error
        }
        await ground.close()
    }

    // MARK: The service

    /// The service's process, while it runs.
    var service: ChildProcess {
        get throws { try #require(child) }
    }

    /// Starts the service, and returns when it listens.
    func serve() async throws {
        let started = try await ChildProcess.start(
            Spawn(
                Program.path,
                ["serve", "--data-dir", data, "--listen", "127.0.0.1:0", "--demo-guest", DemoGuest.image],
                output: .lines,
                errors: .file("\(folder)/service.log"),
                endsWithParent: true
            )
        )
        child = started
        let address = try await withDeadline(Patience.boot, for: "starting the service") { () -> String? in
            for await line in started.lines where line.contains("URL ") {
                return line.split(separator: " ").last.map(String.init)
            }
            return nil
        }
        url = try #require(address, "the service did not start: \(log)")
    }

    /// Asks the service to end, as Ctrl-C does.
    func stop() async throws -> Platform.ExitStatus {
        let ended = try service
        ended.signal(SIGINT)
        return try #require(await ended.wait(within: Patience.event), "the service does not stop: \(log)")
    }

    /// Ends the service as a crash does.
    func kill() async throws {
        let ended = try service
        ended.signal(SIGKILL)
        _ = await ended.wait()
    }

    nonisolated var log: String {
        (try? String(contentsOfFile: "\(folder)/service.log", encoding: .utf8)) ?? ""
    }

    private func waitForDemo() async throws {
        // The machine is made after the service listens.
        _ = try await until("the demo machine is there: \(log)", within: Patience.boot) {
            let list = try await run(["instance", "list", "--format", "json"])
            return list.output.contains(#""web01""#) ? true : nil
        }
        _ = try await beat(of: "web01")
    }

    // MARK: The program

    /// Runs a verb against the service.
    func run(_ words: [String], timeout: Duration = Patience.command) async throws -> ProgramRun {
        try await Program.run(
            words + ["--credentials", "\(data)/credentials.json"],
            timeout: timeout
        )
    }

    /// Runs a verb that must succeed.
    @discardableResult
    func done(_ words: String..., sourceLocation: SourceLocation = #_sourceLocation) async throws -> ProgramRun {
        try await done(words, sourceLocation: sourceLocation)
    }

    /// Runs a verb that must succeed.
    @discardableResult
    func done(_ words: [String], sourceLocation: SourceLocation = #_sourceLocation) async throws -> ProgramRun {
        let run = try await run(words)
        try #require(run.ended(.done), "\(run)\n\(log.suffix(2_000))", sourceLocation: sourceLocation)
        return run
    }

    /// Runs a verb that must succeed, and reads its JSON.
    func json<Value: Decodable>(
        _ type: Value.Type,
        _ words: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Value {
        let run = try await run(words + ["--format", "json"])
        try #require(run.ended(.done), "\(run)\n\(log.suffix(2_000))", sourceLocation: sourceLocation)
        return try run.decode(type)
    }

    // MARK: Machines

    func story(of machine: String, in environment: String = "demo") async throws -> ConsoleStory {
        let run = try await run(["instance", "console", machine, "--environment", environment])
        return ConsoleStory(run.output)
    }

    /// The next heartbeat of a machine: a new line on its console, so it lives.
    func beat(of machine: String, in environment: String = "demo") async throws -> Heartbeat {
        let before = try await story(of: machine, in: environment)
        return try await until("\(machine) counts", within: Patience.boot) {
            let now = try await story(of: machine, in: environment)
            return now.last == before.last && now.starts.count == before.starts.count ? nil : now.last
        }
    }

    /// Waits until a machine has counted some seconds further.
    func wait(for seconds: Int, of machine: String) async throws -> Heartbeat {
        let start = try await beat(of: machine)
        return try await until("\(machine) counts on", within: Patience.boot) {
            let now = try await beat(of: machine)
            return now.root >= start.root + seconds * 5 ? now : nil
        }
    }

    /// The first heartbeat after a machine's start, when it has started more often than `count` times.
    func firstBeat(of machine: String, afterStart count: Int, in environment: String = "demo") async throws -> Heartbeat
    {
        try await until("\(machine) starts", within: Patience.boot) {
            let story = try await story(of: machine, in: environment)
            return story.starts.count > count ? story.starts.last?.first : nil
        }
    }

    /// The process that runs a machine.
    func process(of machine: String) async throws -> RunningProcess {
        let id = try await json(InstanceAnswer.self, "instance", "show", machine).id
        let pidFile = "\(data)/machines/\(id)/pid"
        return try #require(RunningProcess.find(pidFile: pidFile, marker: pidFile), "\(machine) has no process")
    }

    // MARK: The end

    private func close() async {
        if let child { await child.terminate(grace: .seconds(20)) }
        // Machines go on without the service, by design: by now nobody else would end them.
        let machines = (try? FileManager.default.contentsOfDirectory(atPath: "\(data)/machines")) ?? []
        for machine in machines {
            let pidFile = "\(data)/machines/\(machine)/pid"
            try? await RunningProcess.find(pidFile: pidFile, marker: pidFile)?.terminate(grace: .seconds(2))
        }
        try? FileManager.default.removeItem(atPath: folder)
    }
}

/// Opens a ``Ground`` around a whole suite.
struct ServiceTrait: SuiteTrait, TestScoping {
    let isRecursive = false

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable () async throws -> Void
    ) async throws {
        try await Ground.open { try await function() }
    }
}

extension Trait where Self == ServiceTrait {
    /// Its tests share one service and one running machine.
    static var withService: Self { Self() }
}
