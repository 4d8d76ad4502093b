import ArgumentParser
import Foundation

struct InstanceConsoleCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "console",
        abstract: "Show what an instance has written to its serial console.",
        discussion: """
            On a terminal everything but text and colours is filtered out, because a guest should not command the \
            terminal of those who look at it. Into a file or a pipe the bytes go as they are.

            Example: instanta instance console web01 --follow
            """
    )

    @Argument(help: "The instance, by name or id.", completion: .names(.instance))
    var instance: String

    @Flag(name: [.short, .long], help: "Go on with what comes, until Ctrl-C.")
    var follow = false

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        let target = try await call.target(instance, .instance)
        var reader = ConsoleReader(call: call, instance: target.id)
        guard follow else { return try await reader.readAll() }
        let start = reader
        try await call.surroundings.interruptible {
            CommandFailure(.interrupted, "Stopped following; the instance runs on.")
        } _: {
            var reader = start
            while true {
                try await reader.readAll()
                try await Task.sleep(for: .milliseconds(250))
            }
        }
    }
}

struct InstanceScreenshotCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "screenshot",
        abstract: "Save what an instance's screen shows, as PNG.",
        discussion: "Example: instanta instance screenshot web01 -o web01.png"
    )

    @Argument(help: "The instance, by name or id.", completion: .names(.instance))
    var instance: String

    @Option(
        name: [.customShort("o"), .long],
        help: "Where to write the picture.",
        completion: .file(extensions: ["png"])
    )
    var output: String

    @Flag(help: "Replace the file if there is one.")
    var force = false

    @OptionGroup var shared: SharedOptions

    func perform(_ call: Call) async throws {
        let target = try await call.target(instance, .instance)
        let (picture, _) = try await call.client.bytes(call.endpoint(.instance, target.id, "screenshot"))
        let path = call.surroundings.absolute(output)
        try await OwnThread.run { [force] in
            let file = try PartialFile(path: path, overwrites: force)
            do {
                try file.append(picture)
                try file.finish()
            } catch {
                file.abandon()
                throw error
            }
        }
        call.note("Saved \(output) (\(HumanText.size(Int64(picture.count)))).")
    }
}
