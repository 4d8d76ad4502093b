import Foundation
import Glibc
import Platform
import SnapshotPorts

/// The text of a serial console: a file that QEMU appends to in every run of the machine.
///
/// Offsets into it stay valid for ever, although old text goes: ``trim()`` gives the space of the old part back and
/// leaves a hole. All functions block.
struct ConsoleLog: Sendable {
    /// The space that a log may take before it is trimmed, and what then remains.
    static let largest: Int64 = 16 << 20
    static let kept: Int64 = 4 << 20

    let path: String

    /// Reads text from an offset on.
    ///
    /// What is not UTF-8 becomes U+FFFD. Where old text is gone, reading goes on behind the gap, after a line that says
    /// so. Nothing at all is read from a log that is not there yet.
    ///
    /// - Parameters:
    ///   - offset: Where to begin, such as the last `nextOffset`; a negative one counts from the end.
    ///   - limit: How many bytes to read; a character that would be cut in two is left for the next call.
    /// - Returns: The text, and where to go on.
    /// - Throws: What the file system says.
    func read(from offset: Int64, atMost limit: Int) throws -> ConsoleText {
        guard let file = FileHandle(forReadingAtPath: path) else { return ConsoleText(text: "", nextOffset: 0) }
        defer { try? file.close() }
        let end = Int64(try file.seekToEnd())
        var start = min(offset < 0 ? max(0, end + offset) : offset, end)
        var notice = ""
        let kept = Int64(lseek(file.fileDescriptor, off_t(start), Self.seekData))
        if kept > start {
            notice = "[\(kept - start) bytes of older text are gone]\n"
            start = kept
        }
        try file.seek(toOffset: UInt64(start))
        var bytes = try file.read(upToCount: max(1, limit)) ?? Data()
        if start + Int64(bytes.count) < end { bytes.removeLast(Self.cutBytes(at: bytes)) }
        return ConsoleText(
            text: notice + String(decoding: bytes, as: UTF8.self),
            nextOffset: start + Int64(bytes.count)
        )
    }

    /// Gives the space of old text back when the log has grown large.
    ///
    /// Does nothing where the file system has no holes.
    func trim() throws {
        guard let facts = try FileFacts.find(path), facts.allocatedBytes > Self.largest else { return }
        guard let punch = Self.fallocate, let file = FileHandle(forUpdatingAtPath: path) else { return }
        defer { try? file.close() }
        // A whole number of blocks, so that no zeros remain in front of the text.
        let gone = (facts.length - Self.kept) / 4_096 * 4_096
        _ = punch(file.fileDescriptor, Self.keepSize | Self.punchHole, 0, gone)
    }

    /// How many bytes at the end belong to a character that goes on behind them.
    private static func cutBytes(at bytes: Data) -> Int {
        for (back, byte) in bytes.suffix(4).reversed().enumerated() {
            if byte & 0b1100_0000 == 0b1000_0000 { continue }
            let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            return back + 1 < length && back + 1 < bytes.count ? back + 1 : 0
        }
        return 0
    }

    // Of `fcntl.h` and `unistd.h`, under _GNU_SOURCE, which Swift's Glibc module is built without.
    private static let seekData: Int32 = 3
    private static let keepSize: Int32 = 1
    private static let punchHole: Int32 = 2
    private static let fallocate = dlsym(nil, "fallocate").map {
        unsafeBitCast($0, to: (@convention(c) (Int32, Int32, Int64, Int64) -> Int32).self)
    }
}
