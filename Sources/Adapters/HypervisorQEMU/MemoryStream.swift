import Crypto
import Foundation
import Glibc
import Platform
import Synchronization

/// Moves a machine's memory between a socket that QEMU is at the other end of and a file.
///
/// Through a socket and not a file that QEMU has: its sandbox lets it start no program that could write one, the bytes are
/// counted and hashed on the way, and a service that dies ends the transfer with it.
///
/// The methods block, each for a whole transfer; ``cancel()`` ends them soon.
final class MemoryStream: Sendable {
    private static let chunk = 1 << 20
    /// How soon a cancelled transfer ends.
    private static let attention: Int32 = 50

    private struct State {
        var isCancelled = false
        var moved: Int64 = 0
        var listener: Int32 = -1
    }

    private let socketPath: String
    private let filePath: String
    private let state = Mutex(State())

    init(socket: String, file: String) {
        socketPath = socket
        filePath = file
    }

    deinit {
        state.withLock { state in
            if state.listener >= 0 { Glibc.close(state.listener) }
        }
    }

    /// How many bytes have passed.
    var moved: Int64 { state.withLock(\.moved) }

    func cancel() { state.withLock { $0.isCancelled = true } }

    // MARK: Saving

    /// Opens the socket that QEMU will write to.
    func listen() throws(PlatformFault) {
        _ = unlink(socketPath)
        let listener = try Self.makeSocket()
        guard let address = UnixAddress(socketPath), address.lend(to: { bind(listener, $0, $1) }) == 0,
            Glibc.listen(listener, 1) == 0
        else {
            let number = errno
            Glibc.close(listener)
            throw .system("cannot listen at \(socketPath)", errno: number)
        }
        state.withLock { $0.listener = listener }
    }

    /// Takes all that QEMU writes into the file, which is new.
    ///
    /// - Parameter ceiling: More than that is not taken: something is wrong then.
    /// - Returns: How many bytes came, and their digest.
    /// - Throws: What the operating system says, or code `cancelled`.
    func receive(atMost ceiling: Int64) throws(PlatformFault) -> (bytes: Int64, digest: String) {
        let listener = state.withLock(\.listener)
        defer {
            Glibc.close(listener)
            state.withLock { $0.listener = -1 }
            _ = unlink(socketPath)
        }
        try wait(for: listener, Int16(POLLIN))
        let peer = accept(listener, nil, nil)
        guard peer >= 0 else { throw .system("nobody connects to \(socketPath)", errno: errno) }
        defer { Glibc.close(peer) }
        _ = fcntl(peer, F_SETFD, FD_CLOEXEC)
        let file = open(filePath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .system("cannot create \(filePath)", errno: errno) }
        defer { Glibc.close(file) }
        var hash = SHA256()
        var total: Int64 = 0
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.chunk, alignment: 4_096)
        defer { buffer.deallocate() }
        while true {
            try wait(for: peer, Int16(POLLIN))
            let count = read(peer, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system("the machine's memory cannot be read", errno: errno) }
            guard count > 0 else { return (total, Self.text(of: hash)) }
            total += Int64(count)
            guard total <= ceiling else {
                throw PlatformFault(.io, outcome: .notDone, "the machine writes more than its memory can hold")
            }
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            try Self.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), to: file, filePath)
            state.withLock { $0.moved = total }
        }
    }

    // MARK: Loading

    /// Writes the whole file to the socket at which QEMU listens, and tells its digest.
    func send() throws(PlatformFault) -> String {
        let peer = try Self.makeSocket()
        defer { Glibc.close(peer) }
        guard let address = UnixAddress(socketPath), address.lend(to: { connect(peer, $0, $1) }) == 0
        else {
            throw .system("cannot connect to \(socketPath)", errno: errno)
        }
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        return try readAll { (bytes: UnsafeRawBufferPointer) throws(PlatformFault) in
            var rest = bytes
            while !rest.isEmpty {
                try wait(for: peer, Int16(POLLOUT))
                let count = Glibc.send(peer, rest.baseAddress, rest.count, flags)
                if count < 0, errno == EINTR || errno == EAGAIN { continue }
                guard count > 0 else { throw .system("the machine does not take its memory", errno: errno) }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }

    /// Reads the whole file, and tells its digest.
    func digest(progress: (Int64) -> Void) throws(PlatformFault) -> String {
        try readAll { (_: UnsafeRawBufferPointer) throws(PlatformFault) in progress(moved) }
    }

    private func readAll(
        _ body: (UnsafeRawBufferPointer) throws(PlatformFault) -> Void
    ) throws(PlatformFault) -> String {
        let file = open(filePath, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .system("cannot open \(filePath)", errno: errno) }
        defer { Glibc.close(file) }
        var hash = SHA256()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.chunk, alignment: 4_096)
        defer { buffer.deallocate() }
        while true {
            try checkCancellation()
            let count = read(file, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system("cannot read \(filePath)", errno: errno) }
            guard count > 0 else { return Self.text(of: hash) }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            hash.update(bufferPointer: bytes)
            try body(bytes)
            state.withLock { $0.moved += Int64(count) }
        }
    }

    // MARK: System calls

    private func checkCancellation() throws(PlatformFault) {
        guard !state.withLock(\.isCancelled) else {
            throw PlatformFault(.cancelled, outcome: .notDone, "the transfer was cancelled")
        }
    }

    private func wait(for descriptor: Int32, _ events: Int16) throws(PlatformFault) {
        while true {
            try checkCancellation()
            var event = pollfd(fd: descriptor, events: events, revents: 0)
            if poll(&event, 1, Self.attention) > 0 { return }
        }
    }

    private static func makeSocket() throws(PlatformFault) -> Int32 {
        let made = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard made >= 0 else { throw .system("cannot make a socket", errno: errno) }
        return made
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, to file: Int32, _ path: String) throws(PlatformFault) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(file, rest.baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .system("cannot write \(path)", errno: errno) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    private static func text(of hash: SHA256) -> String {
        "sha256:\(hash.finalize().hexText)"
    }
}
