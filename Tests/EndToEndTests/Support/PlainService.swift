import CommandLine
import Foundation
import Platform
import Testing

/// A service of one test's own, without machines: for hosts that the others should not have to share.
struct PlainService {
    let data: String

    /// Serves a new data folder for as long as `body` runs.
    ///
    /// - Parameters:
    ///   - data: The folder, which need not exist.
    ///   - environment: What the service finds in its surroundings.
    ///   - body: What is done with it.
    /// - Throws: What fails the test.
    static func with(
        data: String,
        environment: [String: String] = [:],
        _ body: (PlainService) async throws -> Void
    ) async throws {
        let child = try await ChildProcess.start(
            Spawn(
                Program.path,
                ["serve", "--data-dir", data, "--listen", "127.0.0.1:0"],
                environment: Spawn.minimalEnvironment.merging(environment) { $1 },
                output: .lines,
                errors: .file("\(data).log"),
                endsWithParent: true
            )
        )
        do {
            let isListening = try await withDeadline(Patience.boot, for: "starting the service") {
                for await line in child.lines where line.contains("URL ") { return true }
                return false
            }
            try #require(isListening, "the service did not start")
            try await body(PlainService(data: data))
        } catch {
            await child.terminate(grace: Patience.event)
            throw error
        }
        await child.terminate(grace: Patience.event)
    }

    func run(_ words: [String]) async throws -> ProgramRun {
        try await Program.run(words + ["--credentials", "\(data)/credentials.json"])
    }

    /// Runs a verb that must succeed.
    @discardableResult
    func done(_ words: String..., sourceLocation: SourceLocation = #_sourceLocation) async throws -> ProgramRun {
        let run = try await run(words)
        try #require(run.ended(.done), "\(run)", sourceLocation: sourceLocation)
        return run
    }
}
