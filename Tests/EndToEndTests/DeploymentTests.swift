import Testing

extension ServiceTests {
    /// The second and the third use: a golden image, and a copy to look for a fault in.
    @Suite("golden images and clones")
    struct DeploymentTests {
        @Test("five instances of a golden image take a moment, and count on from where the image was taken")
        func golden() async throws {
            let ground = try Ground.current
            let before = try await ground.beat(of: "web01")
            try await ground.done("snapshot", "create", "--volume", "ROOT-web01", "--name", "ready-to-ship")
            try await ground.done("template", "create", "--from-snapshot", "ready-to-ship", "--name", "golden")
            let nodes = try await ground.json(
                [InstanceAnswer].self,
                "instance",
                "create",
                "node",
                "--template",
                "golden",
                "--count",
                "5",
                "--no-start"
            )
            #expect(nodes.map(\.name) == (1...5).map { "node-\($0)" })
            #expect(nodes.allSatisfy { $0.state == "Stopped" })

            // The image needs neither the snapshot nor, for its instances, itself.
            try await ground.done("snapshot", "delete", "ready-to-ship", "--yes")
            try await ground.done("template", "delete", "golden", "--yes")
            try await ground.done("instance", "start", "node-3")
            let first = try await ground.firstBeat(of: "node-3", afterStart: 0)
            #expect(first.root >= before.root)
            #expect(first.data == nil)
            try await ground.done(
                "instance",
                "delete",
                "node-1",
                "node-2",
                "node-3",
                "node-4",
                "node-5",
                "--purge",
                "--yes"
            )
            #expect(try await ground.json([InstanceAnswer].self, "instance", "list").map(\.name) == ["web01"])
        }

        @Test("a clone into another environment lives from the same instant and has no network")
        func elsewhere() async throws {
            let ground = try Ground.current
            let before = try await ground.beat(of: "web01")
            try await ground.done("snapshot", "create", "--volume", "ROOT-web01", "--name", "fault-here")
            try await ground.done("snapshot", "clone", "fault-here", "patient", "--to", "lab")
            let first = try await ground.firstBeat(of: "patient", afterStart: 0, in: "lab")
            #expect(first.root >= before.root)
            let patient = try await ground.json(
                InstanceAnswer.self,
                "instance",
                "show",
                "patient",
                "--environment",
                "lab"
            )
            #expect(patient.networkId == "isolated")
            #expect(patient.ipAddresses ?? [] == [])
            #expect(patient.sshPort == nil)
            // The original has one, so the guest would have said so.
            let address = "instanta-guest network address="
            #expect(try await ground.done("instance", "console", "web01").output.contains(address))
            let console = try await ground.done("instance", "console", "patient", "--environment", "lab")
            #expect(!console.output.contains(address))
            // Neither sees the other.
            #expect(try await ground.json([InstanceAnswer].self, "instance", "list").map(\.name) == ["web01"])
            try await ground.done("instance", "delete", "patient", "--environment", "lab", "--purge", "--yes")
            try await ground.done("snapshot", "delete", "fault-here", "--yes")
        }
    }
}
