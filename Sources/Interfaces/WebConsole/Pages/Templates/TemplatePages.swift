import Foundation
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// The tab *Templates*.
enum TemplatePages {
    static let all: [ConsoleRoute] =
        [
            .get(ConsoleRoute.within("/templates")) { visit in try await list(visit) },
            .get(ConsoleRoute.within("/templates/:id")) { visit in try await TemplateDetail.show(visit) },
        ] + TemplateImporting.all + TemplateChanges.all

    struct ListPage: PageValue {
        let heading: String
        let controls: ListControls
        let chips: [Chip]
        let hasChips: Bool
        let columns: [Column]
        let rows: [TemplateRow]
        let failures: [Failure]
        let empty: EmptyState?
        let create: Link?
    }

    /// An import of late that came to nothing: its template is gone, and so it is said here.
    struct Failure: PageValue {
        let text: String
        let detail: String
        let at: Moment
    }

    private static func list(_ visit: Visit) async throws -> Response {
        let place = try await visit.place()
        let state = ListState(visit, filters: ["state", "only"], order: .byName)
        let filter = TemplateFilter(
            visibleIn: place.id,
            isOwn: state.filter("only") == "own",
            states: state.states,
            text: state.text
        )
        let found = try await visit.cloud.listTemplates(filter, order: state.order, page: state.request, visit.caller)
        let texts = visit.texts
        let chips = chips(filter, state, texts)
        let controls = ListControls(state, total: found.total, shown: found.rows.count, visit)
        let rows = found.rows.map { TemplateRow($0, place, visit) }
        let create =
            place.may(.create) ? Link(texts("action.import_template"), place.address("templates", "import")) : nil
        let page = ListPage(
            heading: texts("tab.templates"),
            controls: controls,
            chips: chips,
            hasChips: !chips.isEmpty,
            columns: [
                Column(texts("list.name"), by: .name, in: state), Column(texts("list.state"), by: .state, in: state),
                Column(texts("volume.size"), by: .size, in: state), Column(texts("volume.space"), in: state),
                Column(texts("template.public"), in: state),
                Column(texts("list.created"), by: .createdAt, in: state),
            ],
            rows: rows,
            failures: try await failures(place, visit),
            empty: EmptyState(
                icon: "templates",
                title: texts("template.none"),
                text: texts("template.none_text"),
                action: create
            ).shown(for: controls, isEmpty: rows.isEmpty, texts),
            create: create
        )
        return try await visit.page(
            "templates",
            page,
            Visit.Setting(
                title: page.heading,
                place: place,
                tab: .templates,
                isBusy: rows.contains { $0.state.isBusy },
                commandLine: "template list",
                apiCall: ("GET", "/templates")
            )
        )
    }

    private static func chips(_ filter: TemplateFilter, _ state: ListState, _ texts: Texts) -> [Chip] {
        let own: [Chip] = filter.isOwn ? [.removable(texts("template.only_own"), "only", in: state, texts)] : []
        return own + Chip.states(in: state, texts)
    }

    /// How long a failed import is spoken of.
    private static let memory: TimeInterval = 3_600
    private static let mostFailures = 3

    private static func failures(_ place: Place, _ visit: Visit) async throws(ServiceError) -> [Failure] {
        let tasks = try await visit.cloud.listTasks(in: place.id, page: PageRequest(limit: 25), visit.caller).rows
        var names: Set<String> = []
        // The last word on each name: an import that was tried again with success is no failure any more.
        let last = tasks.filter { $0.job.kind == .importTemplate && names.insert($0.job.title).inserted }
        let failures = last.compactMap { task -> Failure? in
            guard case .ended(.failed(let error), let endedAt) = task.job.phase,
                Date().timeIntervalSince(endedAt) < memory
            else { return nil }
            return Failure(
                text: visit.texts("template.import_failed", ["name": task.job.title]) + " "
                    + visit.texts("error.\(error.code.rawValue)"),
                detail: error.message,
                at: Moment(endedAt, visit)
            )
        }
        return Array(failures.prefix(mostFailures))
    }
}

/// A template in a list.
struct TemplateRow: PageValue {
    let id: String
    let name: String
    let description: String?
    let address: String
    let state: Badge
    let size: String
    let exclusive: String
    let sharing: String
    let created: Moment
    let menu: [MenuItem]

    init(_ view: TemplateView, _ place: Place, _ visit: Visit) {
        let template = view.template
        id = template.id.description
        name = template.name.description
        description = template.description.isEmpty ? nil : template.description
        address = place.address("templates", id)
        state = Badge(view, visit)
        size = visit.formats.size(template.size)
        exclusive = visit.formats.size(view.space.exclusive)
        sharing = Self.sharing(template, place, visit)
        created = Moment(template.createdAt, visit)
        menu = Self.menu(view, place, visit)
    }

    /// Whether others can deploy from it, or whose it is.
    static func sharing(_ template: Template, _ place: Place, _ visit: Visit) -> String {
        guard template.environment == place.id else { return visit.texts("template.elsewhere") }
        return visit.texts(template.options.isPublic ? "list.yes" : "list.no")
    }

    /// The actions on a template, in the order that they have everywhere.
    static func menu(_ view: TemplateView, _ place: Place, _ visit: Visit) -> [MenuItem] {
        let texts = visit.texts
        let root = place.address("templates", view.template.id.description)
        var items: [MenuItem] = []
        if view.shownState == .ready, place.may(.create) {
            items.append(
                MenuItem(
                    title: texts("action.deploy"),
                    address: place.address("instances", "new") + "?template=\(view.template.id)",
                    icon: "play",
                    isDialog: false
                )
            )
        }
        guard place.may(.change), view.template.environment == place.id else { return items }
        if view.shownState == .ready {
            items.append(MenuItem(title: texts("action.rename"), address: root + "/rename", icon: "pen"))
        }
        if view.shownState == .ready || view.shownState == .failed {
            items.append(
                MenuItem(
                    title: texts("action.delete_template"),
                    address: root + "/delete",
                    icon: "trash",
                    isDanger: true
                )
            )
        }
        return items
    }
}
