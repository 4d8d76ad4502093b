import ArgumentParser
import Foundation
import SnapshotDomain
import Testing

@testable import CommandLine

@Suite("exit statuses")
struct CommandStatusTests {
    @Test("every error code has its documented status")
    func mapping() {
        let expected: [ServiceError.Code: Int32] = [
            .invalidInput: 64, .notAuthenticated: 6, .notAllowed: 6, .notFound: 4, .nameTaken: 5, .wrongState: 5,
            .inUse: 5, .noSpace: 1, .limitExceeded: 1, .badImage: 1, .guestFailed: 1, .damaged: 1, .unavailable: 7,
            .cancelled: 1, .internalError: 1,
        ]
        for code in ServiceError.Code.allCases {
            #expect(CommandStatus(code).rawValue == expected[code], "\(code)")
        }
    }

    @Test("the numbers are those that scripts know")
    func numbers() {
        #expect(CommandStatus.allCases.map(\.rawValue) == [0, 1, 3, 4, 5, 6, 7, 64, 130])
    }

    @Test(
        "an answer without a code of ours is judged by its status",
        arguments: [
            (403, CommandStatus.notAllowed), (404, .notFound), (409, .conflict), (502, .unreachable), (500, .failed),
        ]
    )
    func statuses(_ status: Int, _ expected: CommandStatus) {
        #expect(CommandFailure(httpStatus: status, body: .null).status == expected)
    }

    @Test("an error's reason decides, not the status it came with")
    func reason() {
        let body: JSONValue = ["errors": [["reason": "wrong_state", "message": "It runs."]]]
        let failure = CommandFailure(httpStatus: 400, body: body)
        #expect(failure.status == .conflict)
        #expect(failure.message == "It runs.")
    }

    @Test("the request's identity is shown only for the service's own faults")
    func requestIdentity() {
        let fault: JSONValue = ["errors": [["reason": "internal_error", "message": "Oops."]]]
        let mistake: JSONValue = ["errors": [["reason": "invalid_input", "message": "No."]]]
        #expect(CommandFailure(httpStatus: 500, body: fault, requestID: "r-1").report.contains("r-1"))
        #expect(!CommandFailure(httpStatus: 400, body: mistake, requestID: "r-1").report.contains("r-1"))
    }

    /// The text of `docs/cli.md`.
    private func documentation() throws -> String {
        var root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        while root.lastPathComponent != "Tests" { root.deleteLastPathComponent() }
        return try String(contentsOf: root.deletingLastPathComponent().appending(path: "docs/cli.md"), encoding: .utf8)
    }

    @Test("every status, every code and every verb is documented")
    func documented() throws {
        let text = try documentation()
        for status in CommandStatus.allCases { #expect(text.contains("\n| \(status.rawValue) | ")) }
        for code in ServiceError.Code.allCases { #expect(text.contains("`\(code.rawValue)`")) }
        func visit(_ command: any ParsableCommand.Type, _ path: String) {
            let path = "\(path) \(command.configuration.commandName ?? "")"
            let verbs = command.configuration.subcommands
            if verbs.isEmpty { #expect(text.contains("| `\(path)"), "\(path)") }
            verbs.forEach { visit($0, path) }
        }
        ClientCommands.all.forEach { visit($0, "instanta") }
    }
}
