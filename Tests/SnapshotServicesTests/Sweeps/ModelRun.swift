import Foundation
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import SnapshotServices

/// Random work on a cloud, and what should come of it.
final class ModelRun {
    /// How many of each kind there may be: deletions keep it so.
    private enum Bound {
        static let volumes = 8
        static let snapshots = 14
        static let templates = 3
        static let machines = 4
        static let runningMachines = 2
    }

    /// After so many operations everything is read whole, and in between a little.
    private static let operationsBetweenReadings = 100

    let cloud: TestCloud
    private var random: SeededRandom
    private(set) var state = ModelState()
    private var number = 0
    private var reverts = 0
    /// Jobs that were asked for and not awaited yet.
    private var pending: [(what: String, job: JobID)] = []
    /// What those jobs make: nothing can be made from it, or of it, before they have ended.
    private(set) var unfinished: Set<String> = []
    /// Which digest each content has: equal ones the same, different ones not.
    var digests: [DiskContent: ContentDigest] = [:]
    private(set) var history: [String] = []

    init(_ cloud: TestCloud, seed: UInt64) async throws {
        self.cloud = cloud
        random = SeededRandom(seed: seed)
        let template = try await cloud.makeTemplate()
        var content = DiskContent(size: TestCloud.diskSize)
        content.fill(0x11, at: 0, count: 16)
        state.templates[template.id] = content
        for name in ["one", "two"] {
            let instance = try await cloud.deploy(name, from: template, dataVolume: true, starts: name == "one")
            state.machines[instance.id] = .init(environment: cloud.home.id, isRunning: name == "one")
            for volume in try await cloud.volumes(of: instance) {
                state.volumes[volume.id] = .init(
                    environment: cloud.home.id,
                    instance: instance.id,
                    isRoot: volume.role == .root,
                    content: volume.role == .root ? content : DiskContent(size: TestCloud.diskSize)
                )
            }
        }
    }

    /// Takes random steps, some at once, and checks everything whenever they have ended.
    func run(operations: Int) async throws {
        var readings = 0
        while number < operations {
            cloud.time.advance(by: .seconds(1))
            if Bool.random(using: &random) {
                for _ in 0..<Int.random(in: 1...4, using: &random) { try await stepBesideOthers() }
            } else {
                try await stepAlone()
            }
            for (what, job) in pending { #expect(try await cloud.end(of: job).status == .succeeded, "\(what)") }
            pending = []
            unfinished = []
            try await cloud.checkInvariants(after: history.suffix(6).joined(separator: ", "))
            if number / Self.operationsBetweenReadings > readings {
                readings = number / Self.operationsBetweenReadings
                try await checkAllContent()
            } else if Bool.random(using: &random) {
                try await checkSomeContent()
            }
        }
        try await checkAllContent()
    }

    // MARK: Steps that may run beside others

    private func stepBesideOthers() async throws {
        number += 1
        switch Int.random(in: 0..<12, using: &random) {
        case 0..<4: try await takeSnapshot()
        case 4..<7: try await deleteSnapshot()
        case 7: try await takeGroup()
        case 8: try await cloneSnapshot()
        case 9: try await makeTemplate()
        case 10: try await deploy()
        default: try await deleteVolume()
        }
    }

    private func takeSnapshot() async throws {
        guard state.snapshots.count < Bound.snapshots, let (id, disk) = pickReadyVolume() else { return }
        let submitted = try await cloud.cloud.takeSnapshots(
            TakeSnapshotRequest(target: .volume(id)),
            in: disk.environment,
            cloud.call
        )
        note("snapshot", submitted.job)
        for view in submitted.resource {
            freeze(view.snapshot.id, id, disk)
            unfinished.insert(view.snapshot.id.description)
        }
    }

    private func takeGroup() async throws {
        guard state.snapshots.count < Bound.snapshots, let (id, machine) = pickReadyMachine() else { return }
        let submitted = try await cloud.cloud.takeSnapshots(
            TakeSnapshotRequest(target: .instance(id)),
            in: machine.environment,
            cloud.call
        )
        note("group", submitted.job)
        for view in submitted.resource {
            let volume = view.snapshot.source.volume
            if let disk = state.volumes[volume] { freeze(view.snapshot.id, volume, disk) }
            unfinished.insert(view.snapshot.id.description)
        }
    }

    private func deleteSnapshot() async throws {
        guard state.snapshots.count > 2, let (id, frozen) = pick(state.snapshots) else { return }
        note("delete snapshot", try await cloud.cloud.deleteSnapshot(id, in: frozen.environment, cloud.call))
        state.snapshots[id] = nil
    }

    private func cloneSnapshot() async throws {
        guard state.volumes.count < Bound.volumes, let (id, frozen) = pickReady() else { return }
        let isFull = Bool.random(using: &random)
        let target = Bool.random(using: &random) ? cloud.home.id : cloud.abroad.id
        let submitted = try await cloud.cloud.createVolume(
            CreateVolumeRequest(
                source: .snapshot(id, isFull: isFull),
                name: try ResourceName("clone \(number)"),
                environment: target
            ),
            in: frozen.environment,
            cloud.call
        )
        note(isFull ? "copy" : "clone", submitted.job)
        unfinished.insert(submitted.resource.volume.id.description)
        state.volumes[submitted.resource.volume.id] = .init(
            environment: target,
            instance: nil,
            isRoot: false,
            content: frozen.content
        )
    }

    private func makeTemplate() async throws {
        if state.templates.count >= Bound.templates, let (id, _) = pickReadyTemplate() {
            note("delete template", try await cloud.cloud.deleteTemplate(id, in: cloud.home.id, cloud.call))
            state.templates[id] = nil
            return
        }
        let home = cloud.home.id
        guard let (id, frozen) = pickReady(where: { $0.isRoot && $0.environment == home }) else { return }
        let submitted = try await cloud.cloud.createTemplate(
            CreateTemplateRequest(
                source: .snapshot(id, isFull: Bool.random(using: &random)),
                name: try ResourceName("template \(number)")
            ),
            in: home,
            cloud.call
        )
        note("template", submitted.job)
        unfinished.insert(submitted.resource.template.id.description)
        state.templates[submitted.resource.template.id] = frozen.content
    }

    private func deploy() async throws {
        guard state.machines.count < Bound.machines, let (id, content) = pickReadyTemplate() else { return }
        let submitted = try await cloud.cloud.deploy(
            DeployRequest(
                source: .template(id),
                name: try ResourceName("node \(number)"),
                computeOffering: "custom",
                cpuCount: 1,
                memory: .mebibytes(64),
                network: .isolated,
                startsInstances: false
            ),
            in: cloud.home.id,
            cloud.call
        )
        note("deploy", submitted.job)
        for view in submitted.resource {
            state.machines[view.instance.id] = .init(environment: cloud.home.id, isRunning: false)
            unfinished.insert(view.instance.id.description)
            for volume in view.volumes {
                unfinished.insert(volume.id.description)
                state.volumes[volume.id] = .init(
                    environment: cloud.home.id,
                    instance: view.instance.id,
                    isRoot: true,
                    content: content
                )
            }
        }
    }

    private func deleteVolume() async throws {
        guard state.volumes.count > 4, let (id, disk) = pick(state.volumes.filter({ $0.value.instance == nil })) else {
            return
        }
        note("delete volume", try await cloud.cloud.deleteVolume(id, in: disk.environment, cloud.call))
        state.volumes[id] = nil
    }

    // MARK: Steps that run alone

    private func stepAlone() async throws {
        number += 1
        switch Int.random(in: 0..<18, using: &random) {
        case 0..<6: try await write()
        case 6..<8: try await revert()
        case 8: try await undoRevert()
        case 9..<11: try await switchMachine()
        case 11: try await grow()
        case 12: try await moveDisk()
        case 13: try await deleteMachine()
        case 14: try await killMachine()
        case 15: try await cancelSomething()
        default: try await restart()
        }
    }

    private func write() async throws {
        guard let (id, disk) = pick(state.volumes) else { return }
        let value = UInt8.random(in: 1...255, using: &random)
        let block = Int.random(in: 0..<disk.content.blocks.count, using: &random)
        let count = min(Int.random(in: 1...12, using: &random), disk.content.blocks.count - block)
        history.append("write")
        try await cloud.write(value, at: block, blocks: count, to: try await cloud.volume(id))
        state.volumes[id]?.content.fill(value, at: block, count: count)
    }

    private func revert() async throws {
        let present = state.volumes
        guard let (id, frozen) = pick(state.snapshots.filter({ present[$0.value.volume] != nil })) else { return }
        try await revert(frozen.volume, to: .snapshot(id), frozen.content, "revert")
    }

    private func undoRevert() async throws {
        let withUndo = state.volumes.filter { state.undo(of: $0.key) != nil }
        guard let (id, _) = pick(withUndo), let undo = state.undo(of: id), let frozen = state.snapshots[undo] else {
            return
        }
        try await revert(id, to: .undo(id), frozen.content, "undo")
    }

    private func revert(
        _ volume: VolumeID,
        to target: RevertTarget,
        _ content: DiskContent,
        _ what: String
    ) async throws {
        guard let disk = state.volumes[volume] else { return }
        history.append(what)
        try await cloud.done(try await cloud.cloud.revert(target, restarts: true, in: disk.environment, cloud.call).job)
        let undo = try #require(try await cloud.catalog.read { try $0.undoSnapshot(of: volume) })
        reverts += 1
        freeze(undo.id, volume, disk, undoNumber: reverts)
        state.volumes[volume]?.content = content
    }

    private func switchMachine() async throws {
        guard let (id, machine) = pick(state.machines) else { return }
        let running = state.machines.values.filter(\.isRunning).count
        guard machine.isRunning || running < Bound.runningMachines else { return }
        history.append(machine.isRunning ? "stop" : "start")
        let job =
            machine.isRunning
            ? try await cloud.cloud.stopInstance(id, isForced: true, in: machine.environment, cloud.call).job
            : try await cloud.cloud.startInstance(id, in: machine.environment, cloud.call).job
        try await cloud.done(job)
        state.machines[id]?.isRunning.toggle()
    }

    private func grow() async throws {
        guard let (id, disk) = pick(state.volumes), disk.content.blocks.count < 96 else { return }
        history.append("grow")
        let size = disk.content.size + .mebibytes(1)
        try await cloud.done(try await cloud.cloud.resizeVolume(id, to: size, in: disk.environment, cloud.call).job)
        state.volumes[id]?.content.grow(by: 16)
    }

    /// Attaches a loose disk to a machine of its environment, running or not, or takes one from a machine at rest.
    private func moveDisk() async throws {
        guard let (id, disk) = pick(state.volumes.filter { !$0.value.isRoot }) else { return }
        if disk.instance != nil {
            guard !state.isRunning(id) else { return }
            history.append("detach")
            try await cloud.done(try await cloud.cloud.detachVolume(id, in: disk.environment, cloud.call).job)
            state.volumes[id]?.instance = nil
        } else {
            guard let (machine, _) = pick(state.machines.filter({ $0.value.environment == disk.environment })) else {
                return
            }
            history.append("attach")
            try await cloud.done(
                try await cloud.cloud.attachVolume(id, to: machine, in: disk.environment, cloud.call).job
            )
            state.volumes[id]?.instance = machine
        }
    }

    private func deleteMachine() async throws {
        guard state.machines.count > 2, let (id, machine) = pick(state.machines) else { return }
        history.append("delete instance")
        let deletesSnapshots = Bool.random(using: &random)
        let job = try await cloud.cloud.deleteInstance(
            id,
            DeleteInstanceRequest(deletesSnapshots: deletesSnapshots),
            in: machine.environment,
            cloud.call
        )
        try await cloud.done(job)
        for volume in state.volumes(of: id) {
            if deletesSnapshots { state.snapshots = state.snapshots.filter { $0.value.volume != volume } }
            if state.volumes[volume]?.isRoot == true {
                state.volumes[volume] = nil
            } else {
                state.volumes[volume]?.instance = nil
            }
        }
        state.machines[id] = nil
    }

    private func killMachine() async throws {
        guard let (id, _) = pick(state.machines.filter { $0.value.isRunning }) else { return }
        history.append("kill machine")
        try await cloud.killMachine(id)
        let catalog = cloud.catalog
        try await until("the end is recorded") { try await catalog.read { try $0.findInstance(id) }?.power == .stopped }
        state.machines[id]?.isRunning = false
    }

    /// A snapshot that is cancelled at some moment: it is there in the end or it is not, and nothing else changes.
    private func cancelSomething() async throws {
        guard let (id, disk) = pick(state.volumes) else { return }
        history.append("cancel")
        let gate = Gate()
        let calls = [
            "store.createLayer.on", "store.findLayer", state.isRunning(id) ? "store.finishSwitch" : "store.findLayer",
        ]
        cloud.faults.hold(calls[Int.random(in: calls.indices, using: &random)], at: gate)
        let submitted = try await cloud.cloud.takeSnapshots(
            TakeSnapshotRequest(target: .volume(id)),
            in: disk.environment,
            cloud.call
        )
        await gate.reached()
        _ = try await cloud.cloud.cancelTask(submitted.job, cloud.call)
        gate.open()
        let view = try await cloud.end(of: submitted.job)
        guard view.status == .succeeded, let snapshot = submitted.resource.first?.snapshot else { return }
        freeze(snapshot.id, id, disk)
    }

    private func restart() async throws {
        history.append("restart")
        await cloud.stopRoom()
        try await cloud.startRoom()
    }

    // MARK: Parts

    private func note(_ what: String, _ job: JobID) {
        history.append(what)
        pending.append((what, job))
    }

    private func freeze(_ id: SnapshotID, _ volume: VolumeID, _ disk: ModelState.Disk, undoNumber: Int? = nil) {
        state.snapshots[id] = .init(
            environment: disk.environment,
            volume: volume,
            isRoot: disk.isRoot,
            content: disk.content,
            undoNumber: undoNumber
        )
    }

    func pick<Key, Value>(_ things: Roster<Key, Value>) -> (Key, Value)? {
        things.entries.randomElement(using: &random).map { ($0.key, $0.value) }
    }
}
