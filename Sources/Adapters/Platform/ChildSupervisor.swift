import Foundation
import Glibc
import Synchronization

/// The thread behind a ``ChildProcess``, and what it shares with those who hold one.
///
/// The thread that starts the child also waits for it. That is more than thrift: the kernel delivers a parent-death
/// signal when the starting *thread* ends, so a child with ``Spawn/endsWithParent`` needs it alive.
final class ChildSupervisor: Sendable {
    private struct State {
        var pid: pid_t?
        var pendingInput = Data()
        var inputEnds = false
        var output = Data()
        var errors = Data()
        var hasOverflowed = false
    }

    let exit = Eventual<ExitStatus>()
    let lines: AsyncStream<String>
    private let lineContinuation: AsyncStream<String>.Continuation
    private let spawn: Spawn
    private let state = Mutex(State())
    /// Wakes the thread when there is input to pass on.
    private let bell: Bell?

    init(_ spawn: Spawn) throws(PlatformFault) {
        bell = spawn.input == .pipe ? try Bell() : nil
        self.spawn = spawn
        (lines, lineContinuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1024))
        if case .data(let data) = spawn.input {
            state.withLock { state in
                state.pendingInput = data
                state.inputEnds = true
            }
        }
    }

    var captured: (output: Data, errors: Data) { state.withLock { ($0.output, $0.errors) } }

    var hasOverflowed: Bool { state.withLock { $0.hasOverflowed } }

    /// Starts the thread and the child.
    func start() async -> Result<pid_t, PlatformFault> {
        let started = Eventual<Result<pid_t, PlatformFault>>()
        let thread = Thread { self.supervise(reportingTo: started) }
        thread.name = "child"
        thread.stackSize = 256 << 10
        thread.start()
        return await started.value()
    }

    func signal(_ number: Int32) {
        state.withLock { state in
            // The pid is forgotten under this lock when the child is collected: it cannot be someone else's here.
            guard let pid = state.pid else { return }
            _ = kill(spawn.newSession ? -pid : pid, number)
        }
    }

    func send(_ data: Data) {
        state.withLock { state in
            guard !state.inputEnds else { return }
            state.pendingInput.append(data)
            bell?.ring()
        }
    }

    func closeInput() {
        state.withLock { state in
            state.inputEnds = true
            bell?.ring()
        }
    }

    // MARK: - On the thread

    private func supervise(reportingTo started: Eventual<Result<pid_t, PlatformFault>>) {
        // Signals are for other threads; a write to a child that closed its input must return EPIPE.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
        defer { lineContinuation.finish() }
        do throws(PlatformFault) {
            var pipes = try ChildPipes(spawn)
            defer { pipes.close() }
            let pid = try pipes.launch(spawn)
            let watch: Descriptor
            do {
                watch = try Pidfd.open(pid)
            } catch {
                kill(pid, SIGKILL)
                _ = collect(pid)
                throw error
            }
            state.withLock { $0.pid = pid }
            started.settle(.success(pid))
            moveStreams(&pipes, watch: watch)
            let status = state.withLock { state in
                let status = collect(pid)
                state.pid = nil
                return status
            }
            exit.settle(status)
        } catch {
            started.settle(.failure(error))
        }
    }

    /// Reads and writes the pipes until the child has ended and everything it wrote is read.
    private func moveStreams(_ pipes: inout ChildPipes, watch: borrowing Descriptor) {
        var splitter = LineSplitter()
        while true {
            let hasInput = state.withLock { !$0.pendingInput.isEmpty || $0.inputEnds }
            var events = [
                pollfd(fd: watch.raw, events: Int16(POLLIN), revents: 0),
                pollfd(fd: bell?.reading ?? -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: pipes.output ?? -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: pipes.errors ?? -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: hasInput ? pipes.input ?? -1 : -1, events: Int16(POLLOUT), revents: 0),
            ]
            _ = poll(&events, nfds_t(events.count), -1)
            let hasEnded = events[0].revents != 0
            if events[1].revents != 0 { bell?.silence() }
            // What a child wrote before its end is in the pipe by now; a grandchild may keep the pipe open for ever.
            if events[2].revents != 0 || hasEnded {
                readAll(&pipes.output) { bytes in
                    if spawn.output == .lines {
                        for line in splitter.split(bytes) { lineContinuation.yield(line) }
                    } else {
                        keep(bytes, in: \.output, limit: spawn.output.limit)
                    }
                }
            }
            if events[3].revents != 0 || hasEnded {
                readAll(&pipes.errors) { keep($0, in: \.errors, limit: spawn.errors.limit) }
            }
            if hasInput, events[4].revents != 0 { writeSome(&pipes.input) }
            if hasEnded { break }
        }
        if let rest = splitter.finish() { lineContinuation.yield(rest) }
    }

    private func keep(_ bytes: ArraySlice<UInt8>, in stream: WritableKeyPath<State, Data>, limit: Int) {
        let overflows = state.withLock { state in
            let room = limit - state[keyPath: stream].count
            state[keyPath: stream].append(contentsOf: bytes.prefix(room))
            guard bytes.count > room else { return false }
            state.hasOverflowed = true
            return true
        }
        if overflows { signal(SIGKILL) }
    }

    private func readAll(_ pipe: inout Int32?, _ consume: (ArraySlice<UInt8>) -> Void) {
        guard let descriptor = pipe else { return }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = retryingInterrupts { read(descriptor, &buffer, buffer.count) }
            if count > 0 {
                consume(buffer[..<count])
                continue
            }
            if count < 0, errno == EAGAIN { return }
            _ = Glibc.close(descriptor)
            pipe = nil
            return
        }
    }

    private func writeSome(_ pipe: inout Int32?) {
        guard let descriptor = pipe else { return }
        let isDone = state.withLock { state in
            let count = state.pendingInput.withUnsafeBytes { bytes in
                bytes.isEmpty ? 0 : retryingInterrupts { write(descriptor, bytes.baseAddress, bytes.count) }
            }
            if count < 0 {
                if errno == EAGAIN { return false }
                // The child does not want it.
                state.pendingInput = Data()
                state.inputEnds = true
                return true
            }
            state.pendingInput = Data(state.pendingInput.dropFirst(count))
            return state.pendingInput.isEmpty && state.inputEnds
        }
        guard isDone else { return }
        _ = Glibc.close(descriptor)
        pipe = nil
    }

    private func collect(_ pid: pid_t) -> ExitStatus {
        var status: Int32 = 0
        // The child has ended: this does not wait. It fails only if a parent that ignores SIGCHLD started us, and then
        // the kernel has thrown the status away.
        guard retryingInterrupts({ waitpid(pid, &status, 0) }) == pid else { return .exited(255) }
        // The macros of sys/wait.h: the low seven bits are the signal, the next byte the exit code.
        let number = status & 0x7F
        return number == 0 ? .exited((status >> 8) & 0xFF) : .signalled(number)
    }
}

extension Spawn.Output {
    fileprivate var limit: Int {
        if case .capture(let limit) = self { limit } else { 0 }
    }
}
