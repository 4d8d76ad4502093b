import Foundation
import Testing

/// The disk that `scripts/build-demo-guest` makes.
enum DemoGuest {
    static let image: String = {
        let named = ProcessInfo.processInfo.environment["INSTANTA_DEMO_GUEST"]
        let root = (#filePath as NSString).deletingLastPathComponent + "/../../.."
        return URL(fileURLWithPath: named ?? "\(root)/var/demo-guest.qcow2").standardizedFileURL.path
    }()

    /// A missing one is an error where everything has to be there.
    static let isThere =
        FileManager.default.fileExists(atPath: image) || ProcessInfo.processInfo.environment["CI"] != nil
    static let reason: Comment = "there is no demo guest; 'scripts/build-demo-guest var/demo-guest.qcow2' makes one"
}

/// What the demo guest's counters stood at, as its console tells.
struct Heartbeat: Hashable, Sendable {
    var root: Int
    /// Nil while there is no data disk.
    var data: Int?

    /// Reads a line such as `heartbeat root=1234 data=567 slowest_ms=3.1`.
    init?(_ line: Substring) {
        let words = line.split(separator: " ")
        guard words.first == "heartbeat" else { return nil }
        let values = Dictionary(
            words.dropFirst().compactMap { word -> (Substring, Int)? in
                let parts = word.split(separator: "=")
                return parts.count == 2 ? Int(parts[1]).map { (parts[0], $0) } : nil
            },
            uniquingKeysWith: { $1 }
        )
        guard let root = values["root"] else { return nil }
        self.root = root
        data = values["data"]
    }

    /// How far one counter is before the other.
    ///
    /// The guest raises both in turn, so this stays within one as long as both disks are of one instant.
    var lead: Int? { data.map { root - $0 } }
}

/// All that a machine has said on its serial console, start by start.
struct ConsoleStory: Sendable {
    /// The heartbeats after each start.
    private(set) var starts: [[Heartbeat]] = []

    init(_ text: String) {
        // The last line may be half written.
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).dropLast()
        for line in lines {
            if line.hasPrefix("instanta-guest ready") {
                starts.append([])
            } else if let beat = Heartbeat(line), !starts.isEmpty {
                starts[starts.count - 1].append(beat)
            }
        }
    }

    var last: Heartbeat? { starts.last?.last }
}
