import Foundation
import HTTPTypes
import Testing

@testable import WebConsole

@Suite("Console: the table of routes")
struct RouteTableTests {
    /// The addresses that the table of everybody's rights names for the console, as `GET /path`.
    private static func listed() throws -> [String] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Browser/routes.txt")
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
            .filter { !$0.hasPrefix("#") && !$0.contains(" /api/") }
            .map { $0.split(separator: " ").dropFirst().joined(separator: " ") }
    }

    @Test("says of every page who may see it, and names no other")
    func completeness() throws {
        // Signing in, languages and the stream of changes are not in the list of pages.
        let others = [
            "GET /sign-in", "POST /sign-in", "POST /sign-out", "POST /language",
            "GET /environments/:environment/events",
        ]
        let routes = ConsoleRoutes.all.map { "\($0.method.rawValue) \($0.pattern)" }
        #expect(try Self.listed().sorted() == (routes + others).sorted())
    }
}
