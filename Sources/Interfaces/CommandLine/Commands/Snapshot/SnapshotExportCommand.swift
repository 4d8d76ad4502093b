import ArgumentParser

/// A disk image's format, on files that come and go.
enum ImageFormatArgument: String, CaseIterable, ExpressibleByArgument {
    case qcow2
    case raw
}

struct SnapshotExportCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Save a snapshot as a disk image.",
        discussion: """
            The file depends on nothing and can be kept elsewhere: that is a backup. It appears under its name when it \
            is whole and checked; until then it is FILE.part. Zeros take no space in it.

            Example: instanta snapshot export before-upgrade -o web01.qcow2
            """
    )

    @Argument(help: "The snapshot, by name or id.", completion: .names(.snapshot))
    var snapshot: String

    @Option(help: "The image's format.")
    var format = ImageFormatArgument.qcow2

    @Option(name: [.customShort("o"), .long], help: "Where to write it.", completion: .file())
    var output: String

    @Flag(help: "Replace the file if there is one.")
    var force = false

    @OptionGroup var shared: ImageSharedOptions

    func perform(_ call: Call) async throws {
        let target = try await call.target(snapshot, .snapshot)
        var endpoint = try await call.endpoint(.snapshot, target.id, "export")
        endpoint.query["format"] = format.rawValue
        let length = try await call.download(endpoint, to: output, overwrites: force, label: "Exporting \(snapshot)")
        let result: JSONValue = ["id": .text(target.id), "file": .text(output), "bytes": .integer(length)]
        try call.write(result) {
            call.note("Saved \(output) (\(HumanText.size(length))).")
            return ""
        }
    }
}
