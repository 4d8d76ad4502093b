import ArgumentParser
import Foundation
import SnapshotDomain
import Testing

@testable import CommandLine

@Suite("command lines")
struct ArgumentTests {
    @Test(
        "what the documentation shows can be typed",
        arguments: [
            "environment list", "environment create lab --description x", "environment rm lab --yes", "env ls",
            "instance list", "instance ls --format json", "instance list -q", "vm ls -e lab",
            "instance show web01", "instance create --template golden --count 5",
            "instance create web --template golden --offering small --no-start --data-disk 10G",
            "instance create big --template golden --cpu 4 --memory 2G --network",
            "instance create trouble --snapshot before-upgrade --to lab --no-network",
            "instance start a b c", "instance stop a --force", "instance reboot a",
            "instance recover a b", "instance list --deleted", "instance delete a --purge -y",
            "instance delete a --delete-snapshots --delete-volume d1 --delete-volume d2 --yes", "instance rm a b -y",
            "instance console a --follow", "instance screenshot a -o a.png --force",
            "instance revert a --group 0d9c5a6e-0000-4000-8000-000000000001 --no-restart",
            "instance snapshot a --name x --consistency filesystem --max-freeze-ms 500",
            "volume list --type data --instance a", "volume show v", "volume create v --size 10G --attach a",
            "volume create v --from-snapshot s --full --to lab", "volume attach v --instance a", "volume detach v",
            "volume resize v --size 20G", "volume delete v w --yes", "volume tree ROOT-web01", "volume undo-revert v",
            "snapshot create --volume ROOT-web01", "snapshot create --instance a --description d --no-wait",
            "snapshot create --volume v --consistency filesystem --max-freeze-ms 200 --fail-on-missed-freeze",
            "snapshot list", "snapshot list --volume v --format yaml", "snapshot show s",
            "snapshot revert before-upgrade", "snapshot revert s --no-restart --no-wait", "snapshot delete a b c --yes",
            "snapshot rm a --dry-run", "snapshot rename s --name t", "snapshot update s --description d",
            "snapshot verify s t", "snapshot export s --format raw -o f.raw --force", "snapshot clone s web --to lab",
            "template list", "template show t", "template create --from-snapshot s --name golden",
            "template import f.qcow2", "template import https://images.example.org/d.img --format raw --name d",
            "template deploy golden web --count 5", "template delete t", "task list --limit 3", "task show 1",
            "task wait 1 2",
            "task cancel 1", "activity --limit 3 --mine", "offering list --disk",
            "status --credentials c.json --url http://a.example",
        ]
    )
    func accepted(_ line: String) async throws {
        let command = try await TestRoot.asyncParseAsRoot(line.split(separator: " ").map(String.init))
        #expect(command is any ClientCommand)
    }

    @Test(
        "what makes no sense is refused before anything is asked of the service",
        arguments: [
            "instance create web", "instance create web --template a --snapshot b",
            "instance create web --template a --count 0",
            "instance create web --template a --cpu 2",
            "instance create web --template a --offering small --cpu 2 --memory 1G",
            "instance create web --template a --data-disk 10", "instance create web --template a --data-disk 1500M",
            "instance delete a b --delete-volume v", "volume create v", "volume create v --size 1G --from-snapshot s",
            "volume create v --size 1G --full", "volume create v --from-snapshot s --attach a",
            "volume resize v --size -1G",
            "snapshot create", "snapshot create --volume v --instance a",
            "snapshot create --volume v --max-freeze-ms 5",
            "snapshot create --volume v --consistency paused", "snapshot update s", "snapshot export s",
            "snapshot delete",
            "task list --limit 0", "volume list --format csv",
        ]
    )
    func refused(_ line: String) async {
        let arguments = line.split(separator: " ").map(String.init)
        do {
            _ = try await TestRoot.asyncParseAsRoot(arguments)
            Issue.record("'\(line)' was accepted")
        } catch {
            #expect(TestRoot.exitCode(for: error).rawValue == CommandStatus.usage.rawValue)
        }
    }

    @Test("every command says what it does, and every verb shows an example")
    func help() {
        func visit(_ command: any ParsableCommand.Type) {
            let configuration = command.configuration
            #expect(!configuration.abstract.isEmpty, "\(command)")
            if configuration.subcommands.isEmpty {
                #expect(configuration.discussion.contains("instanta "), "\(command)")
            }
            configuration.subcommands.forEach(visit)
        }
        ClientCommands.all.forEach { visit($0) }
    }

    @Test(
        "sizes are read with their unit",
        arguments: [("10G", 10 << 30), ("512MiB", 512 << 20), ("1t", 1 << 40), ("2 gb", 2 << 30)] as [(String, Int64)]
    )
    func sizes(_ text: String, _ bytes: Int64) {
        #expect(SizeArgument(argument: text)?.size == ByteCount(bytes))
    }

    @Test(
        "what is no size is none",
        arguments: ["", "10", "G", "0G", "-1G", "1.5G", "10X", "99999999999999999999G", "9999999999T"]
    )
    func noSizes(_ text: String) {
        #expect(SizeArgument(argument: text) == nil)
    }

    @Test(
        "an imported image gets its name and format from where it comes",
        arguments: [
            ("images/debian-12.qcow2", "debian-12", "qcow2"), ("disk.img", "disk", "raw"), ("a.raw", "a", "raw"),
            ("https://images.example.org/d/debian.raw?x=1", "debian", "raw"), (".hidden", ".hidden", "qcow2"),
        ]
    )
    func imports(_ source: String, _ name: String, _ format: String) async throws {
        let parsed = try await TemplateImportCommand.asyncParseAsRoot([source])
        let command = try #require(parsed as? TemplateImportCommand)
        #expect(command.templateName == name)
        #expect(try command.imageFormat(beginning: nil).rawValue == format)
        // What a file begins with says more than its name.
        #expect(try command.imageFormat(beginning: Data([0x51, 0x46, 0x49, 0xFB])) == .qcow2)
    }

    @Test("an address that does not tell the format needs to be told it")
    func untoldFormat() async throws {
        let address = "https://images.example.org/jammy.img"
        let silent = try #require(try await TemplateImportCommand.asyncParseAsRoot([address]) as? TemplateImportCommand)
        let failure = #expect(throws: CommandFailure.self) { try silent.imageFormat(beginning: nil) }
        #expect(failure?.status == .usage)
        #expect(failure?.remedy?.contains("--format qcow2") == true)
        let told = try await TemplateImportCommand.asyncParseAsRoot([address, "--format", "raw"])
        #expect(try (told as? TemplateImportCommand)?.imageFormat(beginning: nil) == .raw)
    }
}
