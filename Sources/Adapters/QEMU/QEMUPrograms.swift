import Foundation
import Platform

/// The programs that we start, and whether this machine has them.
package struct QEMUPrograms: Sendable {
    /// A program and what it is to us.
    package enum Program: String, Sendable, CaseIterable {
        case system = "qemu-system-x86_64"
        case storageDaemon = "qemu-storage-daemon"
        case image = "qemu-img"
        case limits = "prlimit"
        case privileges = "setpriv"

        /// What does not work without it, for people.
        package var purpose: String {
            switch self {
            case .system: "runs machines"
            case .storageDaemon: "does block work on disks that no machine has open"
            case .image: "converts and checks images"
            case .limits: "limits programs that read strangers' images"
            case .privileges: "ends helper programs when the service ends"
            }
        }

        /// The package that has it, by package manager.
        package var packages: [(manager: String, package: String)] {
            switch self {
            case .system:
                [("apt-get", "qemu-system-x86"), ("dnf", "qemu-system-x86-core"), ("apk", "qemu-system-x86_64")]
            case .storageDaemon:
                [("apt-get", "qemu-system-common"), ("dnf", "qemu-common"), ("apk", "qemu-storage-daemon")]
            case .image: [("apt-get", "qemu-utils"), ("dnf", "qemu-img"), ("apk", "qemu-img")]
            case .limits, .privileges: [("apt-get", "util-linux"), ("dnf", "util-linux"), ("apk", "util-linux-misc")]
            }
        }
    }

    /// What was found out about one program.
    package struct Finding: Sendable, Equatable {
        package let program: Program
        /// Where it is; nil when it is not in any directory of the search path.
        package let path: String?
        /// Its version, as in "7.2.22"; nil when it is not there or does not run.
        package let version: String?
        /// What to do about it, as a command; nil when all is well.
        package let remedy: String?

        package var isUsable: Bool { version != nil }
    }

    private let searchPath: [String]

    /// - Parameter searchPath: The directories to look in, by default those of `PATH` and the usual ones.
    package init(searchPath: [String]? = nil) {
        let inherited = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        self.searchPath = searchPath ?? inherited + ["/usr/local/bin", "/usr/bin", "/bin", "/usr/libexec"]
    }

    /// Looks for all programs and asks each for its version.
    ///
    /// Takes some 50 ms for each.
    package func findAll() async -> [Finding] {
        var findings: [Finding] = []
        for program in Program.allCases { findings.append(await find(program)) }
        return findings
    }

    /// Looks for one program and asks it for its version.
    package func find(_ program: Program) async -> Finding {
        guard let path = path(of: program.rawValue) else {
            return Finding(program: program, path: nil, version: nil, remedy: remedy(for: program))
        }
        let completion = try? await ChildProcess.run(Spawn(path, ["--version"]), timeout: .seconds(10))
        let version = completion.flatMap { $0.status.isSuccess ? Self.version(in: $0.outputText) : nil }
        return Finding(
            program: program,
            path: path,
            version: version,
            remedy: version == nil ? "\(path) does not run: reinstall it (\(remedy(for: program)))" : nil
        )
    }

    private func remedy(for program: Program) -> String {
        let known = program.packages
        let present = known.first { path(of: $0.manager) != nil } ?? known[0]
        return "\(present.manager) \(present.manager == "apk" ? "add" : "install") \(present.package)"
    }

    private func path(of name: String) -> String? {
        searchPath.lazy.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// The first word of digits and dots: "QEMU emulator version 7.2.22 (Debian …)", "prlimit from util-linux 2.38.1".
    private static func version(in text: String) -> String? {
        text.split(whereSeparator: \.isWhitespace).lazy.map(String.init).first { word in
            word.contains(".") && word.allSatisfy { $0.isNumber || $0 == "." }
        }
    }
}
