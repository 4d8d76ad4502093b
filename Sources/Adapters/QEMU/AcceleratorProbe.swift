import Foundation
import Glibc
package import Platform

/// Finds out whether KVM truly runs guests here.
///
/// A `/dev/kvm` that opens, and a QEMU that says KVM is enabled, prove nothing: under some hypervisors KVM initialises
/// and then takes minutes for what takes a second, or fails in a kernel's first steps. So the probe boots a sector that
/// counts a hundred million times down and writes to a port that ends QEMU. TCG needs three quarters of a second for
/// it, hardware far less; KVM is accepted if it takes at most one second in all.
package struct AcceleratorProbe: Sendable {
    /// How a machine's processor is made.
    package enum Accelerator: String, Sendable, Codable {
        case kvm
        /// Translation in software: slower, and works everywhere.
        case tcg
    }

    /// What was found, and why.
    package struct Verdict: Sendable, Equatable, Codable {
        package let accelerator: Accelerator
        /// For people: one sentence.
        package let reason: String
        /// The run of the kernel and the version of QEMU that this is true for.
        fileprivate let bootID: String
        fileprivate let qemuVersion: String
    }

    private let program: String
    private let cachePath: String
    private let device: String
    private let pool: BlockingPool

    /// - Parameters:
    ///   - program: The name or path of `qemu-system-x86_64`.
    ///   - cachePath: A file that keeps the verdict until the next boot or upgrade.
    ///   - device: The device that must open for KVM to be possible.
    ///   - pool: Who does the file work.
    package init(program: String, cachePath: String, device: String = "/dev/kvm", pool: BlockingPool) {
        self.program = program
        self.cachePath = cachePath
        self.device = device
        self.pool = pool
    }

    /// The verdict, from the cache if it holds.
    ///
    /// Takes microseconds without a device, 50 ms with a cached verdict, and up to about a second otherwise.
    ///
    /// - Parameter qemuVersion: The version of `program`, as ``QEMUPrograms`` tells it.
    /// - Returns: A verdict in any case: what cannot be proved to work is not used.
    /// - Throws: Only `cancelled`.
    package func verdict(qemuVersion: String) async throws(PlatformFault) -> Verdict {
        let bootID = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
        let verdict: @Sendable (Accelerator, String) -> Verdict = { accelerator, reason in
            Verdict(
                accelerator: accelerator,
                reason: reason,
                bootID: bootID.trimmingCharacters(in: .whitespacesAndNewlines),
                qemuVersion: qemuVersion
            )
        }
        // Opening it is the test: access() does not ask the device.
        let descriptor = open(device, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else {
            return verdict(.tcg, "\(device) cannot be opened: \(String(cString: strerror(errno)))")
        }
        close(descriptor)
        let expected = verdict(.tcg, "")
        if let cached = await cached(), cached.bootID == expected.bootID, cached.qemuVersion == qemuVersion {
            return cached
        }
        let found = try await probe(verdict)
        await cache(found)
        return found
    }

    private func probe(
        _ verdict: @Sendable (Accelerator, String) -> Verdict
    ) async throws(PlatformFault) -> Verdict {
        let sector = "\(NSTemporaryDirectory())/instanta-probe-\(RandomName.make()).img"
        do {
            try await pool.run { try Self.bootSector().write(to: URL(fileURLWithPath: sector)) }
            defer { unlink(sector) }
            let completion = try await ChildProcess.run(spawn(sector), timeout: .seconds(1))
            if completion.status == .exited(Self.successStatus) {
                return verdict(.kvm, "a test guest ran under KVM within a second")
            }
            return verdict(.tcg, "a test guest failed under KVM with \(completion.status)")
        } catch let fault as PlatformFault where fault.code == .timedOut {
            return verdict(.tcg, "KVM is present but takes more than a second for what software does in less")
        } catch let fault as PlatformFault where fault.code == .cancelled {
            throw fault
        } catch {
            return verdict(.tcg, "the test guest could not be started: \(error)")
        }
    }

    private func spawn(_ sector: String) -> Spawn {
        Spawn(
            program,
            [
                "-accel", "kvm", "-machine", "pc", "-m", "64", "-nodefaults", "-no-user-config", "-display", "none",
                "-drive", "file=\(optionValue(sector)),format=raw,if=ide,snapshot=on",
                "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04",
            ],
            endsWithParent: true
        )
    }

    /// The device ends QEMU with twice the written value plus one; the sector writes 1.
    private static let successStatus: Int32 = 3

    private static func bootSector() -> Data {
        let code: [UInt8] = [
            0x66, 0xB9, 0x00, 0xE1, 0xF5, 0x05,  // mov ecx, 100000000
            0x66, 0x49,  // again: dec ecx
            0x75, 0xFC,  // jnz again
            0xB0, 0x01,  // mov al, 1
            0xE6, 0xF4,  // out 0xf4, al
            0xF4,  // hlt
        ]
        var image = Data(count: 64 << 10)
        image.replaceSubrange(0..<code.count, with: code)
        image[510] = 0x55
        image[511] = 0xAA
        return image
    }

    private func cached() async -> Verdict? {
        let path = cachePath
        return try? await pool.run {
            try JSONDecoder().decode(Verdict.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        }
    }

    /// Keeps the verdict.
    ///
    /// Failing to costs a second at the next start and nothing else.
    private func cache(_ verdict: Verdict) async {
        let path = cachePath
        _ = try? await pool.run { try DurableFile.replace(path, with: JSONEncoder().encode(verdict)) }
    }
}
