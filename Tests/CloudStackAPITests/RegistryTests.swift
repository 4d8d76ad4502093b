import Foundation
import SnapshotDomain
import SnapshotServices
import TestKit
import Testing

@testable import CloudStackAPI

@Suite("the registry of commands")
struct RegistryTests {
    @Test("each command is there once, and each of its parameters once, in lower case")
    func uniqueness() {
        #expect(CommandTable.byName.count == CommandTable.all.count)
        for command in CommandTable.all {
            let names = command.parameters.map(\.name)
            #expect(Set(names).count == names.count, "\(command.name): \(names)")
            #expect(names.allSatisfy { $0 == $0.lowercased() }, "\(command.name): \(names)")
            #expect(!command.summary.isEmpty && command.summary.hasSuffix("."))
            #expect(command.parameters.allSatisfy { $0.summary.hasSuffix(".") }, "\(command.name)")
            #expect(command.result.fields.allSatisfy { $0.summary.hasSuffix(".") }, "\(command.name)")
        }
    }

    @Test("a command that changes something says where it acts")
    func places() {
        for command in CommandTable.all {
            guard case .may(let permission) = command.access, permission != .read else { continue }
            #expect(command.parameter("projectid") != nil, "\(command.name)")
        }
    }

    @Test("the table of least roles that is tried as everybody has every command, and says the same")
    func leastRoles() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../Interop/commands.txt").standardizedFileURL
        var table: [String: String] = [:]
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") where !line.hasPrefix("#") {
            let words = line.split(separator: " ").map(String.init)
            try #require(words.count == 2, "\(line)")
            #expect(table.updateValue(words[0], forKey: words[1]) == nil, "\(line)")
        }
        #expect(Set(table.keys) == Set(CommandTable.all.map(\.name)))
        // These look for their place in what they name, and ask for the right to change there.
        let seekers = ["createTags", "deleteTags", "updateSnapshotPolicy", "deleteSnapshotPolicies"]
        for command in CommandTable.all where !seekers.contains(command.name) {
            let least =
                switch command.access {
                case .anybody: "user"
                case .may(let permission): permission.leastRole.rawValue
                case .operators: "operator"
                }
            #expect(table[command.name] == least, "\(command.name)")
        }
    }

    @Test("what is not served is refused with the reason, and listApis does not name it")
    func unserved() async throws {
        for (name, reason) in UnservedCommands.reasons {
            #expect(CommandTable.byName[name] == nil)
            let answer = try await TestAPI().ask(name)
            #expect(answer.status == 432)
            #expect(answer.error.contains(reason))
        }
    }

    @Test("listApis answers from the same rows")
    func listApis() async throws {
        let answer = try await TestAPI().ask("listApis")
        let apis = try answer.list("api")
        #expect(apis.compactMap { $0["name"] as? String } == CommandTable.all.map(\.name))
        let create = try #require(apis.first { $0["name"] as? String == "createSnapshot" })
        #expect(create["isasync"] as? Bool == true)
        let parameters = try #require(create["params"] as? [[String: Any]])
        let volume = try #require(parameters.first { $0["name"] as? String == "volumeid" })
        #expect(volume["required"] as? Bool == true)
        #expect(volume["type"] as? String == "uuid")
    }

    @Test("what is required is missed by its name", arguments: CommandTable.all.map(\.name))
    func missing(_ name: String) async throws {
        let command = try #require(CommandTable.byName[name])
        guard let required = command.parameters.first(where: \.isRequired) else { return }
        let answer = try await TestAPI().ask(name)
        #expect(answer.status == 431)
        #expect(answer.key == name.lowercased() + "response")
        #expect(
            answer.error
                == "Unable to execute API command \(name.lowercased()) due to missing parameter \(required.name)"
        )
    }

    @Test("who has no right to a command in an environment is told so before anything else of it happens")
    func rights() async throws {
        for role in Role.allCases {
            let user = User(id: Sample.id(8), name: "eva", isOperator: false, createdAt: Sample.instant)
            let api = TestAPI(principal: Principal(user: user, roles: [Sample.production.id: role]))
            for command in CommandTable.all where !command.parameters.contains(where: \.isRequired) {
                let answer = try await api.ask(command.name)
                let isAllowed =
                    switch command.access {
                    case .anybody: true
                    case .may(let permission): role >= permission.leastRole
                    case .operators: false
                    }
                #expect((answer.status != 401) == isAllowed, "\(role) \(command.name): \(answer.body)")
            }
        }
    }
}
