import ArgumentParser
import Foundation
import Platform
import QEMU
import SnapshotDomain

/// Says what is installed, what works, and what to do about the rest.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check what the service needs on this machine, with a remedy for each finding.",
        discussion: """
            Looks for QEMU's programs and their versions, tries whether KVM truly runs a guest, and measures the free \
            space of the data folder. With --config, tries the pools of the file, too. Changes nothing. Ends with 0 when the \
            service can run, else with 1.
            """
    )

    @Option(help: "The data folder to look at.")
    var dataDir: String = "var/instanta"

    @Option(help: "The file of settings, of which the pools are tried.")
    var config: String?

    @Flag(help: "Print findings as JSON.")
    var json = false

    func run() async throws {
        let file = try config.map(ConfigurationFile.read) ?? ConfigurationFile("")
        let directory = DataDirectory(file.dataDirectory ?? dataDir)
        let findings = await Examination(directory: directory).run() + PoolExamination(pools: file.pools).run()
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            print(String(decoding: try encoder.encode(findings), as: UTF8.self))
        } else {
            let width = findings.map(\.subject.count).max() ?? 0
            for finding in findings {
                print(
                    "\(finding.grade.mark)  \(finding.subject.padding(toLength: width, withPad: " ", startingAt: 0))  \(finding.text)"
                )
                if let remedy = finding.remedy { print(String(repeating: " ", count: width + 8) + "→ \(remedy)") }
            }
        }
        if findings.contains(where: { $0.grade == .broken }) { throw ExitCode.failure }
    }
}

/// One thing that was looked at.
struct Finding: Encodable {
    enum Grade: String, Encodable {
        case good
        /// The service works, with less than it could.
        case limited
        case broken

        var mark: String {
            switch self {
            case .good: "ok  "
            case .limited: "note"
            case .broken: "BAD "
            }
        }
    }

    var subject: String
    var grade: Grade
    var text: String
    var remedy: String?
}

/// Looks at everything the service needs.
private struct Examination {
    private static let comfortableSpace = ByteCount.gibibytes(5)
    private static let leastSpace = ByteCount.mebibytes(512)

    let directory: DataDirectory
    private let pool = BlockingPool(name: "doctor", width: 1)

    init(directory: DataDirectory) {
        self.directory = directory
    }

    func run() async -> [Finding] {
        let programs = await QEMUPrograms().findAll()
        return programs.map(finding) + [await accelerator(programs), await cephDriver(), await space()]
    }

    private func finding(_ found: QEMUPrograms.Finding) -> Finding {
        guard let version = found.version, let path = found.path else {
            return Finding(
                subject: found.program.rawValue,
                grade: .broken,
                text: "not found or not working; \(found.program.purpose)",
                remedy: found.remedy
            )
        }
        return Finding(subject: found.program.rawValue, grade: .good, text: "\(version) at \(path)", remedy: nil)
    }

    private func accelerator(_ programs: [QEMUPrograms.Finding]) async -> Finding {
        guard let emulator = programs.first(where: { $0.program == .system }), let path = emulator.path,
            let version = emulator.version
        else {
            return Finding(subject: "acceleration", grade: .broken, text: "cannot be tried without QEMU", remedy: nil)
        }
        // The verdict is found anew each time, so what the probe remembers is of no use afterwards.
        let cache = NSTemporaryDirectory() + "instanta-doctor-\(getpid()).json"
        defer { try? FileManager.default.removeItem(atPath: cache) }
        do {
            let probe = AcceleratorProbe(
                program: path,
                cachePath: cache,
                pool: pool
            )
            let verdict = try await probe.verdict(qemuVersion: version)
            switch verdict.accelerator {
            case .kvm:
                return Finding(subject: "acceleration", grade: .good, text: "KVM: \(verdict.reason)", remedy: nil)
            case .tcg:
                return Finding(
                    subject: "acceleration",
                    grade: .limited,
                    text: "TCG, machines run slower: \(verdict.reason)",
                    remedy: "enable hardware virtualisation, and give this user access to /dev/kvm"
                )
            }
        } catch {
            return Finding(subject: "acceleration", grade: .broken, text: error.message, remedy: "reinstall QEMU")
        }
    }

    /// Nobody without a Ceph pool needs it.
    private func cephDriver() async -> Finding {
        let text =
            switch await QEMUPrograms().opensCephImages() {
            case true: "QEMU opens disks in Ceph pools"
            case false: "QEMU has no driver for disks in Ceph pools; only those need it (package qemu-block-extra)"
            case nil: "cannot be tried without qemu-img"
            }
        return Finding(subject: "ceph driver", grade: .good, text: text, remedy: nil)
    }

    private func space() async -> Finding {
        let path = nearestExisting(directory.path)
        do {
            let space = try await pool.run { try FileSystemSpace.at(path) }
            let free = ByteCount(space.availableBytes)
            let text = "\(free) free for \(directory.path)"
            if free < Self.leastSpace {
                return Finding(
                    subject: "space",
                    grade: .broken,
                    text: text,
                    remedy: "add space, or choose another --data-dir"
                )
            }
            let isTight = free < Self.comfortableSpace
            return Finding(
                subject: "space",
                grade: isTight ? .limited : .good,
                text: text,
                remedy: isTight ? "snapshots grow with what is written after them; add space soon" : nil
            )
        } catch {
            return Finding(subject: "space", grade: .broken, text: "\(error)", remedy: "choose another --data-dir")
        }
    }

    private func nearestExisting(_ path: String) -> String {
        var url = URL(fileURLWithPath: path)
        while !FileManager.default.fileExists(atPath: url.path), url.path != "/" { url.deleteLastPathComponent() }
        return url.path
    }
}
