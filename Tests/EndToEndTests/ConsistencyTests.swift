import CommandLine
import Testing

extension ServiceTests {
    /// What a snapshot of a machine that writes really holds.
    @Suite("consistency")
    struct ConsistencyTests {
        @Test("a filesystem-consistent snapshot says how long the guest was frozen, and the guest goes on")
        func frozen() async throws {
            let ground = try Ground.current
            let snapshot = try await ground.json(
                SnapshotAnswer.self,
                "snapshot",
                "create",
                "--volume",
                "ROOT-web01",
                "--name",
                "at-rest",
                "--consistency",
                "filesystem",
                "--max-freeze-ms",
                "20000",
                "--fail-on-missed-freeze"
            )
            #expect(snapshot.consistency == "filesystem")
            #expect((0...20_000).contains(try #require(snapshot.freezeMilliseconds)))
            _ = try await ground.beat(of: "web01")
            try await ground.done("snapshot", "delete", "at-rest", "--yes")
        }

        @Test("the volumes of an instance are taken, and go back, at one instant")
        func group() async throws {
            let ground = try Ground.current
            let before = try await ground.beat(of: "web01")
            let snapshots = try await ground.json(
                [SnapshotAnswer].self,
                "instance",
                "snapshot",
                "web01",
                "--name",
                "together"
            )
            let group = try #require(snapshots.first?.groupId)
            #expect(snapshots.count == 2)
            #expect(snapshots.allSatisfy { $0.groupId == group && $0.state == "BackedUp" })
            let later = try await ground.wait(for: 3, of: "web01")
            let starts = try await ground.story(of: "web01").starts.count

            try await ground.done("instance", "revert", "web01", "--group", group)
            let back = try await ground.firstBeat(of: "web01", afterStart: starts)
            #expect(back.root < later.root)
            #expect(try #require(back.data) < (try #require(later.data)))
            #expect(abs(try #require(back.lead) - (try #require(before.lead))) <= 1)
            try await ground.done(["snapshot", "delete"] + snapshots.map(\.id) + ["--yes"])
        }

        @Test("a machine that is saved with its memory goes on from there, without a boot")
        func memory() async throws {
            let ground = try Ground.current
            let snapshots = try await ground.json(
                [SnapshotAnswer].self,
                "instance",
                "snapshot",
                "web01",
                "--name",
                "alive",
                "--consistency",
                "memory",
                "--max-freeze-ms",
                "20000",
                "--fail-on-missed-freeze"
            )
            let group = try #require(snapshots.first?.groupId)
            #expect(snapshots.count == 2)
            #expect(snapshots.allSatisfy { $0.consistency == "memory" && $0.groupId == group })
            #expect((0...20_000).contains(try #require(snapshots.first?.freezeMilliseconds)))
            let later = try await ground.wait(for: 4, of: "web01")
            let starts = try await ground.story(of: "web01").starts.count

            try await ground.done("instance", "revert", "web01", "--group", group)
            _ = try await ground.wait(for: 2, of: "web01")
            // The console goes on with a lower number, and nothing has started in between.
            let story = try await ground.story(of: "web01")
            #expect(story.starts.count == starts)
            let beats = try #require(story.starts.last)
            let steps = Array(zip(beats, beats.dropFirst()))
            let back = try #require(steps.last { $0.1.root < $0.0.root }).1
            #expect(back.root < later.root)
            #expect(abs(try #require(back.lead) - (try #require(later.lead))) <= 1)
            try await ground.done("snapshot", "verify", snapshots[0].id)
            try await ground.done(["snapshot", "delete"] + snapshots.map(\.id) + ["--yes"])
        }

        @Test("a snapshot keeps its digest while the guest writes on, and through export and import")
        func digest() async throws {
            let ground = try Ground.current
            try await ground.done("snapshot", "create", "--volume", "ROOT-web01", "--name", "kept")
            let digest = try await ground.json(VerificationAnswer.self, "snapshot", "verify", "kept").digest
            _ = try await ground.wait(for: 2, of: "web01")
            #expect(try await ground.json(VerificationAnswer.self, "snapshot", "verify", "kept").digest == digest)

            for format in ["qcow2", "raw"] {
                let file = "\(ground.folder)/kept.\(format)"
                try await ground.done("snapshot", "export", "kept", "--format", format, "-o", file)
                let again = try await ground.run(["snapshot", "export", "kept", "-o", file])
                #expect(again.ended(.conflict), "\(again)")
                try await ground.done("template", "import", file, "--name", "from-\(format)")
                try await ground.done(
                    "instance",
                    "create",
                    "copy",
                    "--template",
                    "from-\(format)",
                    "--no-start"
                )
                try await ground.done("snapshot", "create", "--volume", "ROOT-copy", "--name", "of-copy")
                let copy = try await ground.json(VerificationAnswer.self, "snapshot", "verify", "of-copy")
                #expect(copy.digest == digest, "through \(format)")
                try await ground.done("instance", "delete", "copy", "--delete-snapshots", "--yes")
                try await ground.done("template", "delete", "from-\(format)", "--yes")
            }
            try await ground.done("snapshot", "delete", "kept", "--yes")
        }
    }
}
