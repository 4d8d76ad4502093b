import CommandLine
import Foundation
import Platform
import Testing

/// The shipped binary.
enum Program {
    /// It is built beside the tests.
    static let path: String = {
        let environment = ProcessInfo.processInfo.environment
        if let named = environment["INSTANTA_EXECUTABLE"] { return named }
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return (tests as NSString).deletingLastPathComponent + "/instanta"
    }()

    static let isThere = FileManager.default.isExecutableFile(atPath: path)

    /// Runs it to its end.
    ///
    /// Nothing of the surroundings of the tests reaches it but `PATH`.
    static func run(
        _ words: [String],
        environment: [String: String] = [:],
        timeout: Duration = Patience.command
    ) async throws -> ProgramRun {
        let surroundings = Spawn.minimalEnvironment.merging(["HOME": "/nonexistent"]) { $1 }
        let completion = try await ChildProcess.run(
            Spawn(path, words, environment: surroundings.merging(environment) { $1 }),
            timeout: timeout
        )
        return ProgramRun(words: words, completion: completion)
    }
}

/// How a run of the program ended, and what it wrote where.
struct ProgramRun: CustomStringConvertible {
    let words: [String]
    let status: Platform.ExitStatus
    let output: String
    let errors: String

    init(words: [String], completion: ChildProcess.Completion) {
        self.words = words
        status = completion.status
        output = completion.outputText
        errors = completion.errorsText
    }

    var description: String {
        "instanta \(words.joined(separator: " ")): \(status)\n\(output)\(errors)"
    }

    func ended(_ wanted: CommandStatus) -> Bool { status == .exited(wanted.rawValue) }

    /// What it printed, without the newline at the end.
    var line: String { output.trimmingCharacters(in: .newlines) }

    /// What it printed as JSON.
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: Data(output.utf8))
    }
}

/// Bounds of waits: far beyond what a slow machine without hardware virtualisation needs.
enum Patience {
    static let command = Duration.seconds(120)
    static let boot = Duration.seconds(120)
    static let event = Duration.seconds(60)
}

/// Asks again until there is an answer.
///
/// What is waited for is told by nobody: a guest's console, another process's end.
func until<Answer>(
    _ what: Comment,
    within limit: Duration = Patience.event,
    every pause: Duration = .milliseconds(100),
    isolation: isolated (any Actor)? = #isolation,
    _ ask: () async throws -> Answer?
) async throws -> Answer {
    let deadline = ContinuousClock.now + limit
    while true {
        if let answer = try await ask() { return answer }
        try #require(ContinuousClock.now < deadline, what)
        try await Task.sleep(for: pause)
    }
}
