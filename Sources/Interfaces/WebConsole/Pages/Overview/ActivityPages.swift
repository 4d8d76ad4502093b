import Foundation
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// The tab *Activity*: who did what, on what, when, from where, and how it ended.
enum ActivityPages {
    static let all: [ConsoleRoute] = [
        .get(ConsoleRoute.within("/activity")) { visit in try await list(visit) }
    ]

    struct ActivityPage: PageValue {
        let heading: String
        let controls: ListControls
        let users: [FormField.Option]
        let events: [FormField.Option]
        let statuses: [FormField.Option]
        let from: String
        let until: String
        let isFiltered: Bool
        let rows: [ActivityRow]
        let empty: EmptyState?
    }

    private static func list(_ visit: Visit) async throws -> Response {
        let place = try await visit.place()
        let state = ListState(visit, filters: ["user", "event", "status", "from", "until"])
        let texts = visit.texts
        let filter = ActivityFilter(
            environment: place.id,
            user: state.filter("user").flatMap { UserID($0) },
            event: state.filter("event").flatMap { $0.isEmpty ? nil : $0 },
            status: state.filter("status").flatMap(ActivityEntry.Status.init),
            from: state.filter("from").flatMap(CalendarDay.start),
            // The whole of the last day.
            until: state.filter("until").flatMap(CalendarDay.start)?.addingTimeInterval(86_400)
        )
        let found = try await visit.cloud.listActivity(filter, page: state.request, visit.caller)
        let rows = found.rows.map { ActivityRow($0, place, visit) }
        let controls = ListControls(state, total: found.total, shown: rows.count, visit)
        let page = ActivityPage(
            heading: texts("tab.activity"),
            controls: controls,
            users: try await users(filter.user, found.rows, place, visit),
            events: (ActivityCodes.resources + ActivityCodes.service).map { code in
                FormField.Option(
                    value: code,
                    title: ActivityRow.title(of: code, texts),
                    isChosen: code == filter.event
                )
            }.sorted { $0.title < $1.title },
            statuses: ActivityEntry.Status.allCases.map { status in
                FormField.Option(
                    value: status.rawValue,
                    title: texts("activity.status.\(status.rawValue)"),
                    isChosen: status == filter.status
                )
            },
            from: state.filter("from") ?? "",
            until: state.filter("until") ?? "",
            isFiltered: controls.isFiltered,
            rows: rows,
            empty: rows.isEmpty
                ? EmptyState(
                    icon: "activity",
                    title: texts(controls.isFiltered ? "list.nothing_found" : "activity.none"),
                    text: texts(controls.isFiltered ? "list.nothing_found_text" : "activity.none_text"),
                    action: nil
                ) : nil
        )
        return try await visit.page(
            "activity",
            page,
            Visit.Setting(
                title: page.heading,
                place: place,
                tab: .activity,
                commandLine: "activity",
                serviceCall: ("GET", "/activity_log?environmentId=\(place.id)")
            )
        )
    }

    /// The members, and whoever the list is restricted to, who may be one no more.
    private static func users(
        _ chosen: UserID?,
        _ rows: [ActivityEntry],
        _ place: Place,
        _ visit: Visit
    ) async throws(ServiceError) -> [FormField.Option] {
        var names = Dictionary(
            try await visit.cloud.members(of: place.id, visit.caller).map { ($0.user.id, $0.user.name) }
        ) { first, _ in first }
        for actor in rows.map(\.actor) {
            if let user = actor.user { names[user] = actor.name }
        }
        if let chosen, names[chosen] == nil { names[chosen] = chosen.description }
        return names.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map { id, name in
            FormField.Option(value: id.description, title: name, isChosen: id == chosen)
        }
    }
}

/// A line of the activity log.
struct ActivityRow: PageValue {
    let id: Int
    let at: Moment
    let who: Link
    let from: String?
    let event: String
    /// What it was done to; without an address when that is gone for sure.
    let subject: Fact
    let outcome: Badge
    /// In English, as the service says it.
    let message: String?
    let note: String?

    init(_ entry: ActivityEntry, _ place: Place, _ visit: Visit) {
        let texts = visit.texts
        id = Int(entry.id)
        at = Moment(entry.createdAt, visit)
        who = Link(entry.actor.name, place.address("activity") + (entry.actor.user.map { "?user=\($0)" } ?? ""))
        from = entry.actor.address
        event = Self.title(of: entry.event, texts)
        subject = Fact(
            texts("activity.subject"),
            entry.subjectName,
            at: Self.address(of: entry, place)
        )
        let tone: Badge.Tone =
            switch entry.status {
            case .succeeded: .good
            case .failed: .bad
            case .started: .busy
            case .cancelled: .off
            }
        outcome = Badge(texts("activity.status.\(entry.status.rawValue)"), tone, .idle, visit)
        let role = entry.event == "members.set" ? entry.message.flatMap(Role.init) : nil
        note = role.map { texts("role.\($0.rawValue)") }
        message = role == nil ? entry.message : nil
    }

    /// What an event is called; the code itself where the catalogue has no name for it.
    static func title(of code: String, _ texts: Texts) -> String {
        let key = "activity.event.\(code.replacingOccurrences(of: ".", with: "_"))"
        return texts.has(key) ? texts(key) : code
    }

    private static func address(of entry: ActivityEntry, _ place: Place) -> String? {
        let isGone = entry.event.hasSuffix(".delete") && entry.status == .succeeded
        let isNever = entry.event.hasSuffix(".create") && entry.status != .succeeded
        guard ["instances", "volumes", "snapshots", "templates"].contains(entry.subjectKind), !isGone, !isNever else {
            return nil
        }
        return place.address(entry.subjectKind, entry.subjectID)
    }
}

/// A day of the calendar in UTC, as a form sends it.
enum CalendarDay {
    /// The first instant of a day such as `2026-11-22`.
    static func start(of text: String) -> Date? {
        guard text.utf8.count == 10 else { return nil }
        return try? Date(text, strategy: .iso8601.year().month().day())
    }
}
