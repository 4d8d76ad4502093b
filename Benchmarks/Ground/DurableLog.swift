import Foundation
import Glibc

/// A file that only grows, and is durable whenever it has.
final class DurableLog: Sendable {
    private let file: Int32

    init(_ path: String) throws {
        file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw BenchFault("cannot create \(path)") }
    }

    deinit { close(file) }

    /// Adds so many bytes; blocks.
    func append(_ count: Int) throws {
        let bytes = Data(repeating: 7, count: count)
        let written = bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        guard written == count, fdatasync(file) == 0 else { throw BenchFault("cannot write a log") }
    }
}
