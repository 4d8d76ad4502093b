import CommandLine
import Foundation
import Platform
import Testing

extension ServiceTests {
    /// What people and scripts get wrong: each has its exit status and a message that says what to do.
    @Suite("bad input")
    struct BadInputTests {
        struct Mistake: CustomTestStringConvertible, Sendable {
            var words: [String]
            var status: CommandStatus
            var message: String

            init(_ words: String, _ status: CommandStatus, _ message: String) {
                self.words = words.split(separator: " ").map(String.init)
                self.status = status
                self.message = message
            }

            init(words: [String], _ status: CommandStatus, _ message: String) {
                self.words = words
                self.status = status
                self.message = message
            }

            var testDescription: String { String(words.joined(separator: " ").prefix(80)) }
        }

        static let mistakes: [Mistake] = [
            Mistake("instance show web1", .notFound, "Did you mean"),
            Mistake("snapshot revert nothing", .notFound, "There is no snapshot 'nothing'"),
            Mistake("snapshot show 11111111-2222-4333-8444-555555555555", .notFound, "11111111-2222"),
            Mistake("snapshot list --environment nowhere", .notFound, "nowhere"),
            Mistake("task wait 11111111-2222-4333-8444-555555555555", .notFound, "11111111-2222"),
            Mistake("snapshot create --volume ROOT-web01 --name ../../etc/passwd", .usage, "name"),
            Mistake(words: ["snapshot", "create", "--volume", "ROOT-web01", "--name", "a\u{1B}[31mb"], .usage, "name"),
            Mistake(
                words: ["snapshot", "create", "--volume", "ROOT-web01", "--name", String(repeating: "x", count: 300)],
                .usage,
                "name"
            ),
            Mistake("snapshot create", .usage, "--volume or --instance"),
            Mistake("instance delete web01", .usage, "--yes"),
            Mistake("volume create tiny --size 0", .usage, "size"),
            Mistake("volume create web --size 1G --attach nobody", .notFound, "nobody"),
            Mistake("volume delete ROOT-web01 --yes", .conflict, "ROOT-web01"),
            Mistake("volume undo-revert web01_data", .conflict, "web01_data"),
            Mistake("instance start", .usage, "instances"),
            Mistake("instance create web01 --template demo-guest --no-start", .conflict, "web01"),
            Mistake("instance create many --template demo-guest --count 1000 --no-start", .usage, "100"),
            Mistake("environment create lab", .conflict, "lab"),
            Mistake("environment create Upper", .usage, "lower-case letters"),
            Mistake("template import /nonexistent/disk.qcow2", .notFound, "/nonexistent/disk.qcow2"),
        ]

        @Test("a mistake has its exit status, and a message on standard error alone", arguments: mistakes)
        func mistake(_ mistake: Mistake) async throws {
            let run = try await Ground.current.run(mistake.words)
            #expect(run.ended(mistake.status), "\(run)")
            #expect(run.errors.contains(mistake.message), "\(run)")
            #expect(run.output.isEmpty)
            #expect(!run.errors.contains("\u{1B}"))
        }

        @Test("of several targets those that can be done are done, and the others are told")
        func several() async throws {
            let ground = try Ground.current
            try await ground.done("snapshot", "create", "--volume", "web01_data", "--name", "one-of-two")
            let run = try await ground.run(["snapshot", "delete", "one-of-two", "the-other", "--yes"])
            #expect(run.ended(.someFailed), "\(run)")
            #expect(run.errors.contains("There is no snapshot 'the-other'"))
            #expect(try await !ground.done("snapshot", "list").output.contains("one-of-two"))
        }

        @Test("a name that is taken is refused, and the first keeps it")
        func taken() async throws {
            let ground = try Ground.current
            let first = try await ground.done("volume", "create", "scratch", "--size", "1G", "--quiet").line
            let second = try await ground.run(["volume", "create", "scratch", "--size", "1G"])
            #expect(second.ended(.conflict), "\(second)")
            #expect(second.errors.contains("scratch"))
            #expect(try await ground.json(VolumeAnswer.self, "volume", "show", "scratch").id == first)
            try await ground.done("volume", "delete", "scratch", "--yes")
        }

        @Test("images that are hostile, cut short or of another format are refused, and nothing of them stays")
        func images() async throws {
            let ground = try Ground.current
            let layers = "\(ground.data)/pools/local/layers"
            let before = try FileManager.default.contentsOfDirectory(atPath: layers).count
            let hostile = "\(ground.folder)/hostile.qcow2"
            try await qemuImage("create", "-q", "-f", "qcow2", "-u", "-b", "/etc/passwd", "-F", "raw", hostile, "64M")
            let whole = try Data(contentsOf: URL(fileURLWithPath: DemoGuest.image))
            let short = "\(ground.folder)/short.qcow2"
            try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: short))
            let text = "\(ground.folder)/text.qcow2"
            try Data("This is no disk.\n".utf8).write(to: URL(fileURLWithPath: text))
            let huge = "\(ground.folder)/huge.qcow2"
            try await qemuImage("create", "-q", "-f", "qcow2", "-o", "cluster_size=2M", huge, "1E")
            let elsewhere = "\(ground.folder)/elsewhere.qcow2"
            let secret = "\(ground.folder)/secret.raw"
            try await qemuImage("create", "-q", "-f", "qcow2", "-o", "data_file=\(secret)", elsewhere, "64M")
            let laughs = "\(ground.folder)/laughs.qcow2"
            try await qemuImage("create", "-q", "-f", "qcow2", laughs, "64M")
            try nestBackingName(in: laughs)
            for image in [hostile, short, text, huge, elsewhere, laughs] {
                let run = try await ground.run(["template", "import", image, "--name", "bad"])
                #expect(run.ended(.failed), "\(run)")
                #expect(run.errors.hasPrefix("error: "))
            }
            // The service that inspected them lives, and so does its machine.
            _ = try await ground.beat(of: "web01")
            for template in try await ground.json([NamedAnswer].self, "template", "list") where template.name == "bad" {
                try await ground.done("template", "delete", template.id, "--yes")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: layers).count == before)
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(ground.data)/uploads").isEmpty)
        }

        /// Gives an image the longest backing name that the format has, which is JSON in JSON in JSON.
        private func nestBackingName(in path: String) throws {
            let nest = (0..<20).reduce("/etc/passwd") { name, _ in #"json:{"file.filename":"\#(name)"}"# }
            let name = Data(nest.utf8.prefix(1_023))
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            bytes.replaceSubrange(1_024..<1_024 + name.count, with: name)
            // Where the name is and how long, in the header's own order of bytes.
            withUnsafeBytes(of: UInt64(1_024).bigEndian) { bytes.replaceSubrange(8..<16, with: $0) }
            withUnsafeBytes(of: UInt32(name.count).bigEndian) { bytes.replaceSubrange(16..<20, with: $0) }
            try bytes.write(to: URL(fileURLWithPath: path))
        }

        private func qemuImage(_ words: String...) async throws {
            let made = try await ChildProcess.run(Spawn("qemu-img", words), timeout: Patience.command)
            try #require(made.status.isSuccess, "qemu-img: \(made.errorsText)")
        }

        @Test("a key that opens nothing is not allowed in")
        func wrongKey() async throws {
            let ground = try Ground.current
            let run = try await Program.run(
                ["instance", "list"],
                environment: ["INSTANTA_URL": await ground.url, "INSTANTA_API_KEY": "guessed"]
            )
            #expect(run.ended(.notAllowed), "\(run)")
        }
    }
}
