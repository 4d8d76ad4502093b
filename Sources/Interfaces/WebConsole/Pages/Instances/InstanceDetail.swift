import Foundation
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// The pages of one instance: what it is, its volumes, its snapshots.
enum InstanceDetail {
    static let all: [ConsoleRoute] = [
        .get(ConsoleRoute.within("/instances/:id")) { visit in try await show(visit) },
        .get(ConsoleRoute.within("/instances/:id/volumes")) { visit in try await volumes(visit) },
        .get(ConsoleRoute.within("/instances/:id/snapshots")) { visit in try await snapshots(visit) },
    ]

    struct DetailPage: PageValue {
        let head: DetailHead
        let undos: [UndoBar]
        let parts: [Part]
        /// What a machine in software means for its speed.
        let note: String?
    }

    /// Facts that belong together.
    struct Part: PageValue {
        let id: String
        let title: String
        let facts: [Fact]
        var text: String?
    }

    struct VolumesPage: PageValue {
        let head: DetailHead
        let heading: String
        let columns: [Column]
        let rows: [VolumeRow]
        let undos: [UndoBar]
        let add: Link?
        let empty: EmptyState?
    }

    // MARK: Details

    private static func show(_ visit: Visit) async throws -> Response {
        let subject = try await InstanceSubject(visit)
        let status = try await visit.cloud.status(visit.caller)
        let page = DetailPage(
            head: subject.head(.details),
            undos: try await subject.volumes().compactMap { UndoBar($0, subject.place, visit) },
            parts: [machine(subject, status), network(subject), guest(subject)],
            note: status.accelerator.kind == .tcg ? visit.texts("instance.software_emulation") : nil
        )
        return try await visit.page(
            "instance",
            page,
            subject.setting("instance show \(subject.id)", ("GET", "/instances/\(subject.id)"))
        )
    }

    private static func machine(_ subject: InstanceSubject, _ status: ServiceStatus) -> Part {
        let (visit, instance) = (subject.visit, subject.view.instance)
        let (texts, formats) = (visit.texts, visit.formats)
        let template = InstanceRow.template(subject.view, subject.place)
        return Part(
            id: "machine",
            title: texts("instance.machine"),
            facts: [
                Fact(
                    texts("instance.offering"),
                    ComputeOffering.builtIn.first { $0.id == instance.computeOffering }.map { texts.name(of: $0) }
                        ?? subject.view.offeringName ?? instance.computeOffering
                ),
                Fact(texts("instance.cpu"), formats.number(instance.cpuCount)),
                Fact(texts("instance.memory"), formats.size(instance.memory)),
                Fact(
                    texts("instance.template"),
                    template?.text ?? texts(instance.template == nil ? "instance.from_snapshot" : "instance.gone"),
                    at: template?.address
                ),
                Fact(texts("list.created"), Moment(instance.createdAt, visit)),
                Fact(
                    texts("instance.accelerator"),
                    texts("instance.accelerator.\(status.accelerator.kind.rawValue)")
                ),
            ]
        )
    }

    private static func network(_ subject: InstanceSubject) -> Part {
        let (texts, instance) = (subject.visit.texts, subject.view.instance)
        let guest = subject.view.guest
        var facts = [
            Fact(texts("instance.connection"), texts("instance.network.\(instance.network.rawValue)")),
            Fact(texts("instance.mac"), instance.macAddress),
        ]
        if let port = guest?.sshPort {
            facts.append(Fact(texts("instance.ssh"), "ssh -p \(port) root@127.0.0.1"))
        }
        if let addresses = guest?.addresses, !addresses.isEmpty {
            facts.append(Fact(texts("instance.addresses"), addresses.joined(separator: ", ")))
        }
        return Part(
            id: "network",
            title: texts("instance.network"),
            facts: facts,
            text: texts("instance.network.\(instance.network.rawValue)_text")
        )
    }

    /// What the guest says about itself, or why it says nothing.
    private static func guest(_ subject: InstanceSubject) -> Part {
        let texts = subject.visit.texts
        let title = texts("instance.guest")
        guard let guest = subject.view.guest else {
            return Part(id: "guest", title: title, facts: [], text: texts("instance.guest_off"))
        }
        guard guest.isAgentAnswering else {
            return Part(
                id: "guest",
                title: title,
                facts: [Fact(texts("instance.agent"), texts("instance.agent_silent"))],
                text: texts("instance.agent_silent_text")
            )
        }
        var facts = [Fact(texts("instance.agent"), texts("instance.agent_answers"))]
        if let name = guest.hostname { facts.append(Fact(texts("instance.hostname"), name)) }
        return Part(id: "guest", title: title, facts: facts, text: texts("instance.agent_answers_text"))
    }

    // MARK: Volumes

    private static func volumes(_ visit: Visit) async throws -> Response {
        let subject = try await InstanceSubject(visit)
        let place = subject.place
        let state = ListState(visit)
        let views = try await subject.volumes()
        let texts = visit.texts
        let rows = views.map { VolumeRow($0, place, visit) }
        let page = VolumesPage(
            head: subject.head(.volumes),
            heading: texts("instance.volumes_of", ["name": subject.name]),
            columns: ["volume.volume", "list.state", "volume.type", "volume.instance", "volume.space"].map {
                Column(texts($0), in: state)
            },
            rows: rows,
            undos: views.compactMap { UndoBar($0, place, visit) },
            add: place.may(.create)
                ? Link(texts("volume.add"), place.address("volumes", "new") + "?instance=\(subject.id)") : nil,
            empty: nil
        )
        return try await visit.page(
            "instance-volumes",
            page,
            subject.setting(
                "volume list",
                ("GET", "/volumes"),
                isBusy: rows.contains { $0.state.isBusy }
            )
        )
    }
}

/// An instance that a page is about.
struct InstanceSubject: Sendable {
    /// Its pages.
    enum Page: String, CaseIterable {
        case details, volumes, snapshots, console, screen
    }

    let place: Place
    let view: InstanceView
    let visit: Visit

    init(_ visit: Visit, for permission: Permission = .read) async throws(ServiceError) {
        place = try await visit.place(for: permission)
        view = try await visit.cloud.instance(try visit.id(of: "instances"), in: place.id, visit.caller)
        self.visit = visit
    }

    var id: InstanceID { view.instance.id }
    var name: String { view.instance.name.description }
    var list: String { place.address("instances") }
    var own: String { place.address("instances", id.description) }
    var isRunning: Bool { !view.status.isStopped }

    func address(_ page: Page) -> String {
        page == .details ? own : own + "/" + page.rawValue
    }

    func head(_ current: Page) -> DetailHead {
        DetailHead(
            list: Link(visit.texts("tab.instances"), list),
            name: name,
            text: InstanceRow.size(view.instance, visit),
            state: Badge(view, visit),
            menu: InstanceRow.menu(view, place, visit),
            pages: Page.allCases.map { page in
                SubPage(
                    title: visit.texts("instance.page.\(page.rawValue)"),
                    address: address(page),
                    isCurrent: page == current
                )
            }
        )
    }

    /// In the order of their slots.
    func volumes() async throws(ServiceError) -> [VolumeView] {
        try await visit.cloud.listVolumes(
            VolumeFilter(environment: place.id, instance: id),
            order: .byName,
            page: .all,
            visit.caller
        ).rows.sorted { ($0.volume.attachment?.slot ?? 0) < ($1.volume.attachment?.slot ?? 0) }
    }

    /// Of a page that shows the instance, or of one that asks before it is changed.
    func setting(
        _ commandLine: String?,
        _ call: (String, String),
        title: String? = nil,
        isBusy: Bool = false
    ) -> Visit.Setting {
        Visit.Setting(
            title: title ?? name,
            place: place,
            tab: .instances,
            isBusy: isBusy || Badge(view, visit).isBusy,
            commandLine: commandLine,
            apiCall: call
        )
    }
}

extension Sequence {
    /// With the root disk's before those of the data disks, which keep their order.
    func rootFirst(_ role: (Element) -> Volume.Role) -> [Element] {
        filter { role($0) == .root } + filter { role($0) != .root }
    }
}
