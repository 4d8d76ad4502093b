import Foundation
import Platform
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import SnapshotServices

extension CloudTests {
    @Suite("cloning, templates and images")
    struct Copying {
        @Test(
            "a clone in another environment has the snapshot's content and lives on its own",
            arguments: [false, true]
        )
        func clone(_ isFull: Bool) async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("disk")
                try await cloud.write(0x81, blocks: 3, to: volume)
                let snapshot = try await cloud.snapshot(volume, "source")
                let digests = try await cloud.digests(of: [snapshot])
                let submitted = try await cloud.cloud.createVolume(
                    CreateVolumeRequest(
                        source: .snapshot(snapshot.id, isFull: isFull),
                        name: try ResourceName("clone"),
                        environment: cloud.abroad.id
                    ),
                    in: cloud.home.id,
                    cloud.call
                )
                try await cloud.done(submitted.job)
                let clone = try await cloud.volume(submitted.resource.volume.id)
                #expect(clone.environment == cloud.abroad.id)
                #expect(try await cloud.digest(of: clone) == digests[snapshot.id])
                let tree = try await cloud.catalog.read { try $0.layerTree(around: clone.activeLayer) }
                #expect(tree.depth(of: clone.activeLayer) == (isFull ? 1 : 2))
                try await cloud.write(0x82, to: clone)
                try await cloud.checkInvariants(digests)
                let view = try await cloud.cloud.snapshot(snapshot.id, in: cloud.home.id, cloud.call)
                #expect(view.dependents.contains(.volume(clone.id)) == !isFull)
            }
        }

        @Test("instances deployed from a template share its bytes and start", arguments: [false, true])
        func deploy(_ isFull: Bool) async throws {
            try await withCloud { cloud in
                let first = try await cloud.deploy("first")
                let snapshot = try await cloud.snapshot(try await cloud.root(of: first), "golden")
                let made = try await cloud.cloud.createTemplate(
                    CreateTemplateRequest(
                        source: .snapshot(snapshot.id, isFull: isFull),
                        name: try ResourceName("golden")
                    ),
                    in: cloud.home.id,
                    cloud.call
                )
                try await cloud.done(made.job)
                let before = try await cloud.store.inventory().layers.count
                let submitted = try await cloud.cloud.deploy(
                    DeployRequest(
                        source: .template(made.resource.template.id),
                        name: try ResourceName("node"),
                        count: 3,
                        computeOffering: "custom",
                        cpuCount: 1,
                        memory: .mebibytes(64),
                        network: .isolated
                    ),
                    in: cloud.home.id,
                    cloud.call
                )
                try await cloud.done(submitted.job)
                #expect(submitted.resource.map(\.instance.name.description) == ["node-1", "node-2", "node-3"])
                let content = try await cloud.digest(of: snapshot.layer)
                try await cloud.checkInvariants([snapshot.id: content])
                #expect(try await cloud.store.inventory().layers.count == before + 3)
                for view in submitted.resource {
                    #expect(await cloud.hypervisor.status(of: view.instance.id) == .running)
                    try await cloud.stop(view.instance)
                    #expect(try await cloud.digest(of: try await cloud.root(of: view.instance)) == content)
                }
            }
        }

        @Test("a template says what stands on it, and names what the caller can see")
        func dependents() async throws {
            try await withCloud { cloud in
                let template = try await cloud.makeTemplate("golden", isPublic: true)
                let alone = try await cloud.cloud.template(template.id, in: cloud.home.id, cloud.call)
                #expect(alone.dependentCount == 0)
                let instance = try await cloud.deploy("near", from: template)
                let submitted = try await cloud.cloud.deploy(
                    DeployRequest(
                        source: .template(template.id),
                        name: try ResourceName("far"),
                        network: .isolated,
                        startsInstances: false
                    ),
                    in: cloud.abroad.id,
                    cloud.call
                )
                try await cloud.done(submitted.job)
                let (near, far) = (
                    try await cloud.root(of: instance),
                    try await cloud.root(of: try #require(submitted.resource.first).instance)
                )
                let all = try await cloud.cloud.template(template.id, in: cloud.home.id, cloud.call)
                #expect(Set(all.dependents.map(\.pin)) == [.volume(near.id), .volume(far.id)])
                var guest = cloud.call
                guest.principal = Principal(
                    user: User(id: .random(), name: "guest", isOperator: false, createdAt: Date()),
                    roles: [cloud.home.id: .viewer]
                )
                let seen = try await cloud.cloud.template(template.id, in: cloud.home.id, guest)
                #expect(seen.dependents.map(\.pin) == [.volume(near.id)])
                #expect(seen.dependents.first?.environment == cloud.home.id)
                #expect(seen.dependentCount == 2)
            }
        }

        @Test("an instance made from a group has every disk as it was, in another environment and without a network")
        func troubleshooting() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(dataVolume: true)
                for volume in try await cloud.volumes(of: instance) { try await cloud.write(0x83, at: 7, to: volume) }
                let taken = try await cloud.cloud.takeSnapshots(
                    TakeSnapshotRequest(target: .instance(instance.id)),
                    in: cloud.home.id,
                    cloud.call
                )
                try await cloud.done(taken.job)
                let source = try #require(taken.resource.first).snapshot
                let submitted = try await cloud.cloud.deploy(
                    DeployRequest(
                        source: .snapshot(source.id),
                        name: try ResourceName("twin"),
                        network: .isolated,
                        startsInstances: false
                    ),
                    in: cloud.abroad.id,
                    cloud.call
                )
                try await cloud.done(submitted.job)
                let twin = try #require(submitted.resource.first).instance
                #expect(twin.environment == cloud.abroad.id)
                for (copy, original) in zip(try await cloud.volumes(of: twin), try await cloud.volumes(of: instance)) {
                    #expect(try await cloud.digest(of: copy) == cloud.digest(of: original))
                    #expect(copy.role == original.role)
                }
                try await cloud.checkInvariants()
            }
        }

        @Test("an exported image holds the snapshot's content", arguments: ImageFormat.allCases)
        func export(_ format: ImageFormat) async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("disk")
                try await cloud.write(0x84, at: 2, blocks: 5, to: volume)
                let snapshot = try await cloud.snapshot(volume, "exported")
                let stream = try await cloud.cloud.export(snapshot.id, as: format, in: cloud.home.id, cloud.call)
                var bytes = Data()
                for try await chunk in stream.chunks { bytes += chunk }
                #expect(Int64(bytes.count) == stream.length.bytes)
                // Back in by the other door: the content is the same.
                let path = try await cloud.uploads.makePath()
                try bytes.write(to: URL(fileURLWithPath: path))
                let imported = try await cloud.cloud.createTemplate(
                    CreateTemplateRequest(
                        source: .file(path: path, format: format.rawValue, isUpload: true),
                        name: try ResourceName("imported")
                    ),
                    in: cloud.home.id,
                    cloud.call
                )
                try await cloud.done(imported.job)
                #expect(try cloud.uploads.present.isEmpty, "what was uploaded goes when it was imported")
                let layer = try await cloud.cloud.template(imported.resource.template.id, in: cloud.home.id, cloud.call)
                    .template.layer
                #expect(try await cloud.digest(of: layer) == cloud.digest(of: snapshot.layer))
                withExtendedLifetime(stream.retained) {}
            }
        }

        @Test("a hostile image is refused, and leaves nothing", arguments: HostileImage.allCases)
        func hostile(_ image: HostileImage) async throws {
            try await withCloud { cloud in
                let path = try await cloud.uploads.makePath()
                try await image.make(at: path)
                let submitted = try await cloud.cloud.createTemplate(
                    CreateTemplateRequest(
                        source: .file(path: path, format: "qcow2", isUpload: true),
                        name: try ResourceName("stranger")
                    ),
                    in: cloud.home.id,
                    cloud.call
                )
                let reason = try await cloud.failure(of: submitted.job)
                #expect([.badImage, .noSpace, .limitExceeded].contains(reason.code), "\(reason)")
                try await cloud.checkInvariants()
                #expect(try cloud.uploads.present.isEmpty)
                #expect(try await cloud.catalog.read { try $0.findTemplate(submitted.resource.template.id) } == nil)
            }
        }

        @Test("verifying notes a digest, finds it true again, and finds a flipped byte")
        func verify() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("disk")
                try await cloud.write(0x85, blocks: 2, to: volume)
                let snapshot = try await cloud.snapshot(volume, "watched")
                for _ in 0..<2 {
                    try await cloud.done(
                        try await cloud.cloud.verifySnapshot(snapshot.id, in: cloud.home.id, cloud.call).job
                    )
                }
                let known = try await cloud.cloud.snapshot(snapshot.id, in: cloud.home.id, cloud.call).snapshot
                    .verification
                #expect(known?.digest == (try await cloud.digest(of: snapshot.layer)))
                try flipByte(of: 0x85, in: cloud.file(of: snapshot.layer))
                let job = try await cloud.cloud.verifySnapshot(snapshot.id, in: cloud.home.id, cloud.call).job
                #expect(try await cloud.failure(of: job).code == .damaged)
                let after = try await cloud.cloud.snapshot(snapshot.id, in: cloud.home.id, cloud.call).snapshot
                #expect(after.verification == known, "the digest of the first reading is what stays known")
            }
        }

        @Test("damage stays on the snapshot, for all who look at it, until its content is found whole again")
        func damage() async throws {
            try await withCloud { cloud in
                let volume = try await cloud.makeVolume("disk")
                try await cloud.write(0x86, blocks: 2, to: volume)
                let snapshot = try await cloud.snapshot(volume, "watched")
                try await cloud.done(try await cloud.verify(snapshot))
                let file = cloud.file(of: snapshot.layer)
                let whole = try Data(contentsOf: URL(fileURLWithPath: file))
                try flipByte(of: 0x86, in: file)
                cloud.time.advance(by: .seconds(60))
                let reason = try await cloud.failure(of: try await cloud.verify(snapshot))

                let damaged = try await cloud.cloud.snapshot(snapshot.id, in: cloud.home.id, cloud.call)
                #expect(damaged.snapshot.damage == Damage(reason: reason.message, foundAt: cloud.time.now))
                #expect(damaged.failure?.code == .damaged)
                #expect(damaged.failure?.message.contains("'watched'") == true)
                #expect(damaged.shownState == .completed, "it is there; whether to use it is for people to decide")
                #expect(try await cloud.cloud.status(cloud.call).damagedSnapshots == 1)

                try whole.write(to: URL(fileURLWithPath: file))
                try await cloud.done(try await cloud.verify(snapshot))
                let mended = try await cloud.cloud.snapshot(snapshot.id, in: cloud.home.id, cloud.call)
                #expect(mended.snapshot.damage == nil)
                #expect(mended.failure == nil)
                #expect(try await cloud.cloud.status(cloud.call).damagedSnapshots == 0)
            }
        }

        @Test("a snapshot that cannot be read for another reason than its content is not called damaged")
        func unreadable() async throws {
            try await withCloud { cloud in
                let snapshot = try await cloud.snapshot(try await cloud.makeVolume("disk"), "watched")
                cloud.faults.arm(next: "store.digest", .before)
                #expect(try await cloud.failure(of: try await cloud.verify(snapshot)).code == .internalError)
                cloud.faults.disarm()
                let view = try await cloud.cloud.snapshot(snapshot.id, in: cloud.home.id, cloud.call)
                #expect(view.snapshot.damage == nil)
                #expect(view.failure == nil)
            }
        }

        /// Changes one byte of guest data, which is the first long run of a value.
        private func flipByte(of value: UInt8, in path: String) throws {
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            let run = Data(repeating: value, count: 512)
            let place = try #require(bytes.range(of: run)).lowerBound
            bytes[place + 100] ^= 0x01
            try bytes.write(to: URL(fileURLWithPath: path))
        }
    }
}

extension TestCloud {
    fileprivate func verify(_ snapshot: Snapshot) async throws -> JobID {
        try await cloud.verifySnapshot(snapshot.id, in: home.id, call).job
    }
}

/// Images that a stranger might send.
enum HostileImage: String, CaseIterable {
    case backingFile
    case noImage
    case truncated
    case huge

    func make(at path: String) async throws {
        switch self {
        case .backingFile:
            try await create(path, ["-b", "/etc/passwd", "-F", "raw", path, "1M"])
        case .noImage:
            try Data("#!/bin/sh\nexit 1\n".utf8).write(to: URL(fileURLWithPath: path))
        case .truncated:
            try await create(path, [path, "16M"])
            let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            try bytes.prefix(300).write(to: URL(fileURLWithPath: path))
        case .huge:
            try await create(path, ["-o", "cluster_size=2M", path, "1P"])
        }
    }

    private func create(_ path: String, _ arguments: [String]) async throws {
        let spawn = Spawn("qemu-img", ["create", "-q", "-u", "-f", "qcow2"] + arguments)
        let completion = try await ChildProcess.run(spawn, timeout: patience)
        try #require(completion.status.isSuccess, "\(completion.errorsText)")
    }
}
