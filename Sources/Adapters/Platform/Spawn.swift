package import Foundation
import Glibc

/// What to start and how: the program, its surroundings and where its streams go.
package struct Spawn: Sendable {
    /// What the program reads as standard input.
    package enum Input: Sendable, Equatable {
        /// Nothing: `/dev/null`.
        case none
        /// These bytes, then the end.
        case data(Data)
        /// What ``ChildProcess/send(_:)`` is given, until ``ChildProcess/closeInput()`` or our own end.
        case pipe
    }

    /// Where an output stream of the program goes.
    package enum Output: Sendable, Equatable {
        /// `/dev/null`.
        case discard
        /// The end of this file, which is created with mode 0600 if need be.
        case file(String)
        /// Our memory. A program that writes more than `limit` bytes is killed.
        case capture(limit: Int)
        /// ``ChildProcess/lines``, split at line feeds and carriage returns. Only for standard output.
        case lines
    }

    /// A path, or a name that is looked up in our own `PATH`.
    package var executable: String
    package var arguments: [String]
    /// The whole environment of the program.
    package var environment: [String: String]
    /// Ours when nil.
    package var workingDirectory: String?
    package var input: Input
    package var output: Output
    package var errors: Output
    /// Makes the program the leader of a new session: it does not see the terminal's signals, and signals that we send
    /// reach its whole process group.
    package var newSession: Bool
    /// Kills the program when our process ends, however it ends.
    ///
    /// Needs `setpriv` of util-linux.
    package var endsWithParent: Bool
    package var confinement: Confinement?

    package init(
        _ executable: String,
        _ arguments: [String] = [],
        environment: [String: String] = Spawn.minimalEnvironment,
        workingDirectory: String? = nil,
        input: Input = .none,
        output: Output = .capture(limit: 1 << 20),
        errors: Output = .capture(limit: 64 << 10),
        newSession: Bool = true,
        endsWithParent: Bool = false,
        confinement: Confinement? = nil
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.input = input
        self.output = output
        self.errors = errors
        self.newSession = newSession
        self.endsWithParent = endsWithParent
        self.confinement = confinement
    }

    /// Our own `PATH`, and messages in English.
    package static var minimalEnvironment: [String: String] {
        ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C"]
    }

    /// The words that are executed, with the programs in front that set limits.
    var commandLine: [String] {
        var words: [String] = []
        if endsWithParent { words += ["setpriv", "--pdeathsig", "KILL", "--"] }
        if let confinement { words += confinement.prefix }
        return words + [executable] + arguments
    }
}

/// Limits that the kernel enforces on a program that reads what strangers wrote.
///
/// Set by `prlimit` of util-linux, which then becomes the program. Exceeding the processor time or the file size ends
/// the program with SIGXCPU or SIGXFSZ; exceeding the memory makes its allocations fail. It never leaves a core file.
package struct Confinement: Sendable, Equatable {
    package var processorSeconds: Int
    package var addressSpaceBytes: Int64
    /// The largest file it may write, or extend.
    package var fileSizeBytes: Int64

    package init(processorSeconds: Int, addressSpaceBytes: Int64, fileSizeBytes: Int64) {
        self.processorSeconds = processorSeconds
        self.addressSpaceBytes = addressSpaceBytes
        self.fileSizeBytes = fileSizeBytes
    }

    var prefix: [String] {
        [
            "prlimit", "--cpu=\(processorSeconds)", "--as=\(addressSpaceBytes)", "--fsize=\(fileSizeBytes)",
            "--core=0", "--",
        ]
    }
}

/// How a process ended.
package enum ExitStatus: Sendable, Equatable, CustomStringConvertible {
    case exited(Int32)
    case signalled(Int32)

    package var isSuccess: Bool { self == .exited(0) }

    package var description: String {
        switch self {
        case .exited(let code): "exit status \(code)"
        case .signalled(let number): "signal \(number)"
        }
    }
}
