import Foundation
import Platform
import Testing

@Suite("File locks and scratch directories")
struct FileLockTests {
    /// A process of another program that holds a lock until its input ends.
    private func startHolder(of path: String) async throws -> ChildProcess {
        let child = try await ChildProcess.start(
            Spawn("flock", ["-n", path, "sh", "-c", "echo held; read line"], input: .pipe, output: .lines)
        )
        var lines = child.lines.makeAsyncIterator()
        #expect(await lines.next() == "held")
        return child
    }

    @Test("another process that holds the lock keeps it from us, until it ends")
    func otherProcess() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/lock"
            let holder = try await startHolder(of: path)
            let fault = try await fault { _ = try FileLock.tryAcquire(path) }
            #expect(fault.code == .locked)
            #expect(fault.outcome == .notDone)
            await holder.terminate(grace: .seconds(10))
            let lock = try FileLock.tryAcquire(path)
            lock.release()
        }
    }

    @Test("a lock of ours keeps another process away and tells it who we are")
    func ours() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/lock"
            let lock = try FileLock.tryAcquire(path)
            let attempt = Spawn("flock", ["-n", path, "true"])
            #expect(try await ChildProcess.run(attempt, timeout: .seconds(10)).status == .exited(1))
            let fault = try await fault {
                _ = try FileLock.tryAcquire(path, otherHolder: "another instanta serves this directory")
            }
            #expect(fault.message.hasPrefix("another instanta serves this directory (pid \(getpid()))"))
            lock.release()
            lock.release()
            #expect(try await ChildProcess.run(attempt, timeout: .seconds(10)).status == .exited(0))
        }
    }

    @Test("a dropped lock is free")
    func dropped() async throws {
        try await withTemporaryDirectory { directory in
            _ = try FileLock.tryAcquire("\(directory)/lock")
            _ = try FileLock.tryAcquire("\(directory)/lock")
        }
    }

    @Test("a child does not inherit a lock")
    func notInherited() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/lock"
            let lock = try FileLock.tryAcquire(path)
            let child = try await ChildProcess.start(Spawn("cat", input: .pipe, output: .discard))
            lock.release()
            let again = try FileLock.tryAcquire(path)
            again.release()
            await child.terminate(grace: .seconds(10))
        }
    }

    @Test("a sweep removes what nobody holds and nothing else")
    func sweep() async throws {
        try await withTemporaryDirectory { directory in
            let parent = "\(directory)/tmp"
            #expect(try ScratchDirectory.sweepAbandoned(in: parent).isEmpty)
            let held = try ScratchDirectory.create(in: parent)
            try DurableFile.replace("\(held.path)/file", with: Data())
            let abandoned = "\(parent)/abandoned"
            try FileManager.default.createDirectory(atPath: "\(abandoned)/deep", withIntermediateDirectories: true)
            try DurableFile.replace("\(abandoned)/deep/file", with: Data())
            try DurableFile.replace("\(parent)/stray", with: Data())

            #expect(try ScratchDirectory.sweepAbandoned(in: parent) == [abandoned])
            #expect(try FileFacts.find("\(held.path)/file") != nil)
            #expect(try FileFacts.find("\(parent)/stray") != nil)

            try held.remove()
            try held.remove()
            #expect(try FileFacts.find(held.path) == nil)
        }
    }

    @Test("a dropped scratch directory is found abandoned")
    func droppedScratch() async throws {
        try await withTemporaryDirectory { directory in
            let path = try ScratchDirectory.create(in: directory, prefix: "import").path
            #expect(try ScratchDirectory.sweepAbandoned(in: directory) == [path])
        }
    }
}
