import ArgumentParser
import Foundation

struct TemplateImportCommand: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Make a template of a disk image, from a file or an address.",
        discussion: """
            A file is sent to the service; an address is fetched by the service, which goes on with it whether you wait or \
            not, also after a restart. Either way the image counts as hostile: it is looked at in a confined process, may \
            refer to no other file, and is converted into a disk of our own. That reads and writes all its bytes once.

            Examples:
              instanta template import debian-12.qcow2
              instanta template import https://images.example.org/disk.img --format raw --name imported
              instanta template import https://images.example.org/disk.qcow2 --no-wait
            """
    )

    @Argument(help: "A file, or an http or https address.", completion: .file())
    var source: String

    @Option(help: "The image's format. Without it, the file's first bytes tell, or the address's ending.")
    var format: ImageFormatArgument?

    @Option(help: "Its name. Without one, the file's.")
    var name: String?

    @Option(help: "What is on it.")
    var description: String?

    @Option(help: "The id of its operating system's type, such as debian-12.")
    var osType: String?

    @OptionGroup var place: PoolOptions
    @OptionGroup var wait: WaitOptions
    @OptionGroup var shared: ImageSharedOptions

    func perform(_ call: Call) async throws {
        let submission =
            if let address = Self.address(source) {
                try await fetch(address, call)
            } else {
                try await upload(call)
            }
        try await call.change(submission, "Importing \(templateName)", waits: wait.wait) { template in
            try call.present(changed: [template], as: .template, isList: false)
        }
    }

    private func fetch(_ address: String, _ call: Call) async throws -> Submission {
        let body = JSONValue.object(present: [
            "name": .text(templateName), "url": .text(address),
            "format": .text(try imageFormat(beginning: nil).rawValue),
            "description": .text(description ?? ""), "osTypeId": osType.map(JSONValue.text),
            "poolId": place.pool.map(JSONValue.text),
        ])
        return try await call.client.change(.post, call.endpoint(.template), body)
    }

    private func upload(_ call: Call) async throws -> Submission {
        let format = try imageFormat(beginning: Self.beginning(of: call.surroundings.absolute(source)))
        let endpoint = try await call.endpoint(
            .template,
            query: [
                "operation": "upload", "name": templateName, "format": format.rawValue,
                "description": description, "osTypeId": osType, "poolId": place.pool,
            ]
        )
        return try await call.upload(source, to: endpoint, label: "Sending \(source)")
    }

    /// The source as an address that the service can fetch; nil for a file.
    static func address(_ source: String) -> String? {
        let lowered = source.lowercased()
        return ["http://", "https://", "file://"].contains { lowered.hasPrefix($0) } ? source : nil
    }

    /// The format that was asked for, or what the image itself says.
    ///
    /// Many a qcow2 image is called .img: taken as raw, it would become a disk that nothing boots from.
    ///
    /// - Parameter start: The first bytes of a file; nil when they are not known.
    /// - Returns: The format.
    /// - Throws: ``CommandFailure`` for an address whose ending does not tell.
    func imageFormat(beginning start: Data?) throws -> ImageFormatArgument {
        if let format { return format }
        if let start, start.starts(with: Self.qcow2Magic) { return .qcow2 }
        let path = Self.address(source).flatMap { URLComponents(string: $0)?.path } ?? source
        let isImage = path.lowercased().hasSuffix(".img")
        if isImage && Self.address(source) != nil {
            throw CommandFailure(
                .usage,
                "The ending of '\(path)' does not tell the image's format.",
                remedy: "Add --format qcow2, as most images of clouds are, or --format raw."
            )
        }
        return isImage || path.lowercased().hasSuffix(".raw") ? .raw : .qcow2
    }

    private static let qcow2Magic = Data([0x51, 0x46, 0x49, 0xFB])

    /// Nil for what cannot be read; sending it says why.
    private static func beginning(of path: String) -> Data? {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? file.close() }
        return try? file.read(upToCount: qcow2Magic.count)
    }

    var templateName: String {
        if let name { return name }
        let path = Self.address(source).flatMap { URLComponents(string: $0)?.path } ?? source
        let file = path.split(separator: "/").last.map(String.init) ?? path
        guard let dot = file.lastIndex(of: "."), dot != file.startIndex else { return file }
        return String(file[..<dot])
    }
}
