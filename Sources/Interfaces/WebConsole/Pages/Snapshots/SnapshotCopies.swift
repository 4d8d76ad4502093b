import Foundation
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// What is made from a snapshot: a volume, a template.
enum SnapshotCopies {
    // MARK: A volume

    static func volume(_ visit: Visit) async throws -> Response {
        let place = try await visit.place(for: .create)
        let snapshot = try await visit.snapshot(place).snapshot
        let texts = visit.texts
        let environments = try await visit.cloud.listEnvironments(visit.caller)
            .filter { visit.session.principal.may(.create, in: $0.id) }
        let instances = try await instances(in: environments, visit)
        var sheet = visit.sheet(about: snapshot, "action.create_volume", place)
        sheet.intro = texts("snapshot.volume_intro", ["size": visit.formats.size(snapshot.size)])
        sheet.fields = [.text("name", texts("list.name"), visit.value("name"))]
        if environments.count > 1 {
            let chosen = visit.value("environment", place.id.description)
            sheet.fields.append(
                .select(
                    "environment",
                    texts("frame.environment"),
                    environments.map { environment in
                        let id = environment.id.description
                        return FormField.Option(
                            value: id,
                            title: environment.name.description,
                            isChosen: id == chosen
                        )
                    }
                )
            )
        }
        if !instances.isEmpty {
            sheet.fields.append(
                instanceField(instances, environments.count > 1 ? texts("snapshot.attach_decides") : nil, visit)
            )
        }
        sheet.fields.append(fullCopy(visit))
        let setting = visit.setting(
            sheet,
            place,
            commandLine: "volume create --from-snapshot \(snapshot.id) --name …",
            "createVolume",
            of: snapshot
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            let instance = InstanceID(visit.form["instance"] ?? "")
            let home = instance.flatMap { id in instances.first { $0.view.instance.id == id }?.environment }
            let wanted = EnvironmentID(visit.form["environment"] ?? "") ?? place.id
            let submitted = try await visit.cloud.createVolume(
                CreateVolumeRequest(
                    source: .snapshot(snapshot.id, isFull: visit.form.isOn("full")),
                    name: try ResourceName(visit.form["name"] ?? ""),
                    environment: home?.id ?? wanted,
                    instance: instance
                ),
                in: place.id,
                visit.caller
            ).resource.volume
            let target = environments.first { $0.id == submitted.environment }?.name.description ?? place.name
            return visit.redirect(
                to: "/environments/\(target)/volumes",
                saying: Notice(
                    .volumeCreated,
                    submitted.name.description,
                    at: "/environments/\(target)/volumes/\(submitted.id)"
                )
            )
        }
    }

    private typealias Home = (environment: SnapshotDomain.Environment, view: InstanceView)

    /// Those that a volume can be attached to.
    private static func instances(
        in environments: [SnapshotDomain.Environment],
        _ visit: Visit
    ) async throws -> [Home] {
        var instances: [Home] = []
        for environment in environments where visit.session.principal.may(.change, in: environment.id) {
            let found = try await visit.cloud.listInstances(
                InstanceFilter(environment: environment.id),
                order: .byName,
                page: PageRequest(limit: 200),
                visit.caller
            )
            instances += found.rows.filter { $0.instance.state == .available }.map { (environment, $0) }
        }
        return instances
    }

    private static func instanceField(_ instances: [Home], _ hint: String?, _ visit: Visit) -> FormField {
        let chosen = visit.value("instance")
        let hasSeveral = Set(instances.map(\.environment.id)).count > 1
        let none = FormField.Option(value: "", title: visit.texts("snapshot.attach_none"))
        return .select(
            "instance",
            visit.texts("snapshot.attach"),
            [none]
                + instances.map { home in
                    let name = home.view.instance.name.description
                    return FormField.Option(
                        value: home.view.instance.id.description,
                        title: hasSeveral ? "\(home.environment.name) · \(name)" : name,
                        isChosen: home.view.instance.id.description == chosen
                    )
                },
            hint: hint
        )
    }

    // MARK: A template

    static func template(_ visit: Visit) async throws -> Response {
        let place = try await visit.place(for: .create)
        let snapshot = try await visit.snapshot(place).snapshot
        let texts = visit.texts
        // Said before somebody fills a form in vain.
        guard snapshot.source.role == .root else {
            throw ServiceError(
                .invalidInput,
                "'\(snapshot.name)' is a snapshot of a data volume; a template is made from a snapshot of a root volume.",
                subject: .snapshot(snapshot.id)
            )
        }
        var sheet = visit.sheet(about: snapshot, "action.create_template", place)
        sheet.intro = texts("snapshot.template_intro")
        sheet.fields =
            [
                .text("name", texts("list.name"), visit.value("name")),
                .area("description", texts("list.description"), visit.value("description")),
            ] + TemplateForm.optionFields(visit) + [fullCopy(visit)]
        let setting = visit.setting(
            sheet,
            place,
            commandLine: "template create --from-snapshot \(snapshot.id) --name …",
            "createTemplate",
            of: snapshot
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            let form = visit.form
            let template = try await visit.cloud.createTemplate(
                CreateTemplateRequest(
                    source: .snapshot(snapshot.id, isFull: form.isOn("full")),
                    name: try ResourceName(form["name"] ?? ""),
                    description: form["description"] ?? "",
                    options: try TemplateForm.options(form)
                ),
                in: place.id,
                visit.caller
            ).resource.template
            return visit.redirect(
                to: place.address("templates"),
                saying: Notice(
                    .templateCreated,
                    template.name.description,
                    at: place.address("templates", template.id.description)
                )
            )
        }
    }

    private static func fullCopy(_ visit: Visit) -> FormField {
        .check(
            "full",
            visit.texts("snapshot.full_copy"),
            isOn: visit.isOn("full"),
            hint: visit.texts("snapshot.full_copy_hint")
        )
    }
}
