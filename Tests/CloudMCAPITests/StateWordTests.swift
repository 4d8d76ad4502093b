import SnapshotDomain
import SnapshotPorts
import SnapshotServices
import TestKit
import Testing

@testable import CloudMCAPI

@Suite("State words")
struct StateWordTests {
    static let kinds: [Job.Kind?] = Job.Kind.allCases + [nil]
    static let states: [ResourceState] = [
        .creating(Sample.id(70)), .available, .deleting(Sample.id(70)), .failed(reason: "lost"),
    ]

    @Test(
        "a snapshot is in progress, completed, being destroyed or failed",
        arguments: zip(states, ["Creating", "BackedUp", "Destroying", "Error"])
    )
    func snapshots(_ state: ResourceState, _ word: String) {
        #expect(Sample.snapshot(state: state).shownState.rawValue == word)
        #expect(StateSelection.snapshots(word) == StateSelection(states: [state.word], isExact: true))
    }

    @Test("a volume shows what the job that holds it does")
    func volumes() {
        let expected: [Job.Kind: String] = [
            .createSnapshots: "Snapshotting", .revertVolumes: "RevertSnapshotting", .resizeVolume: "Resizing",
            .moveVolume: "Migrating",
            .attachVolume: "Attaching", .detachVolume: "Detaching", .createVolume: "Creating",
            .deployInstances: "Creating", .deleteVolume: "Destroying", .deleteInstance: "Destroying",
            .destroyInstance: "Destroying", .restoreInstance: "RevertSnapshotting", .deleteEnvironment: "Destroying",
        ]
        for kind in Self.kinds {
            let view = Sample.volume(activity: ResourceActivity(kind: kind))
            #expect(view.shownState.rawValue == kind.flatMap { expected[$0] } ?? "Ready")
        }
    }

    @Test("an instance shows its machine's state unless a job changes it")
    func instances() {
        let status: [(MachineStatus, String)] = [
            (.running, "Running"), (.stopped, "Stopped"), (.paused(reason: "I/O error"), "Unknown"),
            (.unresponsive, "Unknown"),
        ]
        for (status, word) in status {
            #expect(Sample.instance(status: status).shownState.rawValue == word)
            let held = ResourceActivity(kind: .createSnapshots)
            #expect(Sample.instance(status: status, activity: held).shownState.rawValue == word)
        }
        let changing: [(Job.Kind, String)] = [
            (.startInstance, "Starting"), (.stopInstance, "Stopping"), (.deleteInstance, "Expunging"),
            (.destroyInstance, "Stopping"),
        ]
        for (kind, word) in changing {
            #expect(Sample.instance(activity: ResourceActivity(kind: kind)).shownState.rawValue == word)
        }
        #expect(
            Self.states.map { Sample.instance(state: $0).shownState.rawValue } == [
                "Starting", "Running", "Expunging", "Error",
            ]
        )
    }

    @Test("whatever word a volume shows, a filter for it looks where the volume is")
    func selections() {
        for state in Self.states {
            for kind in Self.kinds {
                let word = Sample.volume(state: state, activity: ResourceActivity(kind: kind)).shownState.rawValue
                #expect(StateSelection.volumes(word.uppercased()).states.contains(state.word), "\(word)")
            }
        }
    }

    @Test("both names of a volume's type are read, in any letter case")
    func roles() {
        #expect(["os", "OS", "ROOT"].map { StateWords.role($0) } == [.root, .root, .root])
        #expect(["data", "DATA", "DATADISK"].map { StateWords.role($0) } == [.data, .data, .data])
        #expect(StateWords.role("tape") == nil)
    }
}
