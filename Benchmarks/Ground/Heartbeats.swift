import Foundation

/// What a heartbeat in the guest has said on the machine's console about one counter.
struct Heartbeats {
    /// The slowest write of each second, in milliseconds, oldest first.
    let slowest: [Double]

    var count: Int { slowest.count }

    /// Reads lines such as `heartbeat probe=1234 slowest_ms=3.1`.
    init(console: String, counter: String) {
        let text = String(decoding: FileManager.default.contents(atPath: console) ?? Data(), as: UTF8.self)
        slowest = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).dropLast().compactMap {
            line in
            let words = line.split(separator: " ")
            guard words.first == "heartbeat", words.contains(where: { $0.hasPrefix("\(counter)=") }) else { return nil }
            return words.last { $0.hasPrefix("slowest_ms=") }.flatMap { Double($0.dropFirst("slowest_ms=".count)) }
        }
    }
}
