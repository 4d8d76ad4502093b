import ArgumentParser
import Foundation

extension CompletionKind {
    /// The names of what there is, asked of the service while the person presses Tab.
    ///
    /// Connection options on the line count. A service that does not answer soon means no suggestions, and no noise.
    static func names(_ kind: ResourceKind) -> CompletionKind {
        .custom { words, _, prefix in
            await NameCompletion(kind: kind, surroundings: .ofThisProcess()).names(after: words, prefix: prefix)
        }
    }
}

/// Suggests names from the service.
struct NameCompletion: Sendable {
    /// Longer than that, and typing is faster.
    static let patience = Duration.seconds(2)

    let kind: ResourceKind
    let surroundings: Surroundings

    func names(after words: [String], prefix: String) async -> [String] {
        await withTaskGroup(of: [String].self) { group in
            group.addTask {
                do { return try await self.names(after: words) } catch { return [] }
            }
            group.addTask {
                do { try await Task.sleep(for: Self.patience) } catch {}
                return []
            }
            defer { group.cancelAll() }
            let found = await group.next() ?? []
            return found.filter { $0.hasPrefix(prefix) }
        }
    }

    private func names(after words: [String]) async throws -> [String] {
        let settings = try ConnectionFinder(surroundings).find(Self.connection(in: words))
        let call = Call(surroundings, settings)
        return try await call.list(kind).compactMap { $0["name"].string }.map(PlainText.oneLine).sorted()
    }

    /// The connection options of a line that is not finished, and so cannot be parsed.
    static func connection(in words: [String]) -> ConnectionChoice {
        var options = ConnectionChoice()
        for (index, word) in words.enumerated() {
            let parts = word.split(separator: "=", maxSplits: 1)
            guard let name = parts.first else { continue }
            let value = parts.count == 2 ? String(parts[1]) : index + 1 < words.count ? words[index + 1] : nil
            switch name {
            case "--url": options.url = value
            case "--profile": options.profile = value
            case "--credentials": options.credentials = value
            case "--environment", "-e": options.environment = value
            case "--service": options.service = value
            default: break
            }
        }
        return options
    }
}
