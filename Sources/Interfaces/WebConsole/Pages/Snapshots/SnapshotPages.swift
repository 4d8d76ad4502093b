import Foundation
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// The tab *Snapshots*.
enum SnapshotPages {
    static let all: [ConsoleRoute] =
        [
            .get(ConsoleRoute.within("/snapshots")) { visit in try await list(visit) },
            .get(ConsoleRoute.within("/snapshots/:id")) { visit in try await SnapshotDetail.show(visit) },
            .get(ConsoleRoute.within("/snapshots/:id/export/download")) { visit in
                try await SnapshotExport.download(visit)
            },
        ]
        + sheets.flatMap { rest, handler in
            // Each asks, and does when it is answered.
            [
                ConsoleRoute.get(ConsoleRoute.within("/snapshots/" + rest), handler),
                ConsoleRoute.post(ConsoleRoute.within("/snapshots/" + rest), handler),
            ]
        } + [.get(ConsoleRoute.within("/snapshots/:id/export")) { visit in try await SnapshotExport.ask(visit) }]

    private static let sheets: [(String, ConsoleRoute.Handler)] = [
        ("delete", { visit in try await SnapshotDeletion.several(visit) }),
        (":id/delete", { visit in try await SnapshotDeletion.one(visit) }),
        (":id/rename", { visit in try await SnapshotChanges.rename(visit) }),
        (":id/revert", { visit in try await SnapshotReverting.ask(visit) }),
        (":id/template", { visit in try await SnapshotCopies.template(visit) }),
        (":id/verify", { visit in try await SnapshotChanges.verify(visit) }),
        (":id/volume", { visit in try await SnapshotCopies.volume(visit) }),
    ]

    struct ListPage: PageValue {
        let heading: String
        let controls: ListControls
        let chips: [Chip]
        let columns: [Column]
        let rows: [SnapshotRow]
        let empty: EmptyState?
        let create: Link?
        /// Where the ticked rows go.
        let deletion: String?
    }

    private static func list(_ visit: Visit) async throws -> Response {
        let place = try await visit.place()
        let state = ListState(visit, filters: ["state", "volume", "instance", "group"])
        let filter = SnapshotFilter(
            environment: place.id,
            volume: try id("volume", in: state),
            instance: try id("instance", in: state),
            group: try id("group", in: state),
            states: state.states,
            text: state.text
        )
        let found = try await visit.cloud.listSnapshots(filter, order: state.order, page: state.request, visit.caller)
        let texts = visit.texts
        let rows = found.rows.map { SnapshotRow($0, place, visit) }
        let controls = ListControls(state, total: found.total, shown: rows.count, visit)
        let create =
            place.may(.create) ? Link(texts("action.create_snapshot"), place.address("snapshots", "new")) : nil
        let page = ListPage(
            heading: texts("tab.snapshots"),
            controls: controls,
            chips: try await chips(state, filter, found.rows.first?.snapshot.source, visit),
            columns: [
                Column(texts("list.name"), by: .name, in: state), Column(texts("list.state"), by: .state, in: state),
                Column(texts("volume.volume"), in: state), Column(texts("snapshot.consistency"), in: state),
                Column(texts("snapshot.space"), in: state), Column(texts("snapshot.rapid"), in: state),
                Column(texts("list.created"), by: .createdAt, in: state),
            ],
            rows: rows,
            empty: EmptyState(
                icon: "snapshots",
                title: texts("snapshot.none"),
                text: texts("snapshot.none_text"),
                action: create
            ).shown(for: controls, isEmpty: rows.isEmpty, texts),
            create: create,
            deletion: place.may(.change) ? place.address("snapshots", "delete") : nil
        )
        return try await visit.page(
            "snapshots",
            page,
            Visit.Setting(
                title: page.heading,
                place: place,
                tab: .snapshots,
                isBusy: rows.contains { $0.state.isBusy },
                commandLine: "snapshot list",
                apiCall: ("GET", "/snapshots")
            )
        )
    }

    /// An id that restricts the list.
    ///
    /// - Parameters:
    ///   - name: The filter's name in the address.
    ///   - state: What the address says.
    /// - Returns: Nil when the address does not say.
    /// - Throws: `invalidInput` for what is no id: a list without the restriction would be another than was asked for.
    private static func id<Subject>(_ name: String, in state: ListState) throws(ServiceError) -> Identifier<Subject>? {
        guard let text = state.filter(name) else { return nil }
        guard let id = Identifier<Subject>(text) else {
            throw ServiceError(.invalidInput, "The list cannot be restricted to a \(name) without a valid id.")
        }
        return id
    }

    private static func chips(
        _ state: ListState,
        _ filter: SnapshotFilter,
        _ source: Snapshot.Source?,
        _ visit: Visit
    ) async throws -> [Chip] {
        let texts = visit.texts
        var chips = [Chip.choice(texts("list.all"), "state", nil, in: state)]
        // Snapshots are not put aside.
        chips += ResourceState.Word.allCases.filter { $0 != .destroyed }.map { word in
            Chip.choice(texts("snapshot.filter.\(word.rawValue)"), "state", word.rawValue, in: state)
        }
        // Its snapshots know what a volume or an instance was called, which may itself be gone by now.
        if filter.volume != nil {
            let name = source.map { texts("snapshot.of_volume", ["name": $0.volumeName.description]) }
            chips.append(.removable(name ?? texts("snapshot.of_one_volume"), "volume", in: state, texts))
        }
        if filter.instance != nil {
            let name = source?.instanceName.map { texts("snapshot.of_instance", ["name": $0.description]) }
            chips.append(.removable(name ?? texts("snapshot.of_one_instance"), "instance", in: state, texts))
        }
        if filter.group != nil { chips.append(.removable(texts("snapshot.of_group"), "group", in: state, texts)) }
        return chips
    }
}

/// A snapshot in a list.
struct SnapshotRow: PageValue {
    let id: String
    let name: String
    let address: String
    let state: Badge
    let volume: String
    /// The list of the same volume's snapshots.
    let siblings: String
    let isRoot: Bool
    let volumeIcon: String
    let instance: String?
    let consistency: ConsistencyMark
    let exclusive: String
    let restoresTo: String
    let created: Moment
    let isUndo: Bool
    let canSelect: Bool
    let menu: [MenuItem]

    init(_ view: SnapshotView, _ place: Place, _ visit: Visit) {
        let snapshot = view.snapshot
        id = snapshot.id.description
        name = snapshot.name.description
        address = place.address("snapshots", id)
        state = Badge(view, visit)
        volume = snapshot.source.volumeName.description
        siblings = place.address("snapshots") + "?volume=\(snapshot.source.volume)"
        isRoot = snapshot.source.role == .root
        volumeIcon = isRoot ? "root" : "volumes"
        instance = snapshot.source.instanceName?.description
        consistency = ConsistencyMark(snapshot.consistency, visit)
        exclusive = visit.formats.size(view.space.exclusive)
        restoresTo = visit.formats.size(snapshot.size)
        created = Moment(snapshot.createdAt, visit)
        if case .undo = snapshot.origin { isUndo = true } else { isUndo = false }
        menu = Self.menu(view, place, visit)
        canSelect = place.may(.change) && view.shownState != .destroying
    }

    /// The actions on a snapshot, in the order that they have everywhere.
    static func menu(_ view: SnapshotView, _ place: Place, _ visit: Visit) -> [MenuItem] {
        let root = place.address("snapshots", view.snapshot.id.description)
        let texts = visit.texts
        var items: [MenuItem] = []
        if view.shownState == .completed {
            if place.may(.revert) {
                items.append(MenuItem(title: texts("action.revert"), address: root + "/revert", icon: "undo"))
            }
            if place.may(.create) {
                items += [
                    MenuItem(title: texts("action.create_volume"), address: root + "/volume", icon: "volumes"),
                    MenuItem(
                        title: texts("action.create_instance"),
                        address: place.address("instances", "new") + "?snapshot=\(view.snapshot.id)",
                        icon: "instances",
                        isDialog: false
                    ),
                ]
                // What instances start from.
                if view.snapshot.source.role == .root {
                    items.append(
                        MenuItem(
                            title: texts("action.create_template"),
                            address: root + "/template",
                            icon: "templates",
                            isDialog: false
                        )
                    )
                }
                items.append(MenuItem(title: texts("action.verify"), address: root + "/verify", icon: "check"))
            }
            items.append(MenuItem(title: texts("action.export"), address: root + "/export", icon: "download"))
            if place.may(.change) {
                items.append(MenuItem(title: texts("action.rename"), address: root + "/rename", icon: "pen"))
            }
        }
        if place.may(.change), view.shownState == .completed || view.shownState == .failed {
            items.append(
                MenuItem(
                    title: texts("action.delete_snapshot"),
                    address: root + "/delete",
                    icon: "trash",
                    isDanger: true
                )
            )
        }
        return items
    }
}
