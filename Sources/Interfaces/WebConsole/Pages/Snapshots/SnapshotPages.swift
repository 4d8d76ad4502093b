import Foundation
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// The tab *Snapshots*.
enum SnapshotPages {
    static let all: [ConsoleRoute] = [
        .get(ConsoleRoute.within("/snapshots")) { visit in try await list(visit) },
        .get(ConsoleRoute.within("/snapshots/delete")) { visit in try await SnapshotDeletion.several(visit) },
        .post(ConsoleRoute.within("/snapshots/delete")) { visit in try await SnapshotDeletion.several(visit) },
        .get(ConsoleRoute.within("/snapshots/:id/delete")) { visit in try await SnapshotDeletion.one(visit) },
        .post(ConsoleRoute.within("/snapshots/:id/delete")) { visit in try await SnapshotDeletion.one(visit) },
    ]

    struct ListPage: PageValue {
        let heading: String
        let controls: ListControls
        let columns: [Column]
        let states: [StateFilter]
        let rows: [SnapshotRow]
        let empty: EmptyState?
        let create: Link?
        /// Where the ticked rows go.
        let deletion: String?
    }

    /// A state that the list can be restricted to.
    struct StateFilter: PageValue {
        let title: String
        let value: String
        let isChosen: Bool
    }

    private static func list(_ visit: Visit) async throws -> Response {
        let place = try await visit.place()
        let state = ListState(visit, filters: ["state", "volume", "instance"])
        let words = state.filter("state").flatMap(ResourceState.Word.init)
        let filter = SnapshotFilter(
            environment: place.id,
            volume: state.filter("volume").flatMap { VolumeID($0) },
            instance: state.filter("instance").flatMap { InstanceID($0) },
            states: words.map { [$0] },
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
            columns: [
                Column(texts("list.name"), by: .name, in: state), Column(texts("list.state"), in: state),
                Column(texts("volume.volume"), in: state), Column(texts("snapshot.consistency"), in: state),
                Column(texts("snapshot.space"), in: state), Column(texts("snapshot.rapid"), in: state),
                Column(texts("list.created"), by: .createdAt, in: state),
            ],
            states: ResourceState.Word.allCases.map {
                StateFilter(title: texts("snapshot.filter.\($0.rawValue)"), value: $0.rawValue, isChosen: $0 == words)
            },
            rows: rows,
            empty: rows.isEmpty
                ? EmptyState(
                    icon: "snapshots",
                    title: texts(controls.isFiltered ? "list.nothing_found" : "snapshot.none"),
                    text: texts(controls.isFiltered ? "list.nothing_found_text" : "snapshot.none_text"),
                    action: controls.isFiltered ? nil : create
                ) : nil,
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
}

/// A snapshot in a list.
struct SnapshotRow: PageValue {
    let id: String
    let name: String
    let address: String
    let state: Badge
    let volume: String
    let isRoot: Bool
    let instance: String?
    let consistency: String
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
        isRoot = snapshot.source.role == .root
        instance = snapshot.source.instanceName?.description
        consistency = visit.texts("consistency.\(snapshot.consistency.achieved.rawValue)")
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
                        address: root + "/instance",
                        icon: "instances",
                        isDialog: false
                    ),
                    MenuItem(
                        title: texts("action.create_template"),
                        address: root + "/template",
                        icon: "templates",
                        isDialog: false
                    ),
                    MenuItem(title: texts("action.verify"), address: root + "/verify", icon: "check"),
                ]
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
