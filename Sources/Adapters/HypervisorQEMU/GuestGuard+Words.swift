extension GuestGuard {
    /// Why a hold ended.
    enum ReleaseReason: String, Sendable {
        /// The service asked for it in time.
        case asked
        case deadline
        /// The service let go of the guard, most likely because it ended.
        case ownerGone = "owner_gone"
        /// There is nothing left to let go.
        case machineGone = "machine_gone"
    }

    struct Release: Sendable, Equatable {
        var reason: ReleaseReason
        /// From the answer that all is held until the answer that nothing is.
        var milliseconds: Int
        /// How much was still held then: file systems, or one machine.
        var count: Int
    }

    /// What a guard says on standard output, a line each: `held`, and later `released`; or `refused` or `silent` alone.
    ///
    /// An armed guard says `armed` before.
    enum Word: Sendable, Equatable {
        case armed
        case held(count: Int)
        case released(Release)
        case refused(reason: String)
        case silent(reason: String)
        /// The guest cannot be let go yet; said at every attempt but the first, so that a guard that tries is told from one that hangs.
        case struggling(reason: String)

        var line: String {
            switch self {
            case .armed: "armed 0"
            case .held(let count): "held \(count)"
            case .released(let release): "released \(release.milliseconds) \(release.reason.rawValue) \(release.count)"
            case .refused(let reason): "refused \(Self.oneLine(reason))"
            case .silent(let reason): "silent \(Self.oneLine(reason))"
            case .struggling(let reason): "struggling \(Self.oneLine(reason))"
            }
        }

        init?(_ line: String) {
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard let verb = words.first, words.count == 2 else { return nil }
            let fields = words[1].split(separator: " ").map(String.init)
            switch verb {
            case "armed": self = .armed
            case "held":
                guard let count = Int(words[1]) else { return nil }
                self = .held(count: count)
            case "released":
                guard fields.count == 3, let milliseconds = Int(fields[0]),
                    let reason = ReleaseReason(rawValue: fields[1]),
                    let count = Int(fields[2])
                else { return nil }
                self = .released(Release(reason: reason, milliseconds: milliseconds, count: count))
            case "refused": self = .refused(reason: words[1])
            case "silent": self = .silent(reason: words[1])
            case "struggling": self = .struggling(reason: words[1])
            default: return nil
            }
        }

        /// What a stranger says may have line ends, which would look like the end of the word.
        private static func oneLine(_ text: String) -> String {
            String(text.prefix(300).map { $0.isNewline ? " " : $0 })
        }
    }
}
