import CommandLine
import Foundation
import Platform
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
        #expect(!help.output.contains("guest-guard"))
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

    @Test(
        "a mistake in the file of settings is named with its line and what may have been meant",
        arguments: [
            ("lisen = \"127.0.0.1:0\"", "line 1: there is no setting 'lisen'. Did you mean 'listen'?"),
            ("\n[price]\ncurrency = \"EUR\"", "line 3: there is no setting 'price.currency'. Did you mean"),
            ("listen = \"nowhere\"", "line 1: 'nowhere' is no HOST:PORT"),
            ("listen = 8420", "line 1: 'listen' is a text in quotes"),
            ("behind_proxy = \"yes\"", "line 1: 'behind_proxy' is true or false"),
            ("log_level = \"loud\"", "line 1: 'loud' is none of trace, debug"),
            ("[service]\ncode = \"a/b\"", "line 2: the code stands in addresses"),
            ("[prices]\ncurrency = \"EUR\"", "line 2: prices need both"),
            ("[prices]\ncurrency = \"EUR\"\nsnapshot_gib_hour = -1", "line 3: 'prices.snapshot_gib_hour' is a number"),
            ("[collection]\nsoft_depth = 3", "line 2: 'collection.soft_depth' is a whole number from 4 to 200"),
            ("[collection]\nsoft_depth = \"16\"", "line 2: 'collection.soft_depth' is a whole number from 4 to 200"),
            ("listen = ", "line 1: 'listen' needs a text in quotes"),
            ("[[pool]]", "line 1: [[pool]] is no list of settings; only [[pools]] is"),
            ("[pools]\nname = \"a\"", "line 2: there can be several pools: write [[pools]] before each"),
            ("\n[[pools]]\nkind = \"qcow2\"", "line 2: this pool has no name"),
            ("[[pools]]\nname = \"Fast\"", "line 2: a pool's name is 1 to 32 lower-case letters"),
            ("[[pools]]\nname = \"a\"", "line 1: the pool 'a' has no kind"),
            ("[[pools]]\nname = \"a\"\nkind = \"zfs\"", "line 3: 'zfs' is none of qcow2, rbd"),
            ("[[pools]]\nname = \"a\"\nkind = \"rbd\"\npath = \"/a\"", "line 4: 'pools.path' is for a pool of kind"),
            ("[[pools]]\nname = \"a\"\nkind = \"rbd\"", "line 1: the pool 'a' does not say which pool"),
            ("[[pools]]\nname = \"a\"\nkind = \"qcow2\"", "line 1: the pool 'a' has no path"),
            ("[[pools]]\nname = \"a\"\nkind = \"qcow2\"\npath = \"here\"", "line 4: the path of a pool is absolute"),
            (
                "[[pools]]\nname = \"local\"\nkind = \"qcow2\"\nreserve = \"much\"",
                "line 4: 'pools.reserve' is a number"
            ),
            (
                "[[pools]]\nname = \"local\"\nkind = \"qcow2\"\n[[pools]]\nname = \"local\"\nkind = \"qcow2\"",
                "line 5: there is a pool 'local' already"
            ),
        ]
    )
    func badSettings(_ text: String, _ answer: String) async throws {
        try await withSettings(text) { path in
            let run = try await Program.run(["serve", "--data-dir", "/nonexistent/instanta", "--config", path])
            #expect(run.ended(.failed), "\(run)")
            #expect(run.errors.contains("\(path), \(answer)"), "\(run)")
        }
    }

    @Test("a flag wins over the file of settings, and the file over what is the case by itself")
    func flagsWin() async throws {
        // A public address is refused before anything is made: the answer shows which address it was.
        let text = "listen = \"0.0.0.0:1\"\ndata_dir = \"/nonexistent/instanta\""
        try await withSettings(text) { path in
            let file = try await Program.run(["serve", "--config", path])
            #expect(file.ended(.failed), "\(file)")
            #expect(file.errors.contains("0.0.0.0:1 "))
            let flag = try await Program.run(["serve", "--config", path, "--listen", "0.0.0.0:2"])
            #expect(flag.ended(.failed), "\(flag)")
            #expect(flag.errors.contains("0.0.0.0:2 "))
        }
        let missing = try await Program.run(["serve", "--config", "/nonexistent/settings.toml"])
        #expect(missing.ended(.failed), "\(missing)")
        #expect(missing.errors.contains("/nonexistent/settings.toml"))
    }

    private func withSettings(_ text: String, _ body: (String) async throws -> Void) async throws {
        let path = "\(NSTemporaryDirectory())/\(RandomName.make()).toml".replacing("//", with: "/")
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path)
    }
}
