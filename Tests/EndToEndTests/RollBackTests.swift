import Foundation
import Testing

extension ServiceTests {
    /// The first use: try something, and return to before it.
    @Suite("rolling back")
    struct RollBackTests {
        @Test("the demo environment has a machine that runs, with a root volume and a data volume")
        func demo() async throws {
            let ground = try Ground.current
            let machine = try await ground.json(InstanceAnswer.self, "instance", "show", "web01")
            #expect(machine.state == "Running")
            #expect(machine.volumes.map(\.name) == ["ROOT-web01", "web01_data"])
            let table = try await ground.done("instance", "list").output
            #expect(table.contains("web01"))
            #expect(try await ground.done("environment", "list", "--quiet").output.split(separator: "\n").count == 2)
        }

        @Test("a snapshot without a name is called after its instance, its volume and its time in UTC")
        func unnamed() async throws {
            let ground = try Ground.current
            let before = Date()
            let snapshot = try await ground.json(
                SnapshotAnswer.self,
                "snapshot",
                "create",
                "--volume",
                "ROOT-web01"
            )
            #expect(snapshot.state == "BackedUp")
            let stamp = try #require(snapshot.name.split(separator: "_").last.map(String.init))
            #expect(snapshot.name == "web01_ROOT-web01_\(stamp)")
            let format = DateFormatter()
            format.locale = Locale(identifier: "en_US_POSIX")
            format.timeZone = TimeZone(identifier: "UTC")
            format.dateFormat = "yyyyMMddHHmmss"
            let taken = try #require(format.date(from: stamp))
            #expect(
                (before.timeIntervalSince1970.rounded(.down)...Date().timeIntervalSince1970)
                    .contains(taken.timeIntervalSince1970)
            )
            let table = try await ground.done("snapshot", "list").output
            #expect(table.contains(snapshot.name))
            #expect(table.contains("Completed"))
            try await ground.done("snapshot", "delete", snapshot.name, "--yes")
            #expect(try await !ground.done("snapshot", "list").output.contains(snapshot.name))
        }

        @Test("a revert takes the machine's counter back, and undoing it brings the counter forward again")
        func revert() async throws {
            let ground = try Ground.current
            try await ground.done("snapshot", "create", "--volume", "ROOT-web01", "--name", "before-upgrade")
            let later = try await ground.wait(for: 4, of: "web01")
            let starts = try await ground.story(of: "web01").starts.count

            let reverting = try await ground.done("snapshot", "revert", "before-upgrade")
            #expect(reverting.errors.contains("undo: instanta volume undo-revert ROOT-web01"))
            let back = try await ground.firstBeat(of: "web01", afterStart: starts)
            #expect(back.root < later.root)
            // Only the root volume went back.
            #expect(try #require(back.data) >= (try #require(later.data)))
            let volume = try await ground.json(VolumeAnswer.self, "volume", "show", "ROOT-web01")
            #expect(volume.state == "Ready")
            #expect(volume.undoSnapshotId != nil)

            try await ground.done("volume", "undo-revert", "ROOT-web01")
            let forward = try await ground.firstBeat(of: "web01", afterStart: starts + 1)
            #expect(forward.root >= later.root)
        }
    }
}
