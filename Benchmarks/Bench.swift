import Foundation
import Logging
import NIOPosix
import QEMU

/// What several cases need.
enum Bench {
    /// For parts that would tell of machines and daemons in between.
    static var silence: Logger {
        var logger = Logger(label: "benchmarks")
        logger.logLevel = .critical
        return logger
    }

    /// Lets what a call left behind come to its end, so that it does not run into the next measurement.
    static func breathe() async throws {
        try await Task.sleep(for: .milliseconds(100))
    }

    // MARK: Probes

    private static let counter = "probe"

    /// Starts a probe in the guest of the machine with this folder: a write with fdatasync every 5 ms to its data disk.
    static func startProbe(in machine: String) async throws {
        try await guest(machine, "echo 0 > /data/probe; setsid /sbin/heartbeat 5 \(counter)=/data/probe > /dev/ttyS0 &")
    }

    static func stopProbe(in machine: String) async throws {
        try await guest(machine, "kill $(pidof -x heartbeat | tr ' ' '\\n' | head -n 1)")
    }

    private static func guest(_ machine: String, _ script: String) async throws {
        let agent = GuestAgent(path: "\(machine)/agent", group: MultiThreadedEventLoopGroup.singleton)
        let words = ["-c", "(\(script)) < /dev/null 2> /dev/null"]
        _ = try await agent.run("/bin/sh", words, timeout: .seconds(60))
    }

    /// Does something right after the probe has told, and returns the slowest write that it tells of next.
    static func nextProbe(in machine: String, _ body: () async throws -> Void) async throws -> Double {
        let console = "\(machine)/console.log"
        let start = Heartbeats(console: console, counter: counter).count
        let told = try await probes(console, beyond: start)
        try await body()
        guard let next = try await probes(console, beyond: told.count).slowest.dropFirst(told.count).first else {
            throw BenchFault("the probe is silent: \(console)")
        }
        return next
    }

    private static func probes(_ console: String, beyond count: Int) async throws -> Heartbeats {
        for _ in 0..<2_000 {
            let now = Heartbeats(console: console, counter: counter)
            if now.count > count { return now }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw BenchFault("the probe is silent: \(console)")
    }
}
