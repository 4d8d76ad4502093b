import BlockStoreQCOW2
import Foundation
import Glibc
import Platform
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

/// A file system of a few megabytes, which needs the right to mount one.
private enum SmallDisk {
    static let isAllowed: Bool = {
        let path = "\(NSTemporaryDirectory())/ib-probe-\(getpid())"
        guard mkdir(path, 0o700) == 0 else { return false }
        defer { rmdir(path) }
        guard mount("tmpfs", path, "tmpfs", 0, "size=1m") == 0 else { return false }
        umount(path)
        return true
    }()

    static func with(_ megabytes: Int, _ body: (Ground) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            try #require(mount("tmpfs", directory, "tmpfs", 0, "size=\(megabytes)m") == 0)
            defer { umount2(directory, Int32(MNT_DETACH)) }
            let ground = try await Ground(directory: directory) { _ in }
            try await body(ground)
            try await ground.expectSoundFiles()
            await ground.qcow2.close()
            let leftovers = try ground.leftovers()
            #expect(leftovers == [])
        }
    }
}

@Suite(
    "A full disk under a qcow2 block store",
    .enabled(if: SmallDisk.isAllowed, "mounting a small disk is not allowed")
)
struct FullDiskTests {
    private static let size = ByteCount.mebibytes(32)

    private func fill(_ ground: Ground) throws -> String {
        let path = "\(ground.directory)/filler"
        try Data().write(to: URL(fileURLWithPath: path))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        defer { try? file.close() }
        for length in [1 << 20, 1 << 12] {
            do {
                while true { try file.write(contentsOf: Data(repeating: 1, count: length)) }
            } catch {
                continue
            }
        }
        return path
    }

    @Test("lets no layer be made, and leaves nothing of it")
    func creating() async throws {
        try await SmallDisk.with(8) { ground in
            let base = LayerID.random()
            try await ground.store.createLayer(base, size: Self.size)
            let filler = try fill(ground)
            let layer = LayerID.random()
            let fault = await #expect(throws: BlockStoreFault.self) {
                try await ground.store.createLayer(layer, on: base, size: Self.size, through: nil)
            }
            #expect(fault?.code == .noSpace)
            #expect(fault?.outcome == .notDone)
            try FileManager.default.removeItem(atPath: filler)
            try await ground.store.createLayer(layer, on: base, size: Self.size, through: nil)
        }
    }

    @Test("ends a merge without harm, which can be done when there is room", arguments: [true, false])
    func merging(_ isFold: Bool) async throws {
        try await SmallDisk.with(40) { ground in
            let layers = [LayerID.random(), LayerID.random()]
            let fills = [[Fill(1, 0..<8_000_000)], [Fill(2, 10_000_000..<18_000_000)]]
            try await ground.store.createLayer(layers[0], size: Self.size)
            try await ground.write(fills[0], to: layers[0])
            try await ground.store.createLayer(layers[1], on: layers[0], size: Self.size, through: nil)
            try await ground.write(fills[1], to: layers[1])
            let filler = try fill(ground)
            func merge() async throws {
                if isFold {
                    try await ground.store.foldLayer(layers[1], into: layers[0], through: nil) { _, _ in }
                } else {
                    try await ground.store.pullLayer(layers[1], downTo: nil, through: nil) { _, _ in }
                }
            }
            // Not even an empty file can be made now.
            let first = await #expect(throws: BlockStoreFault.self) { try await merge() }
            #expect(first?.code == .noSpace || first?.code == .unavailable, "\(String(describing: first))")
            // And now the work can begin, and must end.
            truncate(filler, off_t(try FileFacts.get(filler).length - (2 << 20)))
            let second = await #expect(throws: BlockStoreFault.self) { try await merge() }
            #expect(second?.code == .noSpace, "\(String(describing: second))")
            try FileManager.default.removeItem(atPath: filler)
            let model = DiskModel(size: Self.size, fills.flatMap { $0 })
            let before = try await ground.read(layers[1])
            #expect(before.firstDifference(from: model) == nil)
            try await merge()
            let after = try await ground.read(layers[1])
            #expect(after.firstDifference(from: model) == nil)
        }
    }

    @Test("is noticed before anything is copied, exported or imported")
    func copying() async throws {
        try await SmallDisk.with(24) { ground in
            let layer = LayerID.random()
            try await ground.store.createLayer(layer, size: Self.size)
            try await ground.write([Fill(1, 0..<14_000_000)], to: layer)
            let path = "/dev/shm/ib-\(RandomName.make())"
            defer { unlink(path) }
            try Data(repeating: 1, count: 14_000_000).write(to: URL(fileURLWithPath: path))
            let other = LayerID.random()
            let calls: [() async throws -> Void] = [
                { try await ground.store.copyLayer(layer, to: other) { _, _ in } },
                { _ = try await ground.store.export(layer, as: .qcow2) { _, _ in } },
                { try await ground.store.importImage(at: path, format: .raw, to: other) { _, _ in } },
            ]
            for call in calls {
                let fault = await #expect(throws: BlockStoreFault.self) { try await call() }
                #expect(fault?.code == .noSpace)
                #expect(fault?.outcome == .notDone)
            }
            let inventory = try await ground.store.inventory()
            #expect(inventory.layers.map(\.id) == [layer])
        }
    }
}
