import Foundation
import Glibc

/// A file descriptor that is closed when its scope ends.
///
/// Every descriptor of ours is close-on-exec and above the three standard ones, so that preparing a child's standard
/// streams never overwrites one.
struct Descriptor: ~Copyable {
    let raw: Int32

    init(adopting raw: Int32) {
        guard raw >= 0, raw <= 2 else {
            self.raw = raw
            return
        }
        self.raw = fcntl(raw, F_DUPFD_CLOEXEC, 3)
        _ = Glibc.close(raw)
    }

    deinit { _ = Glibc.close(raw) }

    /// Gives the descriptor away: who gets it closes it.
    consuming func release() -> Int32 {
        let raw = self.raw
        discard self
        return raw
    }

    static func open(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws(PlatformFault) -> Descriptor {
        let raw = retryingInterrupts { Glibc.open(path, flags | O_CLOEXEC, mode) }
        guard raw >= 0 else { throw .system("cannot open \(path)", errno: errno) }
        return Descriptor(adopting: raw)
    }

    /// Writes all bytes, in as many calls as it takes.
    func write(_ data: Data, named path: String) throws(PlatformFault) {
        var offset = 0
        while offset < data.count {
            let written = data.withUnsafeBytes { bytes in
                retryingInterrupts { Glibc.write(raw, bytes.baseAddress?.advanced(by: offset), bytes.count - offset) }
            }
            guard written >= 0 else { throw .system("cannot write \(path)", errno: errno) }
            offset += written
        }
    }

    /// Makes everything written so far survive a power loss.
    func sync(named path: String) throws(PlatformFault) {
        guard retryingInterrupts({ fsync(raw) }) == 0 else {
            throw .system("cannot make \(path) durable", errno: errno, outcome: .unknown)
        }
    }
}

/// Repeats a system call that a signal interrupted before it did anything.
func retryingInterrupts<Result: SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}
