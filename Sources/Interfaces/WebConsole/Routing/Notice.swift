import Foundation
import Hummingbird

/// What an act has done, said on the page after it.
struct Notice: Sendable {
    /// Each has a text in the catalogue: `notice.<raw value>`.
    enum Kind: String, Sendable, CaseIterable {
        case snapshotTaken, snapshotsTaken, snapshotDeleted, snapshotsDeleted, snapshotRenamed, snapshotVerifying
        case volumeReverting, volumeUndone, volumeCreated, volumeDeleted, volumeAttached, volumeDetached, volumeResized
        case volumeMoving
        case instanceDeployed, instanceStarted, instanceStopped, instanceRebooted, instanceDeleted, instanceRenamed
        case instanceDestroyed, instanceRecovered
        case instanceReverting
        case templateCreated, templateDeleted, templateImported, templateRenamed
        case memberAdded, memberChanged, memberRemoved, keyDeleted, passwordChanged
        case userEnabled, userDisabled, userPromoted, userDemoted, userDeleted
        case taskCancelled, environmentCreated, environmentChanged, environmentDeleted
    }

    let kind: Kind
    /// Of the thing that it speaks of.
    let name: String
    /// Where to look at it: an address of the console.
    let address: String?

    init(_ kind: Kind, _ name: String, at address: String? = nil) {
        self.kind = kind
        self.name = name
        self.address = address
    }
}

/// Carries a notice over a redirect, so that reloading the page does not say it again.
enum NoticeCookie {
    private static let name = "instanta_notice"

    static func make(_ notice: Notice, isSecure: Bool) -> Cookie {
        let parts = [notice.kind.rawValue, notice.name, notice.address ?? ""].map(\.urlEncoded)
        return cookie(parts.joined(separator: "|"), maxAge: 60, isSecure: isSecure)
    }

    static func gone(isSecure: Bool) -> Cookie {
        cookie("", maxAge: 0, isSecure: isSecure)
    }

    /// The cookie comes from the browser, so it is read like any input: only our own texts and addresses.
    static func notice(in request: Request) -> Notice? {
        guard let value = request.cookies[name]?.value else { return nil }
        let parts = value.split(separator: "|", omittingEmptySubsequences: false)
            .map { $0.removingPercentEncoding ?? "" }
        guard parts.count == 3, let kind = Notice.Kind(rawValue: parts[0]) else { return nil }
        return Notice(kind, String(parts[1].prefix(255)), at: LocalAddress(parts[2])?.text)
    }

    private static func cookie(_ value: String, maxAge: Int, isSecure: Bool) -> Cookie {
        Cookie(name: name, value: value, maxAge: maxAge, path: "/", secure: isSecure, httpOnly: true, sameSite: .lax)
    }
}

/// An address on this very site, so that nobody is led elsewhere.
struct LocalAddress: Sendable {
    let text: String

    /// Reads a path with or without a query.
    ///
    /// What a browser could take for another host is refused.
    init?(_ text: String) {
        let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }
        guard text.hasPrefix("/"), !text.hasPrefix("//"), isPlain, text.utf8.count <= 2_048 else { return nil }
        self.text = text
    }
}
