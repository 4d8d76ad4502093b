import Foundation

/// What a command finds around it: variables, streams, terminal, folders, interruption.
///
/// Commands take it as an argument and ask nothing else of the process, so that tests run them with surroundings of their own.
struct Surroundings: Sendable {
    var variables: [String: String]
    var directory: String
    var home: String
    var terminal: TerminalFacts
    var standardOutput: any ByteSink
    var standardError: any ByteSink
    /// The next line that a person types; nil at the end.
    ///
    /// Blocks: called on a thread of its own.
    var readLine: @Sendable () -> String?
    /// Yields when the person presses Ctrl-C, from the call on.
    var interruptions: @Sendable () -> AsyncStream<Void>
    var timeZone: TimeZone

    /// The language of what people read, from `LC_ALL`, `LC_MESSAGES` or `LANG`.
    var language: Language {
        Language(variables: variables)
    }

    static func ofThisProcess() -> Surroundings {
        let variables = ProcessInfo.processInfo.environment
        return Surroundings(
            variables: variables,
            directory: FileManager.default.currentDirectoryPath,
            home: variables["HOME"] ?? NSHomeDirectory(),
            terminal: TerminalFacts(variables: variables),
            standardOutput: DescriptorSink(.standardOutput),
            standardError: DescriptorSink(.standardError),
            readLine: { Swift.readLine() },
            interruptions: Interruptions.watch,
            timeZone: .current
        )
    }

    /// Writes data that was asked for.
    ///
    /// - Throws: ``CommandFailure`` when it cannot be written, as on a full disk: lost output is no success.
    func print(_ text: String) throws {
        guard !text.isEmpty else { return }
        try emit(Data((text.hasSuffix("\n") ? text : text + "\n").utf8))
    }

    /// Writes bytes as they are.
    func emit(_ data: Data) throws {
        do {
            try standardOutput.write(data)
        } catch {
            throw CommandFailure(.failed, "The output cannot be written: \(error.localizedDescription)")
        }
    }

    /// Tells a person something that is not the data asked for.
    func note(_ text: String) {
        tell(text + "\n")
    }

    /// Writes to the standard error stream.
    ///
    /// Nobody is left to tell when that fails.
    func tell(_ text: String) {
        do { try standardError.write(Data(text.utf8)) } catch {}
    }
}

/// Where bytes go.
///
/// Writes come from one task at a time.
protocol ByteSink: Sendable {
    func write(_ data: Data) throws
}

/// One of the process's own streams.
///
/// Writing may block while the reader of a pipe is slow. That is wanted: this process has nothing else to do meanwhile.
struct DescriptorSink: ByteSink {
    private let handle: FileHandle

    init(_ handle: FileHandle) {
        self.handle = handle
    }

    func write(_ data: Data) throws {
        try handle.write(contentsOf: data)
    }
}
