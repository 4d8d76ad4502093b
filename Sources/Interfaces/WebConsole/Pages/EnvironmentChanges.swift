import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// Making, describing and deleting environments.
enum EnvironmentChanges {
    static let all: [ConsoleRoute] = [
        // Not below /environments, where one could be called "new".
        .get("/new-environment") { visit in try await create(visit) },
        .post("/new-environment") { visit in try await create(visit) },
        .get(ConsoleRoute.within("/edit")) { visit in try await edit(visit) },
        .post(ConsoleRoute.within("/edit")) { visit in try await edit(visit) },
        .get(ConsoleRoute.within("/delete")) { visit in try await delete(visit) },
        .post(ConsoleRoute.within("/delete")) { visit in try await delete(visit) },
    ]

    private static func create(_ visit: Visit) async throws -> Response {
        try visit.requireOperator()
        var sheet = sheet(visit, "environment.add")
        sheet.fields = fields(visit, name: "", description: "")
        let setting = Visit.Setting(
            title: sheet.heading,
            commandLine: "environment create NAME",
            serviceCall: ("POST", "/environments")
        )
        let meanings: [ServiceError.Code: String] = [.nameTaken: visit.texts("environment.name_taken")]
        return try await visit.sheet(sheet, setting, explaining: meanings) { () async throws(ServiceError) in
            let made = try await visit.cloud.createEnvironment(
                name: try EnvironmentName(visit.form["name"] ?? ""),
                description: visit.form["description"] ?? "",
                visit.caller
            )
            let address = "/environments/\(made.name)/dashboard"
            return visit.redirect(to: "/", saying: Notice(.environmentCreated, made.name.description, at: address))
        }
    }

    private static func edit(_ visit: Visit) async throws -> Response {
        let place = try await visit.place(for: .administer)
        var sheet = sheet(visit, "environment.edit")
        sheet.name = place.name
        sheet.intro = visit.texts("environment.edit_text")
        sheet.fields = fields(visit, name: place.name, description: place.environment.description)
        let setting = Visit.Setting(
            title: sheet.heading,
            place: place,
            commandLine: "environment update \(place.name) --name NAME",
            serviceCall: ("PUT", "/environments/\(place.id)")
        )
        let meanings: [ServiceError.Code: String] = [.nameTaken: visit.texts("environment.name_taken")]
        return try await visit.sheet(sheet, setting, explaining: meanings) { () async throws(ServiceError) in
            let changed = try await visit.cloud.updateEnvironment(
                place.id,
                name: try EnvironmentName(visit.form["name"] ?? ""),
                description: visit.form["description"] ?? "",
                visit.caller
            )
            return visit.redirect(to: "/", saying: Notice(.environmentChanged, changed.name.description))
        }
    }

    private static func delete(_ visit: Visit) async throws -> Response {
        let place = try await visit.place(for: .administer)
        let census = try await visit.cloud.overview(of: place.id, visit.caller).census
        let texts = visit.texts
        func count(_ key: String, _ numbers: [ResourceState.Word: Int]) -> Fact {
            Fact(texts(key), visit.formats.number(numbers.values.reduce(0, +)))
        }
        var sheet = sheet(visit, "environment.delete")
        sheet.name = place.name
        sheet.intro = texts("environment.delete_text", ["name": place.name])
        sheet.facts = [
            count("tab.instances", census.instances), count("tab.volumes", census.volumes),
            count("tab.snapshots", census.snapshots), count("tab.templates", census.templates),
        ]
        sheet.warning = texts("environment.delete_warning")
        sheet.fields = [
            .text(
                "confirmation",
                texts("environment.delete_confirmation", ["name": place.name]),
                visit.value("confirmation")
            )
        ]
        sheet.isDanger = true
        let setting = Visit.Setting(
            title: sheet.heading,
            place: place,
            commandLine: "environment delete \(place.name)",
            serviceCall: ("DELETE", "/environments/\(place.id)")
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            guard visit.form["confirmation"] == place.name else {
                throw ServiceError(
                    .invalidInput,
                    "Type the name of the environment, \(place.name), to delete it with all that is in it.",
                    subject: .field("confirmation")
                )
            }
            _ = try await visit.cloud.deleteEnvironment(place.id, visit.caller)
            return visit.redirect(to: "/", saying: Notice(.environmentDeleted, place.name))
        }
    }

    private static func fields(_ visit: Visit, name: String, description: String) -> [FormField] {
        [
            .text(
                "name",
                visit.texts("list.name"),
                visit.value("name", name),
                hint: visit.texts("environment.name_hint")
            ),
            .area("description", visit.texts("list.description"), visit.value("description", description)),
        ]
    }

    private static func sheet(_ visit: Visit, _ heading: String) -> Sheet {
        Sheet(
            list: Link(visit.texts("home.title"), "/"),
            heading: visit.texts(heading),
            address: visit.path,
            cancelAddress: "/"
        )
    }
}
