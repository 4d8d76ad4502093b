import ArgumentParser
import Foundation
import Synchronization

@testable import CommandLine

/// A stream whose text can be read back.
final class MemorySink: ByteSink {
    private let content = Mutex(Data())

    func write(_ data: Data) throws {
        content.withLock { $0.append(data) }
    }

    var text: String {
        String(decoding: content.withLock { $0 }, as: UTF8.self)
    }
}

/// The root command of the tests: every client verb and nothing else.
struct TestRoot: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "instanta", subcommands: ClientCommands.all)
}

/// What a command left behind.
struct CommandRun {
    var status: CommandStatus
    var output: String
    var errors: String
}

extension Surroundings {
    /// Surroundings of a script: no terminal, no variables, nobody to answer.
    static func ofTest(
        _ variables: [String: String] = [:],
        terminal: TerminalFacts = .none,
        answer: String? = nil,
        interruptions: @escaping @Sendable () -> AsyncStream<Void> = { AsyncStream { _ in } }
    ) -> (surroundings: Surroundings, output: MemorySink, errors: MemorySink) {
        let output = MemorySink()
        let errors = MemorySink()
        let surroundings = Surroundings(
            variables: variables,
            directory: NSTemporaryDirectory(),
            home: "/nonexistent",
            terminal: terminal,
            standardOutput: output,
            standardError: errors,
            readLine: { answer },
            interruptions: interruptions,
            timeZone: .gmt
        )
        return (surroundings, output, errors)
    }
}

extension TestService {
    /// Variables by which commands find this service and an environment in it.
    var variables: [String: String] {
        [
            "INSTANTA_URL": url, "INSTANTA_API_KEY": "k3y", "INSTANTA_SERVICE": "local",
            "INSTANTA_ENVIRONMENT": "demo",
        ]
    }

    /// Runs a command line against this service.
    func run(
        _ arguments: String...,
        variables more: [String: String] = [:],
        terminal: TerminalFacts = .none,
        answer: String? = nil,
        interruptions: @escaping @Sendable () -> AsyncStream<Void> = { AsyncStream { _ in } }
    ) async throws -> CommandRun {
        let (surroundings, output, errors) = Surroundings.ofTest(
            variables.merging(more) { $1 },
            terminal: terminal,
            answer: answer,
            interruptions: interruptions
        )
        return try await CommandRun(arguments, surroundings, output, errors)
    }
}

extension CommandRun {
    init(_ arguments: [String], _ surroundings: Surroundings, _ output: MemorySink, _ errors: MemorySink) async throws {
        guard let command = try await TestRoot.asyncParseAsRoot(arguments) as? any ClientCommand else {
            throw CommandFailure(.usage, "\(arguments) is no client command")
        }
        status = await command.execute(in: surroundings)
        self.output = output.text
        self.errors = errors.text
    }
}
