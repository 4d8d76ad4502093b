import Foundation
import Platform

/// The machine that was measured on, as a reader of the figures needs to know it.
enum Surroundings {
    static func describe() async -> [String] {
        var lines: [String] = []
        let processor = field("model name", of: "/proc/cpuinfo") ?? "unknown processor"
        lines.append("\(ProcessInfo.processInfo.activeProcessorCount) × \(processor)")
        if let memory = field("MemTotal", of: "/proc/meminfo") { lines.append("memory \(memory)") }
        lines.append("Linux \(text("/proc/sys/kernel/osrelease"))")
        for words in [
            ["qemu-system-x86_64", "--version"],
            ["stat", "-f", "-c", "%T", NSTemporaryDirectory()],
        ] {
            let run = try? await ChildProcess.run(Spawn(words[0], Array(words.dropFirst())), timeout: .seconds(10))
            if let line = run?.outputText.split(whereSeparator: \.isNewline).first {
                lines.append(words[0] == "stat" ? "file system \(line)" : String(line))
            }
        }
        lines.append("load before: \(text("/proc/loadavg").split(separator: " ").prefix(3).joined(separator: " "))")
        return lines
    }

    private static func text(_ path: String) -> String {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func field(_ name: String, of path: String) -> String? {
        text(path).split(separator: "\n").first { $0.hasPrefix(name) }?.split(separator: ":").last?
            .trimmingCharacters(in: .whitespaces)
    }
}
