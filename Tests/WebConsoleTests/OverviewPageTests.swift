import Foundation
import SnapshotDomain
import SnapshotPorts
import SnapshotServices
import TestKit
import Testing

@testable import HTTPCommon
@testable import WebConsole

@Suite("Console: dashboard, activity and environments")
struct OverviewPageTests {
    private static let cancellation = "/tasks/\(Sample.id(70) as JobID)/cancel"

    struct Shown: Sendable, CustomTestStringConvertible {
        let path: String
        /// Words that the page must show, in Spanish, English and French.
        let words: [String]

        var testDescription: String { path }
    }

    @Test(
        "every page says everything in every language",
        arguments: [
            Shown(path: "/dashboard", words: ["2 en marcha", "20 ready", "2 en marche"]),
            Shown(path: "/activity", words: ["Tomar copia instantánea", "Take snapshot", "Prendre un instantané"]),
            Shown(path: "/edit", words: ["Cambiar nombre", "Change name", "Modifier le nom"]),
            Shown(path: "/delete", words: ["Escribe production", "Type production", "Saisissez production"]),
            Shown(path: cancellation, words: ["Cancelar la tarea", "Cancel task", "Annuler la tâche"]),
        ]
    )
    func languages(_ shown: Shown) async throws {
        let (console, empty) = (try TestConsole(OverviewCloud()), try TestConsole(OverviewCloud(isEmpty: true)))
        for (language, word) in zip(Language.allCases, shown.words) {
            for page in [
                try await console.get(shown.path, in: language), try await empty.get(shown.path, in: language),
            ] {
                #expect(page.status == 200)
                #expect(
                    !page.text.contains("⟦"),
                    "a text is missing: \(page.text.split(separator: "⟦").last?.prefix(40) ?? "")"
                )
            }
            #expect(try await console.get(shown.path, in: language).text.contains(word), "\(language) lacks '\(word)'")
        }
    }

    @Test("the dashboard counts by state and leads to what it counts")
    func counts() async throws {
        let text = try await TestConsole(OverviewCloud()).get("/dashboard").text
        for word in [
            "2 running", "1 stopped", "1 failed", "7 ready", "20 ready", "2 being deleted",
            "/environments/production/snapshots?state=available", "/environments/production/instances?state=running",
        ] {
            #expect(text.contains(word), "no '\(word)'")
        }
        #expect(!text.contains(">0 "))
    }

    /// Where the dashboard leads with which number.
    private static func counted(on page: String) -> [(address: String, count: Int)] {
        let tile = #/<h2><a href="([^"]+)">[^<]*</a></h2><p class="total">(\d+)</#
        let part = #/<a class="badge [a-z]+" href="([^"]+)"><svg.*?</svg>(\d+)\s/#
        return (page.matches(of: tile).map(\.output) + page.matches(of: part).map(\.output)).compactMap { match in
            Int(match.2).map { (String(match.1), $0) }
        }
    }

    @Test("every number of a tile is the number of rows of the list that it leads to")
    func tiles() async throws {
        let cloud = OverviewCloud()
        let (console, service) = (try TestConsole(cloud), try TestConsole(cloud, root: ""))
        let counted = Self.counted(on: try await console.get("/dashboard").text)
        #expect(counted.map(\.count) == [4, 7, 23, 1, 2, 1, 1, 7, 1, 20, 2, 1])
        for (address, count) in counted {
            let text = try await service.get(address.replacing("&amp;", with: "&")).text
            #expect(text.matches(of: #/<tr id=/#).count == count, "\(address)")
        }
    }

    @Test(
        "a state stays with the search and the order, and can be taken away",
        arguments: ["instances", "volumes", "templates"]
    )
    func chips(_ kind: String) async throws {
        let console = try TestConsole(OverviewCloud())
        let text = try await console.get("/\(kind)?state=available&text=web").text
        #expect(text.contains(#"<input type="hidden" name="state" value="available">"#))
        #expect(text.contains("state=available&amp;text=web&amp;sort=-name"))
        let removal =
            "<a href=\"/environments/production/\(kind)?text=web\" aria-current=\"true\"><span class=\"sr\">Remove"
        #expect(text.contains(removal))
        #expect(!(try await console.get("/\(kind)?state=nonsense").text.contains("Remove the filter")))
    }

    @Test("space is what one alone has, what several share, what else is there, and what is free")
    func space() async throws {
        let text = try await TestConsole(OverviewCloud()).get("/dashboard").text
        let label =
            "Of one resource only: 5\u{A0}GiB, Shared by several: 10\u{A0}GiB, Other data on the disk: 25\u{A0}GiB, Free: 60\u{A0}GiB"
        #expect(text.contains(label))
        #expect(text.contains(#"class="space-exclusive" x="0" y="0" width="50""#))
        #expect(text.contains(#"class="space-shared" x="50" y="0" width="100""#))
        #expect(text.contains(#"class="space-other" x="150" y="0" width="250""#))
        #expect(text.contains("It is gone."))
    }

    @Test("open jobs show how far they are, or how many are before them, and can be cancelled by who may")
    func tasks() async throws {
        let cloud = OverviewCloud()
        let text = try await TestConsole(cloud).get("/dashboard").text
        #expect(text.contains("1\u{A0}GiB of 4\u{A0}GiB"))
        #expect(text.contains("waiting, 2 jobs before it"))
        #expect(text.contains(Self.cancellation))
        #expect(try await TestConsole(cloud, as: .viewer).get("/dashboard").text.contains("/cancel") == false)
        #expect(try await TestConsole(cloud, as: .viewer).post(Self.cancellation, "").status == 403)
        let page = try await TestConsole(cloud, as: .editor).post(Self.cancellation, "")
        #expect(page.location == "/environments/production/dashboard")
        #expect(page.notice?.hasPrefix("taskCancelled") == true)
        #expect(cloud.acts.contains(.cancel(Sample.id(70))))
    }

    @Test("a line of the log names who, what, on what, from where and how it ended; only what is there is linked")
    func lines() async throws {
        let text = try await TestConsole(OverviewCloud()).get("/activity").text
        for word in ["ada", "192.0.2.7", "The pool is full.", "planets.align", "Editor", "&lt;b&gt;gone"] {
            #expect(text.contains(word), "no '\(word)'")
        }
        #expect(!text.contains("<b>gone"))
        let address = "/environments/production/snapshots/\(Sample.id(30) as SnapshotID)"
        #expect(text.contains("<a href=\"\(address)\">kept</a>"))
        #expect(!text.contains("never</a>"))
        #expect(!text.contains("gone&lt;/b&gt;</a>"))
    }

    @Test("filters stand in the address, and what they cannot mean is left out")
    func filters() async throws {
        let cloud = OverviewCloud()
        let console = try TestConsole(cloud)
        let user = (Sample.id(9) as UserID).description
        _ = try await console.get(
            "/activity?user=\(user)&event=snapshots.create&status=failed&from=2026-11-01&until=2026-11-30&page=2"
        )
        let start = try #require(CalendarDay.start(of: "2026-11-01"))
        #expect(start.timeIntervalSince1970 == 1_793_491_200)
        #expect(
            cloud.acts.last
                == .list(
                    ActivityFilter(
                        environment: Sample.production.id,
                        user: Sample.id(9),
                        event: "snapshots.create",
                        status: .failed,
                        from: start,
                        until: start.addingTimeInterval(30 * 86_400)
                    ),
                    offset: 25
                )
        )
        _ = try await console.get("/activity?user=../x&event=&status=nothing&from=yesterday&until=2026-13-01")
        #expect(cloud.acts.last == .list(ActivityFilter(environment: Sample.production.id), offset: 0))
        let page = try await console.get("/activity?event=snapshots.create&status=failed")
        #expect(page.text.contains("event=snapshots.create&amp;status=failed&amp;page=2"))
        #expect(try await console.get("/activity?event=snapshots.verify").text.contains("Nothing found"))
    }

    @Test("an environment is made, described and deleted; deleting asks for its name")
    func environments() async throws {
        let cloud = OverviewCloud()
        let console = try TestConsole(cloud)
        let entrance = try TestConsole(cloud, root: "")
        let made = try await entrance.post("/new-environment", "name=lab&description=For+tests")
        #expect(made.location == "/")
        for (form, status) in [("name=taken", 400), ("name=A+b", 400), ("name=..%2Fx", 400)] {
            let page = try await entrance.post("/new-environment", form)
            #expect(page.status == status)
            #expect(page.text.contains("aria-invalid"))
        }
        _ = try await console.post("/edit", "name=prod&description=New")
        let refused = try await console.post("/delete", "confirmation=productio")
        #expect(refused.status == 400)
        #expect(refused.text.contains("aria-invalid"))
        let deleted = try await console.post("/delete", "confirmation=production")
        #expect(deleted.notice?.hasPrefix("environmentDeleted") == true)
        #expect(
            cloud.acts == [
                .create("lab", description: "For tests"), .update("prod", description: "New"),
                .delete(Sample.production.id),
            ]
        )
        let editor = try TestConsole(OverviewCloud(), as: .editor)
        #expect(try await editor.post("/delete", "confirmation=production").status == 403)
        #expect(try await TestConsole(cloud, as: .editor, root: "").post("/new-environment", "name=x").status == 403)
    }
}
