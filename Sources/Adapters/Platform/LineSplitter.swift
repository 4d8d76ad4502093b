/// Cuts a stream of bytes into lines at line feeds and carriage returns; empty lines are skipped.
///
/// Carriage returns count because progress displays end their "lines" with them. A line longer than `limit` bytes
/// comes in pieces.
struct LineSplitter {
    private var pending: [UInt8] = []
    private let limit = 64 << 10

    mutating func split(_ bytes: ArraySlice<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                if let line = finish() { lines.append(line) }
            } else {
                pending.append(byte)
                if pending.count == limit, let piece = finish() { lines.append(piece) }
            }
        }
        return lines
    }

    /// The line that no end followed.
    mutating func finish() -> String? {
        guard !pending.isEmpty else { return nil }
        defer { pending.removeAll(keepingCapacity: true) }
        return String(decoding: pending, as: UTF8.self)
    }
}
