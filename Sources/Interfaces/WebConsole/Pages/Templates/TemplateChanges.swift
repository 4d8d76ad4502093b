import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// What can be changed about a template: its name and description, and that it exists.
enum TemplateChanges {
    static let all: [ConsoleRoute] = [
        .get(ConsoleRoute.within("/templates/:id/rename"), rename),
        .post(ConsoleRoute.within("/templates/:id/rename"), rename),
        .get(ConsoleRoute.within("/templates/:id/delete"), delete),
        .post(ConsoleRoute.within("/templates/:id/delete"), delete),
    ]

    @Sendable
    private static func rename(_ visit: Visit) async throws -> Response {
        let place = try await visit.place(for: .change)
        let template = try await visit.template(place).template
        let own = place.address("templates", template.id.description)
        var sheet = visit.sheet(about: template, "action.rename", place)
        sheet.fields = [
            .text("name", visit.texts("list.name"), visit.value("name", template.name.description)),
            .area("description", visit.texts("list.description"), visit.value("description", template.description)),
        ]
        let setting = Visit.Setting(
            title: sheet.heading,
            place: place,
            tab: .templates,
            commandLine: "template update \(template.id) --name NAME",
            apiCall: ("POST", "/templates/\(template.id)?operation=update")
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            let name = try ResourceName(visit.form["name"] ?? "")
            _ = try await visit.cloud.updateTemplate(
                template.id,
                name: name,
                description: visit.form["description"] ?? "",
                in: place.id,
                visit.caller
            )
            return visit.redirect(to: own, saying: Notice(.templateRenamed, name.description))
        }
    }

    @Sendable
    private static func delete(_ visit: Visit) async throws -> Response {
        let place = try await visit.place(for: .change)
        let view = try await visit.template(place)
        let (template, texts) = (view.template, visit.texts)
        var sheet = visit.sheet(about: template, "action.delete_template", place)
        sheet.intro = texts("template.delete_intro", ["name": template.name.description])
        sheet.facts = [
            Fact(texts("template.delete_freed"), visit.formats.size(view.space.exclusive)),
            Fact(
                texts("template.dependents"),
                view.dependentCount == 0
                    ? texts("template.no_dependents")
                    : texts.count("template.dependents_keep", view.dependentCount)
            ),
        ]
        sheet.warning = texts("template.delete_warning")
        sheet.isDanger = true
        let setting = Visit.Setting(
            title: sheet.heading,
            place: place,
            tab: .templates,
            commandLine: "template delete \(template.id)",
            apiCall: ("DELETE", "/templates/\(template.id)")
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            _ = try await visit.cloud.deleteTemplate(template.id, in: place.id, visit.caller)
            return visit.redirect(
                to: place.address("templates"),
                saying: Notice(.templateDeleted, template.name.description)
            )
        }
    }
}

extension Visit {
    /// The template of the path.
    fileprivate func template(_ place: Place) async throws(ServiceError) -> TemplateView {
        try await cloud.template(try id(of: "templates"), in: place.id, caller)
    }

    fileprivate func sheet(about template: Template, _ heading: String, _ place: Place) -> Sheet {
        Sheet(
            list: Link(texts("tab.templates"), place.address("templates")),
            name: template.name.description,
            heading: texts(heading),
            address: path,
            cancelAddress: place.address("templates", template.id.description)
        )
    }
}
