import Foundation
import HTTPTypes
import SnapshotPorts
import SnapshotServices
import TestKit
import Testing

@testable import SnapshotDomain
@testable import WebConsole

@Suite("Console: what a page is elsewhere")
struct FooterTests {
    /// Pages with no call and no command of their own.
    private static let without: Set<String> = [
        // Only a person changes their own password, who knows the present one.
        "/profile/password"
    ]
    /// Files and what leads elsewhere.
    private static let others: Set<String> = [
        ConsoleRoute.within(""), ConsoleRoute.within("/events"), ConsoleRoute.within("/instances/:id/console.txt"),
        ConsoleRoute.within("/instances/:id/screen.png"), ConsoleRoute.within("/snapshots/:id/export/download"),
    ]

    @Test("every page names the command line and the call of the API that do the same")
    func footers() async throws {
        let clouds: [any CloudService] = [MachineCloud(), SnapshotCloud(), StorageCloud(), OverviewCloud()]
        let machines = try clouds.map { try TestConsole($0, root: "") }
        try await PeoplePageTests.withPeople { people in
            let made = try await people.accounts.createKey(
                for: .rest,
                of: Sample.principal.user.id,
                CallContext(principal: Sample.principal, requestID: "test")
            )
            for route in ConsoleRoutes.all where route.method == .get && !Self.others.contains(route.pattern) {
                let text = try #require(
                    try await Self.show(route.pattern, key: made.view.id, machines + [people.owner]),
                    "nothing shows \(route.pattern)"
                )
                let footer = try #require(text.split(separator: #"<footer class="bottom">"#).last)
                let named = footer.split(separator: "</footer>").first?.split(separator: "<code>").count ?? 0
                #expect(named == (Self.without.contains(route.pattern) ? 1 : 3), "\(route.pattern)")
            }
        }
    }

    /// A page of the first console that has something to show at one of its addresses.
    private static func show(_ pattern: String, key: KeyID, _ consoles: [TestConsole]) async throws -> String? {
        for address in addresses(of: pattern, key: key) {
            for console in consoles {
                let page = try await console.get(address)
                if page.status == 200 { return page.text }
            }
        }
        return nil
    }

    private static func addresses(of pattern: String, key: KeyID) -> [String] {
        let numbers: [UInt8] = Array(8...13) + Array(20...23) + Array(30...33) + [50, 70]
        let path = pattern.replacing(":environment", with: "production").replacing(":key", with: "\(key)")
        let query =
            switch true {
            case pattern.hasSuffix("/instances/:id/revert"): "?group=\(MachineCloud.group)"
            case pattern.hasSuffix("/snapshots/delete"): "?id=\(Sample.id(30) as SnapshotID)"
            default: ""
            }
        guard !pattern.contains("/users/:id/keys/:key") else {
            return [path.replacing(":id", with: "\(Sample.principal.user.id)")]
        }
        guard path.contains(":id") else { return [path + query] }
        return numbers.map { path.replacing(":id", with: "\(Sample.id($0) as SnapshotID)") + query }
    }
}
