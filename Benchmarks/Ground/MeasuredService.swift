import Foundation
import Glibc
import Platform
import QEMU

/// A service of the shipped binary in a data folder of its own, and a client of its REST API.
final class MeasuredService: Sendable {
    /// The shipped binary, built beside this one.
    static let program: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return ProcessInfo.processInfo.environment["INSTANTA_EXECUTABLE"]
            ?? (own as NSString).deletingLastPathComponent + "/instanta"
    }()

    let data: String
    let environment: String
    let client: HTTPClient
    /// From starting the program until `/readyz` said yes.
    let startTime: Duration
    let url: String
    let key: String
    private let port: Int
    /// The form by which the first user signs in.
    private let entrance: String
    private let child: ChildProcess

    private init(
        data: String,
        environment: String,
        client: HTTPClient,
        startTime: Duration,
        url: String,
        key: String,
        port: Int,
        entrance: String,
        child: ChildProcess
    ) {
        self.data = data
        self.environment = environment
        self.client = client
        self.startTime = startTime
        self.url = url
        self.key = key
        self.port = port
        self.entrance = entrance
        self.child = child
    }

    /// Starts a service, and returns when it is ready.
    ///
    /// - Parameters:
    ///   - data: Its data folder.
    ///   - demoGuest: The disk of a demo machine, if it is to have one.
    ///   - settings: What its file of settings says.
    /// - Returns: The service.
    /// - Throws: ``BenchFault`` when it does not start.
    static func start(data: String, demoGuest: String? = nil, settings: String? = nil) async throws -> MeasuredService {
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw BenchFault("\(program) is missing: swift build -c release --product instanta")
        }
        if let settings { try Data(settings.utf8).write(to: URL(fileURLWithPath: "\(data).toml")) }
        let start = ContinuousClock.now
        let child = try await ChildProcess.start(
            Spawn(
                program,
                ["serve", "--data-dir", data, "--listen", "127.0.0.1:0"]
                    + (demoGuest.map { ["--demo-guest", $0] } ?? [])
                    + (settings.map { _ in ["--config", "\(data).toml"] } ?? []),
                output: .lines,
                errors: .file("\(data).log"),
                endsWithParent: true
            )
        )
        do {
            var url: String?
            for await line in child.lines where line.contains("URL ") {
                url = line.split(separator: " ").last.map(String.init)
                break
            }
            guard let url, let port = url.split(separator: ":").last.flatMap({ Int($0) }) else {
                throw BenchFault("the service did not start: see \(data).log")
            }
            let credentials = try JSONValue(parsing: Data(contentsOf: URL(fileURLWithPath: "\(data)/credentials.json")))
            let key = credentials["mcApiKey"]?.string ?? ""
            let client = try HTTPClient(port: port, key: key)
            while try await client.send("GET", "/readyz").status != 200 { try await Task.sleep(for: .milliseconds(1)) }
            return MeasuredService(
                data: data,
                environment: credentials["environment"]?.string ?? "",
                client: client,
                startTime: ContinuousClock.now - start,
                url: url,
                key: key,
                port: port,
                entrance: ["user", "password"].map { "\($0)=\(credentials[$0]?.string ?? "")" }.joined(separator: "&"),
                child: child
            )
        } catch {
            await child.terminate(grace: .seconds(5))
            throw error
        }
    }

    var pid: pid_t { child.pid }

    func stop() async {
        await child.terminate(grace: .seconds(20))
    }

    // MARK: Calls

    private func path(_ rest: String, in environment: String?) -> String {
        "/api/v2/services/compute/\(environment ?? self.environment)/\(rest)"
    }

    /// Asks for something of the environment.
    func ask(_ rest: String, in environment: String? = nil) async throws -> HTTPClient.Answer {
        let answer = try await client.send("GET", path(rest, in: environment))
        guard answer.status == 200 else { throw BenchFault("GET \(rest): \(answer.status)") }
        return answer
    }

    /// Reads something of the environment.
    func get(_ rest: String, in environment: String? = nil) async throws -> JSONValue {
        try await ask(rest, in: environment).json["data"] ?? .null
    }

    /// How many layers a volume's active layer stands on.
    func depth(of volume: String) async throws -> Int {
        let nodes = try await get("volumes/\(volume)/tree").array ?? []
        let parents = Dictionary(
            nodes.compactMap { node in node["layerId"]?.string.map { ($0, node["parentId"]?.string) } },
            uniquingKeysWith: { first, _ in first }
        )
        var depth = -1
        var next = nodes.first { $0["isHere"]?.bool == true }?["layerId"]?.string
        while let layer = next {
            depth += 1
            next = parents[layer] ?? nil
        }
        return depth
    }

    /// Makes a change and waits for its end.
    @discardableResult
    func change(
        _ method: String,
        _ rest: String,
        _ body: JSONValue? = nil,
        in environment: String? = nil
    ) async throws -> Change {
        let answer = try await client.send(method, path(rest, in: environment), body)
        if answer.contains(#""taskStatus":"SUCCESS""#) { return Change(answer: answer) }
        guard let task = try answer.json["taskId"]?.string else {
            throw BenchFault("\(method) \(rest): \(String(decoding: answer.body, as: UTF8.self))")
        }
        while true {
            let answer = try await client.send("GET", "/api/v2/tasks/\(task)", waits: 30)
            switch try answer.json["data"]?["status"]?.string {
            case "SUCCESS": return Change(answer: answer)
            case "PENDING": continue
            default: throw BenchFault("\(method) \(rest): \(String(decoding: answer.body, as: UTF8.self))")
            }
        }
    }

    /// A connection to the console, as the first user, who has signed in.
    func signIn() async throws -> HTTPClient {
        let answer = try await HTTPClient(port: port, [:]).send(form: entrance, to: "/sign-in")
        guard answer.status == 303, !answer.cookies.isEmpty else {
            throw BenchFault("the first user cannot sign in: \(answer.status)")
        }
        return try HTTPClient(port: port, ["Cookie": answer.cookies])
    }

    /// What came of a change.
    struct Change: Sendable {
        fileprivate let answer: HTTPClient.Answer

        /// The identity of what was made or changed.
        var id: String {
            get throws {
                let data = try answer.json["data"]
                // A task that was waited for wraps its result.
                guard let id = (data?["result"] ?? data)?["id"]?.string else { throw BenchFault("no id in an answer") }
                return id
            }
        }
    }

    /// The identity of a resource of the environment by its name.
    func id(of name: String, among resources: String) async throws -> String {
        let list = try await get("\(resources)?search=\(name)").array ?? []
        guard let id = list.first(where: { $0["name"]?.string == name })?["id"]?.string else {
            throw BenchFault("there is no \(name) among \(resources)")
        }
        return id
    }

    /// Waits until the collector has nothing left to do.
    func settle() async throws {
        for _ in 0..<600 {
            let status = try await client.send("GET", "/api/v2/status").json["data"]
            let pools = status?["pools"]?.array ?? []
            let isBusy = status?["runningTasks"]?.integer ?? 0 > 0
            if !isBusy, pools.allSatisfy({ $0["collectableBytes"]?.integer == 0 }) { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw BenchFault("the service does not come to rest")
    }

    // MARK: The machine

    /// Waits until the demo machine counts, and returns its folder.
    func waitForDemo() async throws -> String {
        for _ in 0..<1_200 {
            let machines = try await get("instances").array ?? []
            if let id = machines.first(where: { $0["name"]?.string == "web01" })?["id"]?.string {
                let folder = "\(data)/machines/\(id)"
                if Heartbeats(console: "\(folder)/console.log", counter: "root").count > 2 { return folder }
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw BenchFault("the demo machine does not come up: see \(data).log")
    }

    /// What the process really takes: its own pages, and its share of those that others use too.
    func proportionalMebibytes() throws -> Double {
        let text = try String(contentsOfFile: "/proc/\(pid)/smaps_rollup", encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.hasPrefix("Pss:") } ?? ""
        let kibibytes = line.split(separator: " ").dropFirst().first.flatMap { Double($0) }
        guard let kibibytes else { throw BenchFault("the memory of process \(pid) cannot be read") }
        return kibibytes / 1_024
    }
}
