import CommandLine
import Foundation
import Glibc
import Platform
import Testing

extension ServiceTests {
    /// The service ends, is killed, and machines are killed: nothing is lost, nothing hangs.
    @Suite("faults")
    struct FaultTests {
        @Test("--no-wait prints the task, which can be waited for and looked at")
        func noWait() async throws {
            let ground = try Ground.current
            try await ground.done("snapshot", "create", "--volume", "web01_data", "--name", "soon")
            let task = try await ground.done("snapshot", "verify", "soon", "--no-wait").line
            #expect(UUID(uuidString: task) != nil, "'\(task)' is no id of a task")
            try await ground.done("task", "wait", task)
            let ended = try await ground.json(TaskAnswer.self, "task", "show", task)
            #expect(ended.status == "SUCCESS")
            try await ground.done("snapshot", "delete", "soon", "--yes")
        }

        @Test("a second service on the same data folder says who has it, and harms nothing")
        func twoServices() async throws {
            let ground = try Ground.current
            let second = try await Program.run(["serve", "--data-dir", ground.data, "--listen", "127.0.0.1:0"])
            #expect(second.ended(.failed), "\(second)")
            #expect(second.errors.contains("another instanta serves this data folder"))
            #expect(second.errors.contains("pid \(try await ground.service.pid)"))
            _ = try await ground.beat(of: "web01")
        }

        @Test("machines go on when the service stops, and it finds them again")
        func stop() async throws {
            let ground = try Ground.current
            let machine = try await ground.process(of: "web01")
            let before = try await ground.beat(of: "web01")
            #expect(try await ground.stop() == .exited(0))
            #expect(machine.isAlive)
            try await ground.serve()
            let after = try await ground.beat(of: "web01")
            #expect(after.root > before.root)
            #expect(try await ground.process(of: "web01") == machine)
        }

        @Test("after kill -9 amid jobs everything is resumed, and the machine has not noticed")
        func killService() async throws {
            let ground = try Ground.current
            let machine = try await ground.process(of: "web01")
            let before = try await ground.beat(of: "web01")
            try await ground.done("snapshot", "create", "--volume", "ROOT-web01", "--name", "survivor")
            let digest = try await ground.json(VerificationAnswer.self, "snapshot", "verify", "survivor").digest
            var tasks: [String] = []
            // The slowest last, so that they are amid their work.
            for words in [
                ["snapshot", "create", "--volume", "ROOT-web01", "--name", "amid"],
                ["snapshot", "verify", "survivor"],
                ["template", "create", "--from-snapshot", "survivor", "--name", "whole-too", "--full"],
                ["volume", "create", "whole", "--from-snapshot", "survivor", "--full"],
            ] {
                tasks.append(try await ground.done(words + ["--no-wait"]).line)
            }
            try await ground.kill()
            #expect(machine.isAlive)
            try await ground.serve()

            for task in tasks { try await ground.done("task", "wait", task) }
            let after = try await ground.beat(of: "web01")
            #expect(after.root > before.root)
            #expect(try await ground.process(of: "web01") == machine)
            let volumes = try await ground.json([VolumeAnswer].self, "volume", "list")
            #expect(volumes.allSatisfy { $0.state == "Ready" })
            #expect(volumes.map(\.name).contains("whole"))
            let snapshots = try await ground.json([SnapshotAnswer].self, "snapshot", "list")
            #expect(snapshots.allSatisfy { $0.state == "BackedUp" })
            #expect(Set(snapshots.map(\.name)).isSuperset(of: ["survivor", "amid"]))
            #expect(try await ground.json(VerificationAnswer.self, "snapshot", "verify", "survivor").digest == digest)
            let left = (try? FileManager.default.contentsOfDirectory(atPath: "\(ground.data)/quarantine")) ?? []
            #expect(left.isEmpty, "set aside: \(left)")

            try await ground.done("volume", "delete", "whole", "--yes")
            try await ground.done("template", "delete", "whole-too", "--yes")
            try await ground.done("snapshot", "delete", "survivor", "amid", "--yes")
        }

        @Test("a storage daemon that is killed fails its job alone, with what to do; the same again succeeds")
        func killStorageDaemon() async throws {
            let ground = try Ground.current
            try await ground.done("snapshot", "create", "--volume", "ROOT-web01", "--name", "read-in-vain")
            let digest = try await ground.json(VerificationAnswer.self, "snapshot", "verify", "read-in-vain").digest
            let service = try await ground.service.pid
            let failed = try await until("a daemon is caught at work") { () -> ProgramRun? in
                let task = try await ground.done("snapshot", "verify", "read-in-vain", "--no-wait").line
                if let daemon = try await Self.nextStorageDaemon(of: service) { Glibc.kill(daemon, SIGKILL) }
                let run = try await ground.run(["task", "wait", task])
                return run.ended(.done) ? nil : run
            }
            #expect(failed.ended(.unreachable), "\(failed)")
            #expect(failed.errors.contains("Try again"), "\(failed)")
            _ = try await ground.beat(of: "web01")
            let again = try await ground.json(VerificationAnswer.self, "snapshot", "verify", "read-in-vain").digest
            #expect(again == digest)
            try await ground.done("snapshot", "delete", "read-in-vain", "--yes")
        }

        /// The next storage daemon that a service starts; nil when none comes, as when its work was over too soon.
        private static func nextStorageDaemon(of service: pid_t) async throws -> pid_t? {
            let deadline = ContinuousClock.now + .seconds(10)
            while ContinuousClock.now < deadline {
                if let daemon = storageDaemon(of: service) { return daemon }
                try await Task.sleep(for: .milliseconds(2))
            }
            return nil
        }

        private static func storageDaemon(of service: pid_t) -> pid_t? {
            let processes =
                (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap(pid_t.init) ?? []
            return processes.first { process in
                let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
                return status.contains("Name:\tqemu-storage-da") && status.contains("PPid:\t\(service)\n")
            }
        }

        @Test("a machine that was killed shows as stopped, and starts again from its own disks")
        func killMachine() async throws {
            let ground = try Ground.current
            let before = try await ground.beat(of: "web01")
            let starts = try await ground.story(of: "web01").starts.count
            try await ground.process(of: "web01").signal(SIGKILL)
            _ = try await until("the service notices") {
                let shown = try await ground.json(InstanceAnswer.self, "instance", "show", "web01")
                return shown.state == "Stopped" ? true : nil
            }
            try await ground.done("instance", "start", "web01")
            let after = try await ground.firstBeat(of: "web01", afterStart: starts)
            // Every count was synced to its disk before it was told.
            #expect(after.root >= before.root)
            #expect(try #require(after.data) >= (try #require(before.data)))
        }
    }
}
