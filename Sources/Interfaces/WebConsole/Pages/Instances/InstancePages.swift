import Foundation
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// The tab *Instances*.
enum InstancePages {
    static let all: [ConsoleRoute] =
        [.get(ConsoleRoute.within("/instances")) { visit in try await list(visit) }]
        + InstanceCreation.all + InstanceDetail.all + InstanceConsole.all + InstanceChanges.all + InstanceReverting.all

    struct ListPage: PageValue {
        let heading: String
        let controls: ListControls
        let chips: [Chip]
        let hasChips: Bool
        let columns: [Column]
        let rows: [InstanceRow]
        let empty: EmptyState?
        let create: Link?
    }

    private static func list(_ visit: Visit) async throws -> Response {
        let place = try await visit.place()
        let state = ListState(visit, filters: ["state"], order: .byName)
        // Those that are there are told apart by whether they run.
        let power = state.filter("state").flatMap(Instance.Power.init)
        let filter = InstanceFilter(
            environment: place.id,
            states: power == nil ? state.states : [.available],
            power: power,
            text: state.text
        )
        let found = try await visit.cloud.listInstances(filter, order: state.order, page: state.request, visit.caller)
        let texts = visit.texts
        let rows = found.rows.map { InstanceRow($0, place, visit) }
        let controls = ListControls(state, total: found.total, shown: rows.count, visit)
        let chips =
            power.map { [Chip.removable(texts("instance.state.\($0.rawValue)"), "state", in: state, texts)] }
            ?? Chip.states(in: state, texts)
        let create =
            place.may(.create) ? Link(texts("action.create_instance"), place.address("instances", "new")) : nil
        let page = ListPage(
            heading: texts("tab.instances"),
            controls: controls,
            chips: chips,
            hasChips: !chips.isEmpty,
            columns: [
                Column(texts("list.name"), by: .name, in: state), Column(texts("list.state"), by: .state, in: state),
                Column(texts("tab.volumes"), in: state), Column(texts("instance.network"), in: state),
                Column(texts("instance.template"), in: state),
                Column(texts("list.created"), by: .createdAt, in: state),
            ],
            rows: rows,
            empty: EmptyState(
                icon: "instances",
                title: texts("instance.none"),
                text: texts("instance.none_text"),
                action: create
            ).shown(for: controls, isEmpty: rows.isEmpty, texts),
            create: create
        )
        return try await visit.page(
            "instances",
            page,
            Visit.Setting(
                title: page.heading,
                place: place,
                tab: .instances,
                isBusy: rows.contains { $0.state.isBusy },
                commandLine: "instance list",
                apiCall: ("GET", "/instances")
            )
        )
    }
}

/// An instance in a list.
struct InstanceRow: PageValue {
    let id: String
    let name: String
    let address: String
    let size: String
    let state: Badge
    let volumes: String
    let volumeSize: String
    let network: String
    let template: Link?
    let created: Moment
    let menu: [MenuItem]

    init(_ view: InstanceView, _ place: Place, _ visit: Visit) {
        let instance = view.instance
        id = instance.id.description
        name = instance.name.description
        address = place.address("instances", id)
        size = Self.size(instance, visit)
        state = Badge(view, visit)
        volumes = visit.texts.count("instance.volumes", view.volumes.count)
        volumeSize = visit.formats.size(view.volumes.reduce(.zero) { $0 + $1.size })
        network = visit.texts("instance.network.\(instance.network.rawValue)")
        template = Self.template(view, place)
        created = Moment(instance.createdAt, visit)
        menu = Self.menu(view, place, visit)
    }

    /// Processors and memory: `1 vCPU · 256 MiB`.
    static func size(_ instance: Instance, _ visit: Visit) -> String {
        visit.texts.count("instance.cpus", instance.cpuCount) + " · " + visit.formats.size(instance.memory)
    }

    /// Nil for an instance that was made from a snapshot, or whose template is gone.
    static func template(_ view: InstanceView, _ place: Place) -> Link? {
        guard let id = view.instance.template, let name = view.templateName else { return nil }
        return Link(name, place.address("templates", id.description))
    }

    /// The actions on an instance, in the order that they have everywhere.
    static func menu(_ view: InstanceView, _ place: Place, _ visit: Visit) -> [MenuItem] {
        let root = place.address("instances", view.instance.id.description)
        let texts = visit.texts
        let state = view.shownState
        var items: [MenuItem] = []
        if place.may(.create), view.instance.state == .available {
            items.append(
                MenuItem(
                    title: texts("action.take_snapshot"),
                    address: root + "/snapshot",
                    icon: "camera",
                    isDialog: false
                )
            )
        }
        guard place.may(.change), state != .destroying else { return items }
        switch state {
        case .stopped:
            items.append(MenuItem(title: texts("action.start"), address: root + "/start", icon: "play"))
        case .running:
            items += [
                MenuItem(title: texts("action.stop"), address: root + "/stop", icon: "stop"),
                MenuItem(title: texts("action.reboot"), address: root + "/reboot", icon: "restart"),
            ]
        case .stopping, .unknown:
            items.append(MenuItem(title: texts("action.stop"), address: root + "/stop", icon: "stop"))
        case .destroyed:
            items.append(MenuItem(title: texts("action.recover"), address: root + "/recover", icon: "undo"))
        case .starting, .failed, .destroying:
            break
        }
        if view.instance.state == .available {
            if place.may(.revert) {
                items.append(MenuItem(title: texts("action.revert"), address: root + "/revert", icon: "undo"))
            }
            items.append(MenuItem(title: texts("action.rename"), address: root + "/rename", icon: "pen"))
        }
        items.append(
            MenuItem(
                title: texts(state == .destroyed ? "action.purge" : "action.delete_instance"),
                address: root + "/delete",
                icon: "trash",
                isDanger: true
            )
        )
        return items
    }
}
