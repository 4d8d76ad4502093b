import Foundation
import HTTPCommon
import HTTPTypes
import Hummingbird
import NIOCore
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// What an instance says and shows: its serial console and its screen.
enum InstanceConsole {
    static let all: [ConsoleRoute] = [
        .get(ConsoleRoute.within("/instances/:id/console")) { visit in try await console(visit) },
        .get(ConsoleRoute.within("/instances/:id/console.txt")) { visit in try await more(visit) },
        .get(ConsoleRoute.within("/instances/:id/screen")) { visit in try await screen(visit) },
        .get(ConsoleRoute.within("/instances/:id/screen.png")) { visit in try await picture(visit) },
    ]

    private static let nextOffset = HTTPField.Name.known("X-Next-Offset")
    /// What the page begins with, and what one question brings, in bytes.
    private static let tail: Int64 = 32 << 10
    private static let most = 64 << 10

    struct ConsolePage: PageValue {
        let head: DetailHead
        let text: String
        let hasText: Bool
        let hasMore: Bool
        /// Where what comes later is read, and from where on.
        let source: String
        let offset: String
    }

    struct ScreenPage: PageValue {
        let head: DetailHead
        /// Nil while there is nothing to see, which `empty` then explains.
        let picture: String?
        let title: String
        let empty: EmptyState?
    }

    // MARK: Serial console

    private static func console(_ visit: Visit) async throws -> Response {
        let subject = try await InstanceSubject(visit)
        let read = try await visit.cloud.console(
            of: subject.id,
            from: -tail,
            atMost: Int(tail),
            in: subject.place.id,
            visit.caller
        )
        let shown = SerialText(read)
        let page = ConsolePage(
            head: subject.head(.console),
            text: shown.text,
            hasText: !shown.text.isEmpty,
            hasMore: read.nextOffset > tail,
            source: subject.own + "/console.txt",
            offset: String(shown.nextOffset)
        )
        return try await visit.page(
            "instance-console",
            page,
            subject.setting(
                "instance console \(subject.id) --follow",
                ("GET", "/instances/\(subject.id)/console")
            )
        )
    }

    /// What came after an offset, for the script of the page; from the start, for who wants all of it.
    private static func more(_ visit: Visit) async throws -> Response {
        let place = try await visit.place()
        let offset = Int64(visit.query["offset"] ?? "") ?? 0
        let read = try await visit.cloud.console(
            of: try visit.id(of: "instances"),
            from: max(0, offset),
            atMost: most,
            in: place.id,
            visit.caller
        )
        let shown = SerialText(read)
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/plain; charset=utf-8", .cacheControl: "no-store",
                nextOffset: String(shown.nextOffset),
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(string: shown.text))
        )
    }

    // MARK: Screen

    private static func screen(_ visit: Visit) async throws -> Response {
        let subject = try await InstanceSubject(visit)
        let texts = visit.texts
        let canStart = subject.view.shownState == .stopped && subject.place.may(.change)
        let page = ScreenPage(
            head: subject.head(.screen),
            picture: subject.isRunning ? subject.own + "/screen.png" : nil,
            title: texts("instance.screen_of", ["name": subject.name]),
            empty: subject.isRunning
                ? nil
                : EmptyState(
                    icon: "screen",
                    title: texts("instance.screen_off"),
                    text: texts("instance.screen_off_text"),
                    action: canStart ? Link(texts("action.start"), subject.own + "/start") : nil
                )
        )
        return try await visit.page(
            "instance-screen",
            page,
            subject.setting(
                "instance screenshot \(subject.id) --output screen.png",
                ("GET", "/instances/\(subject.id)/screenshot")
            )
        )
    }

    private static func picture(_ visit: Visit) async throws -> Response {
        let place = try await visit.place()
        let data = try await visit.cloud.screenshot(of: try visit.id(of: "instances"), in: place.id, visit.caller)
        return Response(
            status: .ok,
            headers: [.contentType: "image/png", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: data))
        )
    }
}

/// A serial console's text without what only a terminal understands.
///
/// A sequence that the end of the piece cuts in two is left for the next piece.
struct SerialText: Sendable {
    let text: String
    let nextOffset: Int64

    /// The longest sequence that is waited for: a longer one is none, or a stranger's trick.
    private static let longestSequence = 64

    init(_ read: ConsoleText) {
        var plain = String.UnicodeScalarView()
        var rest = read.text.unicodeScalars[...]
        var held = 0
        while let scalar = rest.first {
            switch scalar {
            case "\u{1B}":
                let sequence = Self.sequence(rest)
                guard sequence.isComplete || rest.count > Self.longestSequence else {
                    held = rest.count
                    rest = rest[rest.endIndex...]
                    continue
                }
                rest = rest.dropFirst(sequence.length)
                continue
            case "\n", "\t":
                plain.append(scalar)
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}":
                break
            default:
                plain.append(scalar)
            }
            rest = rest.dropFirst()
        }
        text = String(plain)
        // What is held back is ASCII: as many bytes as scalars.
        nextOffset = read.nextOffset - Int64(held)
    }

    /// How long the sequence at the start is (ECMA-48, sections 5.3 to 5.6), and whether its end is there.
    private static func sequence(_ text: String.UnicodeScalarView.SubSequence) -> (length: Int, isComplete: Bool) {
        let body = text.dropFirst()
        guard let kind = body.first else { return (1, false) }
        switch kind {
        case "[":
            let parameters = body.dropFirst().prefix { ("\u{20}"..."\u{3F}").contains($0) }
            let length = 2 + parameters.count
            return (length + 1, text.count > length)
        case "]", "P", "^", "_", "X":
            let content = body.prefix { $0 != "\u{7}" && $0 != "\u{1B}" }
            guard let end = body.dropFirst(content.count).first else { return (text.count, false) }
            return (1 + content.count + (end == "\u{7}" ? 1 : 2), true)
        case "\u{20}"..."\u{2F}":
            let between = body.prefix { ("\u{20}"..."\u{2F}").contains($0) }
            return (2 + between.count, text.count > 1 + between.count)
        default:
            return (2, true)
        }
    }
}
