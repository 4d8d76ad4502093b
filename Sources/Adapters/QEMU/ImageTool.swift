import Foundation
package import Platform
import Synchronization

/// The formats of disk images that we read or write.
///
/// QEMU never guesses: a guest could choose what its disk looks like.
package enum ImageFormat: String, Sendable, Codable, CaseIterable {
    case raw, qcow2, vmdk, vdi, vhdx
    /// VHD of Virtual PC and Hyper-V's first generation.
    case vpc
}

/// What `qemu-img` is told to open: always a description with explicit drivers, so that neither the content of a file nor
/// its name decides what is opened.
package struct ImageSource: Sendable, Equatable {
    let options: JSONValue

    /// One file, without what its header says is behind it.
    package static func file(_ path: String, _ format: ImageFormat) -> ImageSource {
        var options: [String: JSONValue] = ["driver": .string(format.rawValue), "file": fileOptions(path)]
        if format == .qcow2 { options["backing"] = .null }
        return ImageSource(options: .object(options))
    }

    /// A whole chain, each layer reading through the ones below as we say, not as their headers do.
    package static func chain(_ chain: BlockChain) -> ImageSource {
        let options = chain.layers.reduce(JSONValue.null) { below, layer in
            ["driver": "qcow2", "file": fileOptions(layer.path), "backing": below]
        }
        return ImageSource(options: options)
    }

    /// An image of a Ceph cluster, or a snapshot of it.
    package static func rbd(_ disk: RBDDisk, snapshot: String?) -> ImageSource {
        var transport: [String: JSONValue] = [
            "driver": "rbd", "pool": .string(disk.pool), "image": .string(disk.image),
            "conf": .string(disk.configuration), "user": .string(disk.user),
        ]
        if let namespace = disk.namespace { transport["namespace"] = .string(namespace) }
        if let snapshot { transport["snapshot"] = .string(snapshot) }
        return ImageSource(options: ["driver": "raw", "file": .object(transport)])
    }

    /// An export of an NBD server on a Unix socket.
    package static func nbd(socket: String, export: String) -> ImageSource {
        let server: JSONValue = ["type": "unix", "path": .string(socket)]
        let transport: JSONValue = ["driver": "nbd", "server": server, "export": .string(export)]
        return ImageSource(options: ["driver": "raw", "file": transport])
    }

    private static func fileOptions(_ path: String) -> JSONValue {
        ["driver": "file", "filename": .string(path)]
    }

    /// The file name that `qemu-img` takes such a description as.
    var argument: String { "json:\(options.text)" }
}

/// Runs `qemu-img`.
///
/// Sources may be in use by a QEMU program (`-U`); what is read is then the state that was flushed. A program that
/// reads what strangers made belongs in a ``Confinement``.
package struct ImageTool: Sendable {
    private let program: String
    private let confinement: Confinement?
    private let pool: BlockingPool

    /// - Parameters:
    ///   - program: The name or path of `qemu-img`.
    ///   - confinement: Limits of every run.
    ///   - pool: Who makes results durable.
    package init(program: String = "qemu-img", confinement: Confinement? = nil, pool: BlockingPool) {
        self.program = program
        self.confinement = confinement
        self.pool = pool
    }

    /// Copies an image into a new file of a given format and makes it durable.
    ///
    /// - Parameters:
    ///   - source: What to read.
    ///   - target: The absolute path of the file to write; an existing one is overwritten.
    ///   - format: The format of the target.
    ///   - options: Options of the format, such as `["extended_l2": "on"]`.
    ///   - isCompressed: Writes compressed clusters.
    ///   - stallLimit: The program is killed when it made no progress for this long. It reports each percent.
    ///   - progress: Called with the fraction done, 0 to 1; must not block.
    /// - Throws: `timedOut` when it stalls, `cancelled`, `noSpace` when the disk is full, `io` with the program's words
    ///   otherwise. After a fault the target may exist, incomplete.
    package func convert(
        _ source: ImageSource,
        to target: String,
        format: ImageFormat,
        options: [String: String] = [:],
        isCompressed: Bool = false,
        stallLimit: Duration = .seconds(600),
        progress: @escaping @Sendable (Double) -> Void = { _ in }
    ) async throws(PlatformFault) {
        var arguments = ["convert", "-p", "-U", "-O", format.rawValue, "-t", "writeback"]
        if isCompressed { arguments.append("-c") }
        arguments += Self.formatOptions(options) + [source.argument, target]
        var spawn = spawn(arguments)
        spawn.output = .lines
        let child = try await ChildProcess.start(spawn)
        let watch = StallWatch(limit: stallLimit)
        let completion: Result<ChildProcess.Completion, PlatformFault> = await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await line in child.lines {
                    guard let fraction = Self.fraction(in: line) else { continue }
                    watch.noteProgress()
                    progress(fraction)
                }
            }
            group.addTask {
                if await watch.waitForStall() { child.signal(SIGKILL) }
            }
            defer { group.cancelAll() }
            do throws(PlatformFault) {
                return .success(try await child.complete(named: program, timeout: .seconds(7 * 86_400)))
            } catch {
                return .failure(error)
            }
        }
        if watch.hasStalled {
            throw PlatformFault(.timedOut, outcome: .unknown, "\(program) made no progress for \(stallLimit)")
        }
        try check(completion.get(), "convert")
        try await makeDurable(target)
    }

    /// Creates an empty image and makes it durable.
    package func create(
        _ path: String,
        format: ImageFormat,
        sizeBytes: Int64,
        options: [String: String] = [:]
    ) async throws(PlatformFault) {
        let arguments = ["create", "-q", "-f", format.rawValue] + Self.formatOptions(options) + [path, "\(sizeBytes)"]
        try check(await run(arguments, timeout: .seconds(60)), "create")
        try await makeDurable(path)
    }

    /// Looks at the structure of an image for damage.
    ///
    /// - Parameters:
    ///   - path: The image, which nothing may be writing to: otherwise the answer is about a mixture of states.
    ///   - format: Its format, which must have a check (qcow2, vdi, vhdx, vmdk).
    ///   - repair: What to repair. Repairing opens the file for writing.
    ///   - timeout: It reads all metadata, which for a large image takes seconds.
    /// - Returns: What was found, after the repair.
    /// - Throws: `io` with the program's words when the image cannot be opened or checked.
    package func check(
        _ path: String,
        format: ImageFormat,
        repair: ImageRepair = .nothing,
        timeout: Duration = .seconds(600)
    ) async throws(PlatformFault) -> ImageCheck {
        var arguments = ["check", "--output=json"]
        switch repair {
        case .nothing: arguments.append("-U")
        case .leaks: arguments += ["-r", "leaks"]
        }
        let completion = try await run(
            arguments + [ImageSource.file(path, format).argument],
            timeout: timeout
        )
        // Status 2 is corruption and 3 leaks: answers, not failures.
        guard case .exited(let status) = completion.status, [0, 2, 3].contains(status) else {
            throw failure(completion, "check")
        }
        return try decode(ImageCheck.self, completion, "check")
    }

    /// Reads what the header of an image says.
    ///
    /// Opens neither a backing file nor any other.
    package func inspect(
        _ path: String,
        format: ImageFormat,
        timeout: Duration = .seconds(30)
    ) async throws(PlatformFault) -> ImageDescription {
        let completion = try await run(
            ["info", "-U", "--output=json", ImageSource.file(path, format).argument],
            timeout: timeout
        )
        try check(completion, "info")
        return ImageDescription(try decode(JSONValue.self, completion, "info"))
    }

    /// Tells how large a file the image would become in another format.
    package func measure(
        _ source: ImageSource,
        as format: ImageFormat,
        timeout: Duration = .seconds(120)
    ) async throws(PlatformFault) -> ImageMeasure {
        let completion = try await run(
            ["measure", "-U", "--output=json", "-O", format.rawValue, source.argument],
            timeout: timeout
        )
        try check(completion, "measure")
        return try decode(ImageMeasure.self, completion, "measure")
    }

    /// Changes the virtual size of an image that nothing has open.
    ///
    /// - Parameters:
    ///   - path: The image.
    ///   - format: Its format.
    ///   - sizeBytes: The new size.
    ///   - mayShrink: Whether the content beyond a smaller size may be lost.
    /// - Throws: `io` with the program's words, also when it would shrink and may not.
    package func resize(
        _ path: String,
        format: ImageFormat,
        toBytes sizeBytes: Int64,
        mayShrink: Bool = false
    ) async throws(PlatformFault) {
        let shrink = mayShrink ? ["--shrink"] : []
        let arguments = ["resize", "-q"] + shrink + [ImageSource.file(path, format).argument, "\(sizeBytes)"]
        try check(await run(arguments, timeout: .seconds(120)), "resize")
        try await makeDurable(path)
    }

    /// Lists which parts of an image hold data, and in which layer.
    package func map(
        _ source: ImageSource,
        timeout: Duration = .seconds(120)
    ) async throws(PlatformFault) -> [ImageExtent] {
        let completion = try await run(
            ["map", "-U", "--output=json", source.argument],
            timeout: timeout,
            outputLimit: 256 << 20
        )
        try check(completion, "map")
        return try decode([ImageExtent].self, completion, "map")
    }

    // MARK: - Running

    private func spawn(_ arguments: [String]) -> Spawn {
        Spawn(program, arguments, confinement: confinement)
    }

    private func run(
        _ arguments: [String],
        timeout: Duration,
        outputLimit: Int = 4 << 20
    ) async throws(PlatformFault) -> ChildProcess.Completion {
        var spawn = spawn(arguments)
        spawn.output = .capture(limit: outputLimit)
        return try await ChildProcess.run(spawn, timeout: timeout)
    }

    private func check(_ completion: ChildProcess.Completion, _ verb: String) throws(PlatformFault) {
        guard completion.status.isSuccess else { throw failure(completion, verb) }
    }

    private func failure(_ completion: ChildProcess.Completion, _ verb: String) -> PlatformFault {
        let words = completion.errorsText.trimmingCharacters(in: .whitespacesAndNewlines)
        // The program gives no codes; this is the C library's text for ENOSPC in the C locale that we start it in.
        let code: PlatformFault.Code = words.contains("No space left on device") ? .noSpace : .io
        let reason = words.isEmpty ? "\(completion.status)" : words
        return PlatformFault(code, outcome: .unknown, "\(program) \(verb) failed: \(reason)")
    }

    private func decode<T: Decodable>(
        _ type: T.Type,
        _ completion: ChildProcess.Completion,
        _ verb: String
    ) throws(PlatformFault) -> T {
        do {
            return try JSONDecoder().decode(type, from: completion.output)
        } catch {
            throw PlatformFault(
                .io,
                outcome: .unknown,
                "\(program) \(verb) gave an answer that makes no sense: \(error)"
            )
        }
    }

    private func makeDurable(_ path: String) async throws(PlatformFault) {
        do {
            try await pool.run {
                try DurableFile.sync(file: path)
                try DurableFile.sync(directory: (path as NSString).deletingLastPathComponent)
            }
        } catch let fault as PlatformFault {
            throw fault
        } catch {
            throw PlatformFault(.io, outcome: .unknown, "cannot make \(path) durable: \(error)")
        }
    }

    private static func formatOptions(_ options: [String: String]) -> [String] {
        guard !options.isEmpty else { return [] }
        let list = options.sorted { $0.key < $1.key }.map { "\($0.key)=\(optionValue($0.value))" }
        return ["-o", list.joined(separator: ",")]
    }

    /// Reads "    (12.34/100%)".
    private static func fraction(in line: String) -> Double? {
        guard let open = line.firstIndex(of: "("), let slash = line[open...].firstIndex(of: "/") else { return nil }
        return Double(line[line.index(after: open)..<slash]).map { $0 / 100 }
    }
}

/// Notices that something has stopped making progress.
private final class StallWatch: Sendable {
    private let limit: Duration
    private let state = Mutex((lastProgressAt: ContinuousClock.now, hasStalled: false))

    init(limit: Duration) {
        self.limit = limit
    }

    var hasStalled: Bool { state.withLock { $0.hasStalled } }

    func noteProgress() {
        state.withLock { $0.lastProgressAt = .now }
    }

    /// Returns true at the first stall, and false when the task is cancelled before.
    func waitForStall() async -> Bool {
        while true {
            let deadline = state.withLock { $0.lastProgressAt } + limit
            if deadline <= .now {
                state.withLock { $0.hasStalled = true }
                return true
            }
            do { try await Task.sleep(until: deadline) } catch { return false }
        }
    }
}
