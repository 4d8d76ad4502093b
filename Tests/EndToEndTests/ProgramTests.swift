import CommandLine
import Testing

/// The program where there is no service.
@Suite("the program by itself")
struct ProgramTests {
    @Test("it says what it is and what it can do")
    func help() async throws {
        let version = try await Program.run(["--version"])
        #expect(version.ended(.done))
        #expect(version.line.split(separator: ".").count == 3)
        let help = try await Program.run(["--help"])
        #expect(help.ended(.done))
        let verbs = help.output.split(separator: "\n").compactMap { line in
            line.hasPrefix("  ") ? line.split { " ,".contains($0) }.first.map(String.init) : nil
        }
        #expect(Set(verbs).isSuperset(of: ["serve", "doctor", "instance", "snapshot", "template", "volume"]))
        #expect(!help.output.contains("freeze-guard"))
    }

    @Test("it completes words in the usual shells", arguments: ["bash", "zsh", "fish"])
    func completions(shell: String) async throws {
        let script = try await Program.run(["--generate-completion-script", shell])
        #expect(script.ended(.done))
        #expect(script.output.contains("instanta"))
    }

    @Test("without a key it says where to get one")
    func noKey() async throws {
        let run = try await Program.run(["instance", "list"])
        #expect(run.ended(.notAllowed), "\(run)")
        #expect(run.errors.contains("INSTANTA_API_KEY"))
    }

    @Test("without a service it says so soon")
    func noService() async throws {
        // Port 1 is nobody's.
        let run = try await Program.run(
            ["instance", "list"],
            environment: ["INSTANTA_URL": "http://127.0.0.1:1", "INSTANTA_API_KEY": "any"]
        )
        #expect(run.ended(.unreachable), "\(run)")
        #expect(run.errors.contains("http://127.0.0.1:1"))
    }

    @Test("what it does not know is a usage error")
    func usage() async throws {
        for words in [["snapshots"], ["snapshot", "take"], ["serve", "--listen", "nowhere"]] {
            let run = try await Program.run(words)
            #expect(run.ended(.usage), "\(run)")
        }
    }

    @Test("it refuses to serve other machines in the clear")
    func publicAddress() async throws {
        let run = try await Program.run(["serve", "--data-dir", "/nonexistent/instanta", "--listen", "0.0.0.0:0"])
        #expect(run.ended(.failed), "\(run)")
        #expect(run.errors.contains("--behind-proxy"))
    }
}
