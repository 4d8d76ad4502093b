import Foundation
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// The tab *Volumes*.
enum VolumePages {
    static let all: [ConsoleRoute] =
        [
            .get(ConsoleRoute.within("/volumes")) { visit in try await list(visit) },
            .get(ConsoleRoute.within("/volumes/new")) { visit in try await VolumeAdding.add(visit) },
            .post(ConsoleRoute.within("/volumes/new")) { visit in try await VolumeAdding.add(visit) },
            .get(ConsoleRoute.within("/volumes/:id")) { visit in try await VolumeDetail.show(visit) },
        ] + VolumeChanges.all

    struct ListPage: PageValue {
        let heading: String
        let controls: ListControls
        let chips: [Chip]
        let columns: [Column]
        let rows: [VolumeRow]
        let undos: [UndoBar]
        let empty: EmptyState?
        let add: Link?
    }

    private static func list(_ visit: Visit) async throws -> Response {
        let place = try await visit.place()
        let state = ListState(visit, filters: ["state", "type", "instance"], order: .byName)
        let filter = VolumeFilter(
            environment: place.id,
            instance: state.filter("instance").flatMap { InstanceID($0) },
            role: state.filter("type").flatMap(Volume.Role.init),
            states: state.states,
            text: state.text
        )
        let found = try await visit.cloud.listVolumes(filter, order: state.order, page: state.request, visit.caller)
        let texts = visit.texts
        let rows = found.rows.map { VolumeRow($0, place, visit) }
        let controls = ListControls(state, total: found.total, shown: rows.count, visit)
        let add = place.may(.create) ? Link(texts("volume.add"), place.address("volumes", "new")) : nil
        let page = ListPage(
            heading: texts("tab.volumes"),
            controls: controls,
            chips: try await chips(state, found.rows, filter, place, visit),
            columns: [
                Column(
                    texts("volume.volume"),
                    by: .name,
                    in: state,
                    and: [Column(texts("volume.size"), by: .size, in: state)]
                ),
                Column(texts("list.state"), in: state), Column(texts("volume.type"), in: state),
                Column(texts("volume.instance"), in: state), Column(texts("volume.space"), in: state),
            ],
            rows: rows,
            undos: found.rows.compactMap { UndoBar($0, place, visit) },
            empty: EmptyState(
                icon: "volumes",
                title: texts("volume.none"),
                text: texts("volume.none_text"),
                action: add
            ).shown(for: controls, isEmpty: rows.isEmpty, texts),
            add: add
        )
        return try await visit.page(
            "volumes",
            page,
            Visit.Setting(
                title: page.heading,
                place: place,
                tab: .volumes,
                isBusy: rows.contains { $0.state.isBusy },
                commandLine: "volume list",
                apiCall: ("GET", "/volumes")
            )
        )
    }

    private static func chips(
        _ state: ListState,
        _ rows: [VolumeView],
        _ filter: VolumeFilter,
        _ place: Place,
        _ visit: Visit
    ) async throws -> [Chip] {
        let texts = visit.texts
        var chips = [
            Chip.choice(texts("volume.filter.all"), "type", nil, in: state),
            Chip.choice(texts("volume.filter.root"), "type", Volume.Role.root.rawValue, in: state),
            Chip.choice(texts("volume.filter.data"), "type", Volume.Role.data.rawValue, in: state),
        ]
        chips += Chip.states(in: state, texts)
        guard state.filter("instance") != nil else { return chips }
        let name =
            if let name = rows.first?.instance?.name { name } else { try await instanceName(filter, place, visit) }
        let title = name?.description ?? texts("volume.instance_gone")
        chips.append(Chip.removable(title, "instance", in: state, texts))
        return chips
    }

    /// Nil for an instance that is gone.
    private static func instanceName(
        _ filter: VolumeFilter,
        _ place: Place,
        _ visit: Visit
    ) async throws -> ResourceName? {
        guard let id = filter.instance else { return nil }
        do {
            return try await visit.cloud.instance(id, in: place.id, visit.caller).instance.name
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }
}

/// A volume in a list.
struct VolumeRow: PageValue {
    let id: String
    let name: String
    let address: String
    let size: String
    let state: Badge
    let type: String
    let isRoot: Bool
    let instance: Link?
    let exclusive: String
    let shared: String
    let menu: [MenuItem]

    init(_ view: VolumeView, _ place: Place, _ visit: Visit) {
        let volume = view.volume
        id = volume.id.description
        name = volume.name.description
        address = place.address("volumes", id)
        size = visit.formats.size(volume.size)
        state = Badge(view, visit)
        isRoot = volume.role == .root
        type = visit.texts(isRoot ? "volume.root" : "volume.data")
        instance = view.instance.map { Link($0.name, place.address("instances", $0.id.description)) }
        exclusive = visit.formats.size(view.space.exclusive)
        shared = visit.formats.size(view.space.shared)
        menu = Self.menu(view, place, visit)
    }

    /// The actions on a volume, in the order that they have everywhere.
    static func menu(_ view: VolumeView, _ place: Place, _ visit: Visit) -> [MenuItem] {
        guard view.volume.state == .available else { return [] }
        let root = place.address("volumes", view.volume.id.description)
        let texts = visit.texts
        var items: [MenuItem] = []
        if place.may(.create) {
            items.append(
                MenuItem(
                    title: texts("action.take_snapshot"),
                    address: root + "/snapshot",
                    icon: "camera",
                    isDialog: false
                )
            )
        }
        guard place.may(.change) else { return items }
        if view.undo != nil {
            items.append(MenuItem(title: texts("action.undo_revert"), address: root + "/undo", icon: "undo"))
        }
        if view.volume.attachment == nil {
            items.append(MenuItem(title: texts("action.attach"), address: root + "/attach", icon: "link"))
        } else if view.volume.role == .data {
            items.append(MenuItem(title: texts("action.detach"), address: root + "/detach", icon: "unlink"))
        }
        items.append(MenuItem(title: texts("action.grow"), address: root + "/grow", icon: "grow"))
        if view.volume.attachment == nil {
            items.append(
                MenuItem(title: texts("action.delete_volume"), address: root + "/delete", icon: "trash", isDanger: true)
            )
        }
        return items
    }
}

/// Offers, as long as it can, to take a revert back.
struct UndoBar: PageValue {
    let text: String
    let until: Moment?
    let address: String
    let action: String

    /// Nil for a volume that was not reverted lately or is being reverted now, or for somebody who may not.
    init?(_ view: VolumeView, _ place: Place, _ visit: Visit) {
        guard let undo = view.undo, view.shownState != .reverting, place.may(.revert) else { return nil }
        text = visit.texts("volume.reverted", ["name": view.volume.name.description])
        address = place.address("volumes", view.volume.id.description, "undo")
        action = visit.texts("action.undo_revert")
        guard case .undo(_, let expiresAt) = undo.origin else {
            until = nil
            return
        }
        until = Moment(expiresAt, visit)
    }
}
