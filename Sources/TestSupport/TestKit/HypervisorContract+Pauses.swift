import SnapshotDomain
import SnapshotPorts

extension HypervisorContract {
    static let pauses: [HypervisorContract] = [
        HypervisorContract("a machine stands still until it is let go, and was held throughout") { ground in
            let (id, root) = try await ground.startMachine()
            let lease = try await ground.hypervisor.pause(id, atMost: .seconds(60))
            try expect(await ground.hypervisor.status(of: id) != .running, "a paused machine should not run")
            try expect(await ground.hypervisor.isAlive(id), "a paused machine should be alive")
            try expectEqual(try await ground.hypervisor.writtenDisks(of: id), [0: root.handles[0]], "the written disks")
            let report = await lease.resume()
            try expect(report.heldThroughout, "the pause should have been held: \(report.answer)")
            try expectEqual(await ground.hypervisor.status(of: id), .running, "the state afterwards")
            try expectEqual(await lease.resume(), report, "the second report")
        },
        HypervisorContract("a pause ends at its deadline, and says so") { ground in
            let (id, _) = try await ground.startMachine()
            let lease = try await ground.hypervisor.pause(id, atMost: .milliseconds(50))
            while await ground.hypervisor.status(of: id) != .running {
                try await Task.sleep(for: .milliseconds(10))
            }
            try expect(!(await lease.resume().heldThroughout), "a pause past its deadline was not held")
        },
        HypervisorContract("a machine can be paused again and again, one call after the other") { ground in
            let (id, _) = try await ground.startMachine()
            for _ in 1...3 {
                let lease = try await ground.hypervisor.pause(id, atMost: .seconds(60))
                try expect(await lease.resume().heldThroughout, "each pause should be held")
            }
        },
        HypervisorContract("what does not run cannot be paused") { ground in
            try await expectFault([.wrongState], "the pause of no machine") {
                _ = try await ground.hypervisor.pause(.random(), atMost: .seconds(1))
            }
        },
        HypervisorContract("a machine that ends while it is paused is not reported as held") { ground in
            let (id, _) = try await ground.startMachine()
            let lease = try await ground.hypervisor.pause(id, atMost: .seconds(60))
            try await ground.crash(id)
            try expect(!(await lease.resume().heldThroughout), "a machine that is gone was not held")
            try expectEqual(await ground.hypervisor.status(of: id), .stopped, "the state")
        },
    ]
}
