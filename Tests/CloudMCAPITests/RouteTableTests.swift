import Foundation
import HTTPTypes
import Testing

@testable import CloudMCAPI

@Suite("CloudMC API: the table of routes")
struct RouteTableTests {
    @Test("says of every call who may make it, and names no other")
    func completeness() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Browser/routes.txt")
        let listed = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
            .filter { !$0.hasPrefix("#") && $0.contains(" /api/v2/") }
            .map { $0.split(separator: " ").dropFirst().joined(separator: " ").lowercased() }
        let calls = CloudMCRoutes.table.slots.flatMap { slot in
            let address = "\(slot.method.rawValue) /api/v2\(slot.pattern)".lowercased()
            return (slot.plain == nil ? [] : [address]) + slot.operations.keys.map { "\(address) \($0)" }
        }
        #expect(listed.sorted() == calls.sorted())
    }
}
