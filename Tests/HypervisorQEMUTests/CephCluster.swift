import Foundation
import Platform
import QEMU
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import HypervisorQEMU

/// A real cluster, with a pool for images.
struct CephCluster: Sendable {
    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../../scripts/test-cluster").standardizedFileURL.path

    /// A missing program is an error where everything has to be there.
    static let isThere =
        FileManager.default.isExecutableFile(atPath: script)
        && (["ceph-mon", "ceph-osd", "ceph-mgr", "rbd"].allSatisfy { program in
            ["/usr/bin", "/usr/local/bin"].contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
        } || ProcessInfo.processInfo.environment["CI"] != nil)
    static let reason: Comment = "there is no Ceph; 'scripts/install-packages' installs it"
    static let pool = "volumes"
    static let user = "volumes"

    let folder: String
    let configuration: String

    /// Runs one for as long as `body` does.
    static func run(_ body: (CephCluster) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            let folder = "\(directory)/ceph"
            let said = try await program(script, ["start", folder, "\(ProcessInfo.processInfo.processIdentifier)"])
            let cluster = CephCluster(
                folder: folder,
                configuration: said.trimmingCharacters(in: .whitespacesAndNewlines)
            )
            let result: Result<Void, any Error>
            do {
                result = .success(try await body(cluster))
            } catch {
                result = .failure(error)
            }
            await shielded { _ = try? await program(script, ["stop", folder]) }
            try result.get()
        }
    }

    /// Ends a daemon as a crash would.
    func kill(_ daemon: String) async throws {
        try await Self.program(Self.script, ["kill", folder, daemon])
    }

    /// Brings back what was killed.
    func revive() async throws {
        try await Self.program(Self.script, ["start", folder])
    }

    @discardableResult
    func rbd(_ arguments: String...) async throws -> String {
        let place = ["-c", configuration, "--id", Self.user, "--rbd-default-clone-format", "2"]
        return try await Self.program("rbd", place + arguments)
    }

    /// The place of an image, for ``rbd(_:)``.
    func place(_ image: LayerID) -> String { "\(Self.pool)/instanta.\(image)" }

    func makeImage(_ content: Data? = nil, on parent: LayerID? = nil, size: String = "64M") async throws -> LayerID {
        let image = LayerID.random()
        if let parent {
            try await rbd("clone", "\(place(parent))@frozen", place(image))
        } else if let content {
            let file = "\(folder)/\(image)"
            try content.write(to: URL(fileURLWithPath: file))
            try await rbd("import", "--no-progress", file, place(image))
        } else {
            try await rbd("create", "--size", size, place(image))
        }
        return image
    }

    func disk(slot: Int, _ image: LayerID) throws -> MachineDisk {
        let disk = RBDDisk(
            nodeName: ImageNode(image).name,
            pool: Self.pool,
            image: "instanta.\(image)",
            configuration: configuration,
            user: Self.user
        )
        return MachineDisk(slot: slot, volume: .random(), source: try DiskSource(disk))
    }

    @discardableResult
    private static func program(_ program: String, _ arguments: [String]) async throws -> String {
        let done = try await ChildProcess.run(Spawn(program, arguments), timeout: Shared.limit)
        try #require(done.status.isSuccess, "\(program) \(arguments): \(done.errorsText)")
        return done.outputText
    }
}

/// Where a contract is checked with disks in a cluster: each is an image on the snapshot of another.
struct CephGround: HypervisorGround {
    let cluster: CephCluster
    let local: QEMUGround

    var hypervisor: any Hypervisor {
        get async { await local.hypervisor }
    }

    func makeDisk(slot: Int, beside sibling: ContractDisk?) async throws -> ContractDisk {
        let parent: LayerID
        if let disk = try sibling?.disk.source.rbdDisk() {
            // The clone's description says what it stands on.
            let said = try await cluster.rbd("info", "--format", "json", "\(disk.pool)/\(disk.image)")
            let name = try JSONValue(parsing: Data(said.utf8))["parent"]?["image"]?.string
            parent = try #require(name.flatMap { LayerID(String($0.dropFirst("instanta.".count))) })
        } else {
            parent = try await cluster.makeImage()
            try await cluster.rbd("snap", "create", "--no-progress", "\(cluster.place(parent))@frozen")
        }
        let image = try await cluster.makeImage(on: parent)
        return ContractDisk(disk: try cluster.disk(slot: slot, image), handles: [DiskHandle(ImageNode(image))])
    }

    func makeBrokenDisk(slot: Int) async throws -> MachineDisk { try cluster.disk(slot: slot, .random()) }

    func crash(_ instance: InstanceID) async throws { try await local.crash(instance) }

    func restart() async throws { try await local.restart() }
}
