import Foundation
import Platform
import Testing

@Suite("Child processes")
struct ChildProcessTests {
    private let limit = Duration.seconds(30)

    private func shell(_ script: String, timeout: Duration = .seconds(30)) async throws -> ChildProcess.Completion {
        try await ChildProcess.run(Spawn("sh", ["-c", script]), timeout: timeout)
    }

    @Test("tells status, output and errors")
    func completion() async throws {
        let completion = try await shell("echo out; echo err >&2; exit 3")
        #expect(completion.status == .exited(3))
        #expect(completion.outputText == "out\n")
        #expect(completion.errorsText == "err\n")
    }

    @Test("tells the signal that ended it")
    func signalled() async throws {
        #expect(try await shell("kill -USR1 $$").status == .signalled(SIGUSR1))
    }

    @Test("a program that is not there is not found", arguments: ["no-such-program", "/no/such/program"])
    func notFound(_ program: String) async throws {
        let fault = try await fault { _ = try await ChildProcess.start(Spawn(program)) }
        #expect(fault.code == .notFound)
        #expect(fault.outcome == .notDone)
    }

    @Test("a file that may not be executed is refused")
    func notExecutable() async throws {
        let fault = try await fault { _ = try await ChildProcess.start(Spawn("/etc/passwd")) }
        #expect(fault.code == .permission)
    }

    @Test("gives the environment and the directory that were asked for, and no others")
    func surroundings() async throws {
        try await withTemporaryDirectory { directory in
            let spawn = Spawn("env", environment: ["A": "1 2", "PATH": "/usr/bin:/bin"])
            let environment = try await ChildProcess.run(spawn, timeout: limit).outputText
            #expect(Set(environment.split(separator: "\n")) == ["A=1 2", "PATH=/usr/bin:/bin"])
            let place = Spawn("pwd", ["-P"], workingDirectory: directory)
            let shown = try await ChildProcess.run(place, timeout: limit).outputText
            #expect(shown.hasSuffix("\(URL(fileURLWithPath: directory).lastPathComponent)\n"))
        }
    }

    @Test("moves more than a pipe holds through a program, both ways at once")
    func roundTrip() async throws {
        let data = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        let spawn = Spawn("cat", input: .data(data), output: .capture(limit: 4_000_000))
        #expect(try await ChildProcess.run(spawn, timeout: limit).output == data)
    }

    @Test("a program that does not read its input does not hold us up")
    func unreadInput() async throws {
        let spawn = Spawn("true", input: .data(Data(count: 3_000_000)))
        #expect(try await ChildProcess.run(spawn, timeout: limit).status.isSuccess)
    }

    @Test("gives lines as they come, split at carriage returns too")
    func lines() async throws {
        let script = #"printf 'one\n(1/100)\r(2/100)\r\n'; read answer; printf "got $answer\nrest""#
        let child = try await ChildProcess.start(Spawn("sh", ["-c", script], input: .pipe, output: .lines))
        var lines = child.lines.makeAsyncIterator()
        #expect(await lines.next() == "one")
        #expect(await lines.next() == "(1/100)")
        #expect(await lines.next() == "(2/100)")
        child.send(Data("it\n".utf8))
        #expect(await lines.next() == "got it")
        #expect(await lines.next() == "rest")
        #expect(await lines.next() == nil)
        #expect(await child.wait().isSuccess)
    }

    @Test("ends the input when it is told to")
    func closeInput() async throws {
        let child = try await ChildProcess.start(Spawn("cat", input: .pipe))
        child.send(Data("a".utf8))
        child.send(Data("b".utf8))
        child.closeInput()
        #expect(await child.wait().isSuccess)
        #expect(child.captured.output == Data("ab".utf8))
    }

    @Test("writes to a file, after what is in it")
    func file() async throws {
        try await withTemporaryDirectory { directory in
            let log = "\(directory)/log"
            for word in ["one", "two"] {
                let spawn = Spawn(
                    "sh",
                    ["-c", "echo \(word); echo \(word)! >&2"],
                    output: .file(log),
                    errors: .file(log)
                )
                let completion = try await ChildProcess.run(spawn, timeout: limit)
                #expect(completion.output.isEmpty)
            }
            #expect(try String(contentsOfFile: log, encoding: .utf8) == "one\none!\ntwo\ntwo!\n")
        }
    }

    @Test("kills a program that writes more than it may")
    func overflow() async throws {
        let fault = try await fault {
            _ = try await ChildProcess.run(Spawn("yes", output: .capture(limit: 1000)), timeout: limit)
        }
        #expect(fault.code == .io)
        #expect(fault.message == "yes wrote more than it may and was killed")
    }

    @Test("kills a program that takes too long, and collects it")
    func timeout() async throws {
        let child = try await ChildProcess.start(Spawn("sleep", ["1000"]))
        let fault = try await fault { _ = try await child.complete(named: "sleep", timeout: .milliseconds(10)) }
        #expect(fault.code == .timedOut)
        #expect(child.status == .signalled(SIGKILL))
        #expect(!exists(child.pid))
    }

    @Test("kills a program whose task is cancelled, and collects it")
    func cancellation() async throws {
        let child = try await ChildProcess.start(Spawn("sh", ["-c", "echo on; exec sleep 1000"], output: .lines))
        let task = Task { try await child.complete(named: "sleep", timeout: .seconds(3600)) }
        var lines = child.lines.makeAsyncIterator()
        #expect(await lines.next() == "on")
        task.cancel()
        let fault = try await fault { _ = try await task.value }
        #expect(fault.code == .cancelled)
        #expect(!exists(child.pid))
    }

    @Test("does not wait for a grandchild that keeps the pipe open")
    func grandchildHoldsPipe() async throws {
        let spawn = Spawn("sh", ["-c", "sleep 1000 & echo $!"], newSession: false)
        let completion = try await ChildProcess.run(spawn, timeout: limit)
        let grandchild = try #require(pid_t(completion.outputText.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(kill(grandchild, SIGKILL) == 0)
    }

    @Test("leads a session of its own, and takes its group with it")
    func session() async throws {
        let script = "cut -d' ' -f6 /proc/$$/stat; sleep 1000 & echo $!; wait"
        let child = try await ChildProcess.start(Spawn("sh", ["-c", script], output: .lines))
        var lines = child.lines.makeAsyncIterator()
        #expect(await lines.next() == "\(child.pid)")
        let grandchild = try #require(await lines.next().flatMap { pid_t($0) })
        let process = try #require(RunningProcess.find(pid: grandchild, marker: "sleep"))
        #expect(await child.terminate(grace: limit) == .signalled(SIGTERM))
        #expect(try await process.waitForExit(within: limit))
    }

    @Test("kills what does not end when asked to")
    func stubborn() async throws {
        let script = "trap '' TERM; echo ready; while :; do sleep 1000; done"
        let child = try await ChildProcess.start(Spawn("sh", ["-c", script], output: .lines))
        var lines = child.lines.makeAsyncIterator()
        #expect(await lines.next() == "ready")
        #expect(await child.terminate(grace: .milliseconds(10)) == .signalled(SIGKILL))
        child.signal(SIGTERM)
    }

    @Test("gives its status to all who wait")
    func waiters() async throws {
        let child = try await ChildProcess.start(Spawn("cat", input: .pipe))
        await withTaskGroup(of: ExitStatus.self) { group in
            for _ in 0..<5 { group.addTask { await child.wait() } }
            #expect(await child.wait(within: .milliseconds(1)) == nil)
            child.closeInput()
            for await status in group { #expect(status == .exited(0)) }
        }
        #expect(child.status == .exited(0))
    }

    @Test("collects a program that nobody holds any more")
    func dropped() async throws {
        let pid = try await ChildProcess.start(Spawn("true")).pid
        try await until("the process is gone") { !exists(pid) }
    }

    @Test("leaks no descriptor, not even one that is not close-on-exec")
    func descriptors() async throws {
        let leaky = open("/dev/null", O_RDONLY)
        defer { close(leaky) }
        let names = try await ChildProcess.run(Spawn("ls", ["/proc/self/fd"]), timeout: limit).outputText
        // The fourth is the directory that ls itself reads.
        #expect(names.split(separator: "\n").count == 4)
    }

    @Test("leaves no descriptor of ours open behind it")
    func ownDescriptors() async throws {
        func openPipes() throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").filter { name in
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)"))?
                    .contains("instanta-leak-") == true
            }.count
        }
        try await withTemporaryDirectory { directory in
            let log = "\(directory)/instanta-leak-test"
            for _ in 0..<10 { _ = try await ChildProcess.run(Spawn("true", output: .file(log)), timeout: limit) }
            #expect(try openPipes() == 0)
        }
    }

    @Test("starts with default signals and an empty mask")
    func signals() async throws {
        let status = try await ChildProcess.run(Spawn("cat", ["/proc/self/status"]), timeout: limit).outputText
        for field in ["SigBlk", "SigIgn"] {
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(field) })
            let set = try #require(UInt64(line.suffix(16), radix: 16))
            // Without the two signals that the C library keeps for its threads.
            #expect(set & ~(0b11 << 31) == 0)
        }
    }

    @Test("a confined program has the limits it was given")
    func confinement() async throws {
        let limits = Confinement(processorSeconds: 7, addressSpaceBytes: 1 << 30, fileSizeBytes: 1 << 20)
        let spawn = Spawn("sh", ["-c", "ulimit -t; ulimit -v; ulimit -f; ulimit -c"], confinement: limits)
        // In seconds, KiB, blocks of 512 bytes, blocks of 512 bytes.
        #expect(try await ChildProcess.run(spawn, timeout: limit).outputText == "7\n1048576\n2048\n0\n")
    }

    @Test("a confined program that writes too large a file is ended")
    func fileSize() async throws {
        try await withTemporaryDirectory { directory in
            let limits = Confinement(processorSeconds: 60, addressSpaceBytes: 1 << 30, fileSizeBytes: 4096)
            let copy = ["if=/dev/zero", "of=\(directory)/file", "bs=1024", "count=8"]
            let status = try await ChildProcess.run(Spawn("dd", copy, confinement: limits), timeout: limit).status
            #expect(status == .signalled(SIGXFSZ))
        }
    }

    @Test("a program that shall end with us asks the kernel for it")
    func endsWithParent() async throws {
        let spawn = Spawn("setpriv", ["--dump"], endsWithParent: true)
        let dump = try await ChildProcess.run(spawn, timeout: limit).outputText
        #expect(dump.contains("Parent death signal: KILL"))
    }

    @Test("a program that shall end with us outlives the task that started it")
    func outlivesStarter() async throws {
        let child = try await Task { try await ChildProcess.start(Spawn("cat", input: .pipe, endsWithParent: true)) }
            .value
        #expect(await child.wait(within: .milliseconds(50)) == nil)
        child.closeInput()
        #expect(await child.wait() == .exited(0))
    }
}

@Suite("Processes that are not our children")
struct RunningProcessTests {
    @Test("is found by number and marker, and only while it lives")
    func lifetime() async throws {
        let child = try await ChildProcess.start(Spawn("sleep", ["1234567"]))
        let process = try #require(RunningProcess.find(pid: child.pid, marker: "1234567"))
        #expect(process.isAlive)
        #expect(RunningProcess.find(pid: child.pid, marker: "7654321") == nil)
        #expect(try await process.waitForExit(within: .milliseconds(1)) == false)
        try await process.terminate(grace: .seconds(10))
        #expect(try await process.waitForExit(within: .seconds(10)))
        _ = await child.wait()
        #expect(!process.isAlive)
        try await process.terminate(grace: .seconds(10))
        let fault = try await fault { try process.signal(SIGTERM) }
        #expect(fault.code == .notFound)
    }

    @Test("is not mistaken for a later process with its number")
    func reuse() async throws {
        let child = try await ChildProcess.start(Spawn("sleep", ["1234567"]))
        let process = try #require(RunningProcess.find(pid: child.pid, marker: "1234567"))
        let json = try JSONEncoder().encode(process)
        let earlier = String(decoding: json, as: UTF8.self)
            .replacing("\(process.startTicks)", with: "\(process.startTicks - 1)")
        let impostor = try JSONDecoder().decode(RunningProcess.self, from: Data(earlier.utf8))
        #expect(!impostor.isAlive)
        #expect(throws: PlatformFault.self) { try impostor.signal(SIGKILL) }
        #expect(process.isAlive)
        await child.terminate(grace: .seconds(10))
    }

    @Test("is found by a pid file, and not by one that makes no sense")
    func pidFile() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/pid"
            let marker = try #require(CommandLine.arguments.first)
            #expect(RunningProcess.find(pidFile: path, marker: marker) == nil)
            for nonsense in ["", "x", "-1", "0", "99999999999999"] {
                try DurableFile.replace(path, with: Data(nonsense.utf8))
                #expect(RunningProcess.find(pidFile: path, marker: marker) == nil)
            }
            try DurableFile.replace(path, with: Data("\(getpid())\n".utf8))
            #expect(RunningProcess.find(pidFile: path, marker: marker)?.pid == getpid())
        }
    }
}
