import Foundation
import Glibc
import Platform
import Testing

@testable import QEMU

@Suite("What this machine can do")
struct HostProbeTests {
    /// A program that ends like a QEMU whose guest did something, and counts how often it was asked.
    private func makeProgram(_ directory: String, _ script: String) throws -> String {
        let path = "\(directory)/qemu"
        try Data("#!/bin/sh\necho run >> \(directory)/runs\n\(script)\n".utf8).write(to: URL(fileURLWithPath: path))
        chmod(path, 0o755)
        return path
    }

    private func runs(_ directory: String) -> Int {
        let text = try? String(contentsOfFile: "\(directory)/runs", encoding: .utf8)
        return text?.split(separator: "\n").count ?? 0
    }

    private func probe(_ program: String, _ directory: String, device: String = "/dev/null") -> AcceleratorProbe {
        AcceleratorProbe(program: program, cachePath: "\(directory)/cache.json", device: device, pool: Shared.pool)
    }

    @Test("whether QEMU opens images of Ceph pools is told by what it says", arguments: [true, false])
    func cephDriver(isThere: Bool) async throws {
        try await withTemporaryDirectory { directory in
            let words = isThere ? "error reading conf file /nonexistent/ceph.conf" : "Unknown driver 'rbd'"
            let script = "[ \"$1\" = --version ] && echo qemu-img version 7.2.22 || { echo \"\(words)\" >&2; exit 1; }"
            let program = try makeProgram(directory, script)
            try FileManager.default.moveItem(atPath: program, toPath: "\(directory)/qemu-img")
            #expect(await QEMUPrograms(searchPath: [directory]).opensCephImages() == isThere)
            #expect(await QEMUPrograms(searchPath: ["\(directory)/nowhere"]).opensCephImages() == nil)
        }
    }

    @Test("without a device there is no KVM, and nothing is started")
    func noDevice() async throws {
        try await withTemporaryDirectory { directory in
            let program = try makeProgram(directory, "exit 3")
            let verdict = try await probe(program, directory, device: "\(directory)/kvm").verdict(qemuVersion: "7.2")
            #expect(verdict.accelerator == .tcg)
            #expect(verdict.reason == "\(directory)/kvm cannot be opened: No such file or directory")
            #expect(runs(directory) == 0)
        }
    }

    @Test("a guest that ran in time means KVM; the verdict holds until QEMU changes")
    func cached() async throws {
        try await withTemporaryDirectory { directory in
            let probe = probe(try makeProgram(directory, "exit 3"), directory)
            let first = try await probe.verdict(qemuVersion: "7.2")
            #expect(first.accelerator == .kvm)
            #expect(try await probe.verdict(qemuVersion: "7.2") == first)
            #expect(runs(directory) == 1)
            #expect(try await probe.verdict(qemuVersion: "8.2").accelerator == .kvm)
            #expect(runs(directory) == 2)
        }
    }

    @Test("a cache that makes no sense is not believed")
    func brokenCache() async throws {
        try await withTemporaryDirectory { directory in
            let probe = probe(try makeProgram(directory, "exit 3"), directory)
            try Data("{}".utf8).write(to: URL(fileURLWithPath: "\(directory)/cache.json"))
            #expect(try await probe.verdict(qemuVersion: "7.2").accelerator == .kvm)
            #expect(runs(directory) == 1)
        }
    }

    @Test(
        "a guest that failed, hung or could not be started means software",
        arguments: ["exit 1", "exec sleep 1000", "kill -ABRT $$"]
    )
    func failed(_ script: String) async throws {
        try await withTemporaryDirectory { directory in
            let verdict = try await probe(try makeProgram(directory, script), directory).verdict(qemuVersion: "7.2")
            #expect(verdict.accelerator == .tcg)
            #expect(!verdict.reason.isEmpty)
        }
    }

    @Test("the real QEMU gives a verdict either way")
    func real() async throws {
        try await withTemporaryDirectory { directory in
            let finding = await QEMUPrograms().find(.system)
            let version = try #require(finding.version)
            let probe = probe(try #require(finding.path), directory, device: "/dev/kvm")
            let verdict = try await probe.verdict(qemuVersion: version)
            #expect(!verdict.reason.isEmpty)
            #expect(try await probe.verdict(qemuVersion: version) == verdict)
        }
    }

    @Test("finds all programs with their versions")
    func programs() async {
        for finding in await QEMUPrograms().findAll() {
            #expect(finding.isUsable, "\(finding.program.rawValue)")
            #expect(finding.path?.hasSuffix("/\(finding.program.rawValue)") == true)
            #expect(finding.version?.first?.isNumber == true)
            #expect(finding.remedy == nil)
        }
    }

    @Test("says how to get what is missing or broken")
    func missing() async throws {
        try await withTemporaryDirectory { directory in
            let programs = QEMUPrograms(searchPath: [directory])
            let missing = await programs.find(.image)
            #expect(!missing.isUsable)
            #expect(missing.path == nil)
            #expect(missing.remedy == "apt-get install qemu-utils")
            try FileManager.default.moveItem(
                atPath: try makeProgram(directory, "exit 1"),
                toPath: "\(directory)/qemu-img"
            )
            let broken = await programs.find(.image)
            #expect(!broken.isUsable)
            #expect(broken.path == "\(directory)/qemu-img")
            #expect(broken.remedy?.contains("does not run") == true)
        }
    }
}
