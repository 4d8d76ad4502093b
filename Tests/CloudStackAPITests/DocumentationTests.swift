import Foundation
import SnapshotDomain
import Testing

@testable import CloudStackAPI

/// The commands in `docs/api/cloudstack.md` are the registry's.
///
/// `INSTANTA_WRITE_DOCS=1 swift test --filter CloudStackAPITests.DocumentationTests` writes them anew.
@Suite("the documentation of the query API")
struct DocumentationTests {
    private static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../docs/api/cloudstack.md").standardizedFileURL
    private static let begin =
        "<!-- From here on written by CloudStackAPITests/DocumentationTests from the registry. -->\n"

    @Test("its commands, parameters and deviations are those of the registry")
    func isCurrent() throws {
        let text = try String(contentsOf: Self.file, encoding: .utf8)
        let parts = text.components(separatedBy: Self.begin)
        try #require(parts.count == 2, "the mark before the generated part is missing")
        let wanted = CommandTable.documentation
        if ProcessInfo.processInfo.environment["INSTANTA_WRITE_DOCS"] != nil {
            try (parts[0] + Self.begin + wanted).write(to: Self.file, atomically: true, encoding: .utf8)
        } else {
            #expect(parts[1] == wanted, "docs/api/cloudstack.md is old; see this suite for how to write it anew")
        }
    }
}

extension CommandTable {
    /// The reference of all commands, in Markdown.
    fileprivate static var documentation: String {
        "\n## Commands\n\n" + overview + "\n" + all.map(\.documentation).joined(separator: "\n") + unserved
    }

    private static var unserved: String {
        let rows = UnservedCommands.reasons.sorted { $0.key < $1.key }.map { "| \($0.key) | \($0.value) |\n" }
        return "\n## Commands that are not served\n\nThey are answered with 432, as unknown ones are.\n\n"
            + "| command | why |\n| --- | --- |\n" + rows.joined()
    }

    private static var overview: String {
        let rows = all.map { command in
            "| [\(command.name)](#\(command.name.lowercased())) | \(command.kind.letter) | \(command.access.text) | "
                + "\(command.summary) |\n"
        }
        return "S answers at once, A with a job, AC with a job and the id of what that makes.\n\n"
            + "| command | kind | least role | what |\n| --- | --- | --- | --- |\n" + rows.joined()
    }
}

extension Command {
    fileprivate var documentation: String {
        var text = "### \(name)\n\n\(summary)\n"
        if !parameters.isEmpty {
            text += "\n| parameter | type | what |\n| --- | --- | --- |\n"
            for parameter in parameters {
                let name = parameter.isRequired ? "**\(parameter.name)**" : parameter.name
                let words =
                    if case .word(let words) = parameter.kind { " One of " + words.joined(separator: ", ") + "." } else
                    { "" }
                text += "| \(name) | \(parameter.kind.word) | \(parameter.summary)\(words) |\n"
            }
        }
        if !result.fields.isEmpty {
            text +=
                "\nAnswers with `\(result.object)`: " + result.fields.map { "`\($0.name)`" }.joined(separator: ", ")
                + ".\n"
        }
        if !deviations.isEmpty {
            text += "\nDiffers from other servers:\n\n" + deviations.map { "- \($0)\n" }.joined()
        }
        return text
    }
}

extension Command.Kind {
    fileprivate var letter: String {
        switch self {
        case .synchronous: "S"
        case .asynchronous: "A"
        case .creation: "AC"
        }
    }
}

extension Command.Access {
    fileprivate var text: String {
        switch self {
        case .anybody: "any"
        case .may(let permission): permission.leastRole.rawValue
        case .operators: "operator"
        }
    }
}
