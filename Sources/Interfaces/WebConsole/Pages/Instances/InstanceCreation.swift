import Foundation
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// *Create instance*: one or many, from a template or from a snapshot, here or in another environment.
enum InstanceCreation {
    static let all: [ConsoleRoute] = [
        .get(ConsoleRoute.within("/instances/new")) { visit in try await create(visit) },
        .post(ConsoleRoute.within("/instances/new")) { visit in try await create(visit) },
    ]

    struct CreationPage: PageValue {
        let sheet: Sheet
        /// The names of what will be made, as far as the form says.
        let names: String?
        let notes: [String]
    }

    /// In place of the form when there is nothing to create from.
    struct NothingPage: PageValue {
        let heading: String
        let empty: EmptyState?
    }

    private static func create(_ visit: Visit) async throws -> Response {
        let snapshot = visit.value("snapshot")
        guard !snapshot.isEmpty else { return try await createFromTemplate(visit) }
        return try await createFromSnapshot(visit, snapshot)
    }

    // MARK: Sources

    private static func createFromTemplate(_ visit: Visit) async throws -> Response {
        let place = try await visit.place(for: .create)
        let templates = try await visit.cloud.listTemplates(
            TemplateFilter(visibleIn: place.id, states: [.available]),
            order: .byName,
            page: .all,
            visit.caller
        ).rows
        let wanted = TemplateID(visit.value("template"))
        guard let chosen = templates.first(where: { $0.template.id == wanted }) ?? templates.first else {
            let texts = visit.texts
            return try await nothing(
                EmptyState(
                    icon: "templates",
                    title: texts("instance.no_templates"),
                    text: texts("instance.no_templates_text"),
                    action: Link(texts("tab.templates"), place.address("templates"))
                ),
                place,
                visit
            )
        }
        var form = CreationForm(
            visit,
            place,
            .template(chosen.template, among: templates.map(\.template)),
            offerings: try await visit.cloud.listComputeOfferings(visit.caller)
        )
        form.pools = try await PoolChoice(visit)
        return try await ask(form)
    }

    /// Who may only look at the snapshot's environment can still create from it where they may.
    private static func createFromSnapshot(_ visit: Visit, _ text: String) async throws -> Response {
        let place = try await visit.place()
        guard let id = SnapshotID(text) else {
            throw ServiceError(.notFound, "There is nothing of that id among the snapshots.")
        }
        let snapshot = try await visit.cloud.snapshot(id, in: place.id, visit.caller).snapshot
        var members = [snapshot]
        if let group = snapshot.group {
            members = try await visit.cloud.listSnapshots(
                SnapshotFilter(environment: place.id, group: group),
                order: .byName,
                page: .all,
                visit.caller
            ).rows.map(\.snapshot)
        }
        guard members.contains(where: { $0.source.role == .root }) else {
            let texts = visit.texts
            return try await nothing(
                EmptyState(
                    icon: "volumes",
                    title: texts("instance.no_root"),
                    text: texts("instance.no_root_text", ["name": snapshot.name.description]),
                    action: Link(
                        texts("action.create_volume"),
                        place.address("snapshots", snapshot.id.description, "volume")
                    )
                ),
                place,
                visit
            )
        }
        let targets = try await visit.cloud.listEnvironments(visit.caller)
            .filter { visit.session.principal.may(.create, in: $0.id) }
        guard !targets.isEmpty else { _ = try await visit.place(for: .create); throw noTarget }
        // Where it comes from is first, if it may be made there.
        let ordered = targets.filter { $0.id == place.id } + targets.filter { $0.id != place.id }
        let form = CreationForm(
            visit,
            place,
            .snapshot(snapshot, with: members),
            targets: ordered,
            offerings: try await visit.cloud.listComputeOfferings(visit.caller)
        )
        return try await ask(form)
    }

    private static let noTarget = ServiceError(.notAllowed, "You may create instances in no environment.")

    private static func nothing(_ empty: EmptyState, _ place: Place, _ visit: Visit) async throws -> Response {
        let heading = visit.texts("action.create_instance")
        return try await visit.page(
            "create-instance-nothing",
            NothingPage(heading: heading, empty: empty),
            Visit.Setting(title: heading, place: place, tab: .instances)
        )
    }

    // MARK: The page

    private static func ask(_ form: CreationForm) async throws -> Response {
        let (visit, place) = (form.visit, form.place)
        let texts = visit.texts
        let sheet = Sheet(
            list: form.list,
            name: form.sourceName,
            heading: texts("action.create_instance"),
            intro: form.intro,
            facts: form.facts,
            fields: form.fields,
            hidden: form.hidden,
            address: visit.path,
            cancelAddress: form.list.address
        )
        let setting = Visit.Setting(
            title: sheet.heading,
            place: place,
            tab: .instances,
            commandLine: form.commandLine,
            apiCall: form.apiCall
        )
        return try await visit.answer {
            () async throws(ServiceError) in
            try await deploy(form)
        } show: { problem in
            var setting = setting
            if problem != nil { setting.status = .badRequest }
            return try await visit.page(
                "create-instance",
                CreationPage(sheet: sheet.saying(problem), names: form.names, notes: form.notes),
                setting
            )
        }
    }

    private static func deploy(_ form: CreationForm) async throws(ServiceError) -> Response {
        let visit = form.visit
        let target = try form.target()
        let made = try await visit.cloud.deploy(try form.request(), in: target.id, visit.caller).resource
        let list = "/environments/\(target.name)/instances"
        return visit.redirect(
            to: list,
            saying: Notice(
                .instanceDeployed,
                form.names ?? "",
                at: made.count == 1 ? made.first.map { "\(list)/\($0.instance.id)" } : nil
            )
        )
    }
}
