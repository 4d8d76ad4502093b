import Foundation
import Glibc
import Platform

/// A connected Unix socket with blocking reads and writes of whole messages.
///
/// The descriptor is closed when the last reference goes, so that a number in use is never given to another file.
final class NBDSocket: Sendable {
    private let descriptor: Int32

    init(connectingTo path: String) throws(NBDFault) {
        guard let address = UnixAddress(path) else {
            throw NBDFault(.unreachable, outcome: .notDone, "the path of a socket is too long: \(path)")
        }
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else {
            throw NBDFault(.unreachable, outcome: .notDone, "cannot make a socket: error \(errno)")
        }
        guard address.lend(to: { connect(descriptor, $0, $1) }) == 0 else {
            let number = errno
            // `deinit` closes it, also now: a second close could hit what another thread has opened since.
            throw NBDFault(.unreachable, outcome: .notDone, "nobody answers at \(path): error \(number)")
        }
    }

    deinit { close(descriptor) }

    /// Ends the connection; reads and writes under way fail.
    func disconnect() { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Limits how long a single read may wait; zero is for ever.
    func limitReads(to seconds: Int) {
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    func send(_ bytes: some ContiguousBytes) throws(NBDFault) {
        let failure: Int32? = bytes.withUnsafeBytes { bytes in
            var offset = 0
            while offset < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
                let count = Glibc.send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { return errno }
                offset += count
            }
            return nil
        }
        if let failure { throw NBDFault(.closed, outcome: .unknown, "cannot send to the NBD server: error \(failure)") }
    }

    func receive(_ count: Int) throws(NBDFault) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let failure = bytes.withUnsafeMutableBytes { fill($0) }
        if let failure { throw failure }
        return bytes
    }

    /// Receives straight into a part of `data`.
    func receive(into data: inout Data, at range: Range<Int>) throws(NBDFault) {
        let failure = data.withUnsafeMutableBytes { fill(UnsafeMutableRawBufferPointer(rebasing: $0[range])) }
        if let failure { throw failure }
    }

    private func fill(_ buffer: UnsafeMutableRawBufferPointer) -> NBDFault? {
        var offset = 0
        while offset < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[offset...])
            let count = recv(descriptor, rest.baseAddress, rest.count, 0)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                return NBDFault(.timedOut, outcome: .unknown, "the NBD server does not answer")
            }
            guard count > 0 else { return NBDFault(.closed, outcome: .unknown, "the NBD server closed the connection") }
            offset += count
        }
        return nil
    }
}
