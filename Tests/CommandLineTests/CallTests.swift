import Foundation
import Synchronization
import Testing

@testable import CommandLine

@Suite("commands against a service")
struct CallTests {
    private static let root = "/api/v2/services/local/demo"

    private func snapshot(_ number: Int, _ name: String) -> JSONValue {
        .object([
            "id": .text("0d9c5a6e-0000-4000-8000-00000000000\(number)"), "name": .text(name), "state": "BackedUp",
            "volume": "ROOT-web01", "virtualSize": .integer(5 << 30), "exclusiveBytes": .integer(3 << 20),
            "consistency": "crash", "creationDate": "2026-11-22T14:30:01.000Z",
        ])
    }

    private func done(_ data: JSONValue) -> TestService.Response {
        .json(["taskId": "7", "taskStatus": "SUCCESS", "data": data])
    }

    // MARK: Reading

    @Test("a list is a table for people, everything for programs, ids for scripts")
    func formats() async throws {
        let snapshots = [snapshot(1, "a"), snapshot(2, "b")]
        try await TestService.with(routes: ["GET \(Self.root)/snapshots": .list(snapshots)]) { service in
            let table = try await service.run("snapshot", "list", variables: ["LANG": "es_ES.UTF-8"])
            #expect(
                table.output == """
                    Nombre  Estado      Volumen     Tamaño  Exclusivo  Coherencia  Creación             ID
                    a       Completado  ROOT-web01   5 GiB      3 MiB  crash       2026-11-22 14:30:01  0d9c5a6e-0000-4000-8000-000000000001
                    b       Completado  ROOT-web01   5 GiB      3 MiB  crash       2026-11-22 14:30:01  0d9c5a6e-0000-4000-8000-000000000002

                    """
            )
            let json = try await service.run("snapshot", "ls", "--format", "json")
            #expect(try JSONDecoder().decode(JSONValue.self, from: Data(json.output.utf8)) == .list(snapshots))
            let yaml = try await service.run("snapshot", "ls", "--format", "yaml")
            #expect(
                yaml.output.hasPrefix("- id: \"0d9c5a6e-0000-4000-8000-000000000001\"\n  name: a\n  state: BackedUp\n")
            )
            let ids = try await service.run("snapshot", "ls", "--quiet", "--format", "json")
            #expect(ids.output == "0d9c5a6e-0000-4000-8000-000000000001\n0d9c5a6e-0000-4000-8000-000000000002\n")
        }
    }

    @Test("a damaged snapshot, and a volume that is too deep, say so where they are shown")
    func troubles() async throws {
        guard case .object(var fields) = snapshot(1, "a") else { preconditionFailure("a snapshot is an object") }
        fields["damagedAt"] = "2026-11-23T08:00:00.000Z"
        fields["error"] = ["message": "Other bytes."]
        let volume: JSONValue = [
            "id": "v", "name": "disk", "state": "Ready", "chainDepth": 20, "chainMissingBytes": .integer(3 << 30),
        ]
        let routes: [String: TestService.Response] = [
            "GET \(Self.root)/snapshots": .list([.object(fields)]), "GET \(Self.root)/volumes": .list([volume]),
        ]
        try await TestService.with(routes: routes) { service in
            let list = try await service.run("snapshot", "list")
            #expect(list.output.contains("Damaged") && !list.output.contains("Completed"))
            let snapshot = try await service.run("snapshot", "show", "a")
            #expect(snapshot.output.contains("Other bytes."))
            #expect(snapshot.output.contains("2026-11-23 08:00:00"))
            let disk = try await service.run("volume", "show", "disk")
            #expect(disk.output.contains("20: too deep") && disk.output.contains("3 GiB more"))
        }
    }

    @Test("an empty list is no failure, and valid for programs")
    func empty() async throws {
        try await TestService.with(routes: ["GET \(Self.root)/volumes": .list([])]) { service in
            let json = try await service.run("volume", "ls", "--format", "json")
            #expect(json.status == .done)
            #expect(json.output == "[]\n")
        }
    }

    @Test("a long list is read page by page")
    func pages() async throws {
        try await TestService.with({ request in
            let page = request.query["page_number"].flatMap { Int($0) } ?? 1
            let size = request.query["page_size"].flatMap { Int($0) } ?? 1
            let rows = ((page - 1) * size..<min(page * size, 1_200)).map { JSONValue.object(["id": .text("\($0)")]) }
            return .json(["data": .list(rows), "metadata": ["recordCount": 1_200]])
        }) { service in
            let run = try await service.run("template", "ls", "-q")
            let expected: String = (0..<1_200).map { "\($0)\n" }.joined()
            #expect(run.output == expected)
            #expect(service.requests.count == 3)
            let tasks = try await service.run("task", "ls", "--limit", "7", "-q")
            #expect(tasks.output.split(separator: "\n").count == 7)
        }
    }

    @Test("the only environment and service are found without being named")
    func place() async throws {
        let routes: [String: TestService.Response] = [
            "GET /api/v2/services/connections": .list([["id": "c", "serviceCode": "cloud"]]),
            "GET /api/v2/environments": .list([["id": "e", "name": "only"]]),
            "GET /api/v2/services/cloud/only/instances": .list([["id": "i"]]),
        ]
        try await TestService.with(routes: routes) { service in
            let run = try await service.run(
                "instance",
                "ls",
                "-q",
                variables: ["INSTANTA_SERVICE": "", "INSTANTA_ENVIRONMENT": ""]
            )
            #expect(run.output == "i\n")
        }
    }

    @Test("a wrong environment is named, with those that look alike")
    func wrongEnvironment() async throws {
        let routes = ["GET /api/v2/environments": TestService.Response.list([["id": "e", "name": "production"]])]
        try await TestService.with(routes: routes) { service in
            let run = try await service.run("instance", "ls", "-e", "prodution")
            #expect(run.status == .notFound)
            #expect(run.errors.contains("no environment 'prodution'"))
            #expect(run.errors.contains("Did you mean 'production'?"))
        }
    }

    // MARK: Changing

    @Test("a name is looked up, the change is made, and the result is shown")
    func create() async throws {
        let volume: JSONValue = ["id": "0d9c5a6e-0000-4000-8000-0000000000aa", "name": "ROOT-web01"]
        let routes = [
            "GET \(Self.root)/volumes": TestService.Response.list([volume]),
            "POST \(Self.root)/snapshots": done(snapshot(1, "web01_ROOT-web01_20261122143001")),
        ]
        try await TestService.with(routes: routes) { service in
            let run = try await service.run(
                "snapshot",
                "create",
                "--volume",
                "ROOT-web01",
                "--consistency",
                "filesystem",
                "--fail-on-missed-freeze"
            )
            #expect(run.status == .done)
            #expect(run.output.contains("web01_ROOT-web01_20261122143001  Completed"))
            #expect(run.errors.contains("only crash-consistent"))
            let request = try #require(service.requests.last)
            #expect(request.query == ["operation": "create"])
            #expect(request.json == ["volumeId": volume["id"], "consistency": "filesystem", "onMiss": "fail"])
        }
    }

    @Test("after a revert the way back is told, beside the data")
    func revert() async throws {
        let id = "0d9c5a6e-0000-4000-8000-000000000001"
        let volume: JSONValue = ["id": "v", "name": "my volume", "undoSnapshotId": "u"]
        try await TestService.with(routes: ["POST \(Self.root)/snapshots/\(id)": done(volume)]) { service in
            let run = try await service.run("snapshot", "revert", id)
            #expect(run.errors == "undo: instanta volume undo-revert 'my volume'\n")
            #expect(service.requests.map(\.json) == [["restartInstance": true]])
            let quiet = try await service.run("snapshot", "revert", id, "-q")
            #expect(quiet.output == "v\n")
            #expect(quiet.errors.isEmpty)
        }
    }

    @Test("what takes longer is waited for, through a restart of the service")
    func waiting() async throws {
        let questions = Mutex(0)
        try await TestService.with({ request in
            guard request.route == "GET /api/v2/tasks/7" else {
                return .json(["taskId": "7", "taskStatus": "PENDING"])
            }
            let question = questions.withLock { count in
                count += 1
                return count
            }
            switch question {
            case 1:
                return .json([
                    "taskId": "7", "taskStatus": "PENDING", "data": ["id": "7", "status": "PENDING", "created": "x"],
                ])
            case 2: return .error(503, "unavailable", "Starting.")
            default:
                return .json([
                    "taskStatus": "SUCCESS",
                    "data": ["id": "7", "status": "SUCCESS", "created": "x", "result": ["id": "done"]],
                ])
            }
        }) { service in
            let run = try await service.run("instance", "start", "0d9c5a6e-0000-4000-8000-000000000001", "-q")
            #expect(run.status == .done)
            #expect(run.output == "done\n")
            #expect(service.requests.dropFirst().allSatisfy { $0.headers["prefer"] == "wait=10" })
        }
    }

    // A task that failed for want of a part of the service has ended: the service itself answers.
    @Test(
        "a failed task ends the wait with the status of its reason",
        .timeLimit(.minutes(1)),
        arguments: [("in_use", CommandStatus.conflict), ("unavailable", .unreachable)]
    )
    func failure(_ reason: String, _ status: CommandStatus) async throws {
        let failed: JSONValue = [
            "taskStatus": "FAILED",
            "data": [
                "id": "7", "status": "FAILED", "created": "x",
                "result": ["errors": [["reason": .text(reason), "message": "It is in use."]]],
            ],
        ]
        try await TestService.with({ request in
            request.method == "GET" ? .json(failed) : .json(["taskId": "7", "taskStatus": "PENDING"])
        }) { service in
            let run = try await service.run("volume", "delete", "0d9c5a6e-0000-4000-8000-000000000001", "--yes")
            #expect(run.status == status)
            #expect(run.errors == "error: It is in use.\n")
        }
    }

    @Test("without waiting, the task's id is the output")
    func noWait() async throws {
        try await TestService.with({ _ in .json(["taskId": "7", "taskStatus": "PENDING"]) }) { service in
            let id = "0d9c5a6e-0000-4000-8000-000000000001"
            let run = try await service.run("snapshot", "verify", id, "--no-wait")
            #expect(run.output == "7\n")
            let json = try await service.run("snapshot", "verify", id, "--no-wait", "--format", "json")
            #expect(json.output.contains(#""taskId": "7""#))
            #expect(service.requests.allSatisfy { $0.method == "POST" })
        }
    }

    @Test("Ctrl-C ends the waiting, says that the task goes on, and ends with 130")
    func interruption() async throws {
        try await TestService.with({ _ in .json(["taskId": "7", "taskStatus": "PENDING"]) }) { service in
            let run = try await service.run(
                "instance",
                "stop",
                "a",
                "b",
                variables: [:],
                interruptions: { AsyncStream { $0.yield() } }
            )
            #expect(run.status == .someFailed)
            let one = try await service.run(
                "instance",
                "stop",
                "0d9c5a6e-0000-4000-8000-000000000001",
                "0d9c5a6e-0000-4000-8000-000000000002",
                interruptions: { AsyncStream { $0.yield() } }
            )
            #expect(one.status == .interrupted)
            #expect(one.errors.contains("the task goes on"))
            #expect(one.errors.contains("instanta task cancel 7"))
        }
    }

    @Test("of several targets each failure is reported, and the others are done")
    func several() async throws {
        let all = [snapshot(1, "a"), snapshot(3, "c")]
        let routes = [
            "GET \(Self.root)/snapshots": TestService.Response.list(all),
            "DELETE \(Self.root)/snapshots/0d9c5a6e-0000-4000-8000-000000000001": .error(400, "in_use", "No."),
            "DELETE \(Self.root)/snapshots/0d9c5a6e-0000-4000-8000-000000000003": done([:]),
        ]
        try await TestService.with(routes: routes) { service in
            let run = try await service.run("snapshot", "delete", "a", "b", "c", "--yes", "-q")
            #expect(run.status == .someFailed)
            #expect(run.output == "0d9c5a6e-0000-4000-8000-000000000003\n")
            #expect(run.errors.contains("error: a: No."))
            #expect(run.errors.contains("error: b: There is no snapshot 'b'."))
            #expect(run.errors.contains("2 of 3 failed"))
            let one = try await service.run("snapshot", "delete", "a", "--yes")
            #expect(one.status == .conflict)
        }
    }

    // MARK: Questions

    @Test("a deletion shows its plan and asks; without anybody to answer it needs --yes")
    func confirmation() async throws {
        let id = "0d9c5a6e-0000-4000-8000-000000000001"
        let plan: JSONValue = [
            "freedBytesAtLeast": .integer(1 << 20), "freedBytesAtMost": .integer(3 << 20),
            "copiedBytes": .integer(2 << 20),
            "keptLayers": 0, "dependents": [["type": "volumes", "name": "ROOT-web01"]],
        ]
        let routes = [
            "GET \(Self.root)/snapshots/deletionPlan": TestService.Response.data(plan),
            "DELETE \(Self.root)/snapshots/\(id)": done([:]),
        ]
        try await TestService.with(routes: routes) { service in
            var terminal = TerminalFacts.none
            terminal.isInput = true
            terminal.isError = true
            let script = try await service.run("snapshot", "delete", id)
            #expect(script.status == .usage)
            #expect(script.errors.contains("--yes"))
            let no = try await service.run("snapshot", "delete", id, terminal: terminal, answer: "no")
            #expect(no.status == .failed)
            #expect(
                no.errors.contains(
                    "Frees 1 MiB to 3 MiB and copies at most 2 MiB. volume ROOT-web01 reads what it holds"
                )
            )
            #expect(service.requests.allSatisfy { $0.method == "GET" && $0.query == ["ids": id] })
            let yes = try await service.run("snapshot", "delete", id, terminal: terminal, answer: "Y")
            #expect(yes.status == .done)
            #expect(service.requests.last?.method == "DELETE")
            let dry = try await service.run("snapshot", "delete", id, "--dry-run", "--format", "json")
            #expect(try JSONDecoder().decode(JSONValue.self, from: Data(dry.output.utf8)) == plan)
        }
    }

    // MARK: Faults

    @Test("a service that is not there ends with 7 and says how to start one")
    func unreachable() async throws {
        let port = try await TestService.with(routes: [:]) { $0.port }
        let (surroundings, output, errors) = Surroundings.ofTest([
            "INSTANTA_URL": "http://127.0.0.1:\(port)", "INSTANTA_API_KEY": "se-cret", "INSTANTA_SERVICE": "s",
            "INSTANTA_ENVIRONMENT": "e",
        ])
        let run = try await CommandRun(["instance", "ls"], surroundings, output, errors)
        #expect(run.status == .unreachable)
        #expect(run.errors.contains("instanta serve"))
        #expect(!run.errors.contains("se-cret"))
    }

    @Test("a change whose answer was lost is asked for again with the same key, and done once")
    func lostAnswer() async throws {
        let requests = Mutex(0)
        try await TestService.with({ _ in
            let isFirst = requests.withLock { count in
                count += 1
                return count == 1
            }
            return isFirst ? .none : .json(["taskId": "7", "taskStatus": "SUCCESS", "data": ["id": "v"]])
        }) { service in
            let run = try await service.run("volume", "detach", "0d9c5a6e-0000-4000-8000-000000000001", "-q")
            #expect(run.output == "v\n", "\(run.errors)")
            let keys = service.requests.map { $0.headers["idempotency-key"] }
            #expect(keys.count == 2)
            #expect(keys[0] != nil)
            #expect(keys[0] == keys[1])
        }
    }

    @Test("a redirect is not followed: the key stays with the service it belongs to")
    func redirect() async throws {
        try await TestService.with(routes: [:]) { other in
            let away = TestService.Response(status: 302, headers: ["Location": "\(other.url)/api/v2/status"])
            try await TestService.with(routes: ["GET /api/v2/status": away]) { service in
                let run = try await service.run("status")
                #expect(run.status == .unreachable)
                #expect(other.requests.isEmpty)
            }
        }
    }

    @Test(
        "nonsense from the other side is an error with a remedy, never a crash",
        arguments: ["", "<html>", "[]", "{}", "null", #"{"data": 5}"#, #"{"data": [5, null, "x"], "metadata": 1}"#]
    )
    func nonsense(_ body: String) async throws {
        try await TestService.with({ _ in TestService.Response(body: Data(body.utf8)) }) { service in
            for line in [["snapshot", "ls"], ["status"], ["volume", "tree", "0d9c5a6e-0000-4000-8000-000000000001"]] {
                let (surroundings, output, errors) = Surroundings.ofTest(service.variables)
                let run = try await CommandRun(line, surroundings, output, errors)
                #expect(run.status == .done || run.errors.hasPrefix("error: "))
            }
            let change = try await service.run("volume", "detach", "0d9c5a6e-0000-4000-8000-000000000001")
            #expect(change.status == .failed)
        }
    }

    // MARK: Consoles and completions

    @Test("a console is read from where it stopped, to its end")
    func console() async throws {
        let id = "0d9c5a6e-0000-4000-8000-000000000001"
        try await TestService.with({ request in
            let text = "count 1\ncount 2\n\u{1B}[2J"
            let offset = request.query["offset"].flatMap { Int($0) } ?? 0
            let part = String(text.dropFirst(offset).prefix(7))
            return TestService.Response(
                headers: ["Content-Type": "text/plain", "X-Next-Offset": "\(offset + part.utf8.count)"],
                body: Data(part.utf8)
            )
        }) { service in
            let piped = try await service.run("instance", "console", id)
            #expect(piped.output == "count 1\ncount 2\n\u{1B}[2J")
            var terminal = TerminalFacts.none
            terminal.isOutput = true
            let shown = try await service.run("instance", "console", id, terminal: terminal)
            #expect(shown.output == "count 1\ncount 2\n")
        }
    }

    @Test("completions are the names that the service has, and nothing when it does not answer")
    func completions() async throws {
        let snapshots = [snapshot(1, "before"), snapshot(2, "after"), snapshot(3, "best")]
        try await TestService.with(routes: ["GET \(Self.root)/snapshots": .list(snapshots)]) { service in
            let (surroundings, _, errors) = Surroundings.ofTest(service.variables)
            let completion = NameCompletion(kind: .snapshot, surroundings: surroundings)
            #expect(
                await completion.names(after: ["instanta", "snapshot", "show"], prefix: "be") == ["before", "best"]
            )
            #expect(await completion.names(after: ["instanta", "-e", "other"], prefix: "") == [])
            #expect(errors.text.isEmpty)
        }
    }
}
