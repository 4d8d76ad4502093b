import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// Making and deleting the keys that programs call with.
enum KeyPages {
    static let all: [ConsoleRoute] =
        routes("/profile") { visit throws(ServiceError) in try await visit.visitor() }
        + routes("/users/:id") { visit throws(ServiceError) in try await visit.person("id") }

    private static func routes(
        _ root: String,
        of person: @escaping @Sendable (Visit) async throws(ServiceError) -> Person
    ) -> [ConsoleRoute] {
        let deletion = root + "/keys/:key/delete"
        return [
            .get(root + "/keys/new") { visit in try await create(visit, try await person(visit)) },
            .post(root + "/keys/new") { visit in try await create(visit, try await person(visit)) },
            .get(deletion) { visit in try await delete(visit, try await person(visit)) },
            .post(deletion) { visit in try await delete(visit, try await person(visit)) },
        ]
    }

    /// What a new key can be for, as the form names it.
    private enum Kind: String, CaseIterable {
        case rest, query
    }

    private static func create(_ visit: Visit, _ person: Person) async throws -> Response {
        let texts = visit.texts
        let places = try await environments(of: person, visit)
        let wanted = visit.value("environment")
        let kind = Kind(rawValue: visit.value("kind", wanted.isEmpty ? "rest" : "query")) ?? .rest
        var sheet = Sheet(
            list: list(person, visit),
            name: person.isVisitor ? nil : person.user.name,
            heading: texts("key.new"),
            intro: texts("key.new_text"),
            address: visit.path,
            cancelAddress: person.root
        )
        sheet.fields = [
            .text("label", texts("key.label"), visit.value("label"), hint: texts("key.label_hint"), isOptional: true),
            .cards(
                "kind",
                texts("key.kind"),
                Kind.allCases.filter { $0 == .rest || !places.isEmpty }.map { each in
                    FormField.Option(
                        value: each.rawValue,
                        title: texts("key.kind.\(each.rawValue)"),
                        detail: texts("key.kind_text.\(each.rawValue)"),
                        isChosen: each == kind
                    )
                }
            ),
        ]
        if !places.isEmpty {
            sheet.fields.append(
                .select(
                    "environment",
                    texts("key.environment"),
                    places.map { place in
                        let name = place.name.description
                        return FormField.Option(value: name, title: name, isChosen: name == wanted)
                    },
                    hint: texts("key.environment_hint")
                )
            )
        }
        let owner = person.isVisitor ? "" : " --user \(person.user.name)"
        let query = kind == .query ? " --kind query --environment \(wanted.isEmpty ? "NAME" : wanted)" : ""
        let setting = Visit.Setting(
            title: sheet.heading,
            commandLine: "key create" + query + owner,
            serviceCall: ("POST", person.call + "/keys")
        )
        return try await visit.answer {
            () async throws(ServiceError) in
            try await make(visit, person, places)
        } show: { problem in
            var setting = setting
            if problem != nil { setting.status = .badRequest }
            return try await visit.page("sheet", sheet.saying(problem), setting)
        }
    }

    private static func make(
        _ visit: Visit,
        _ person: Person,
        _ places: [SnapshotDomain.Environment]
    ) async throws(ServiceError) -> Response {
        let form = visit.form
        var purpose = Accounts.KeyPurpose.rest
        if form["kind"] == Kind.query.rawValue {
            guard let place = places.first(where: { $0.name.description == form["environment"] }) else {
                throw ServiceError(
                    .invalidInput,
                    "Choose the environment in which the key acts.",
                    subject: .field("environment")
                )
            }
            purpose = .query(place.id)
        }
        let label: ResourceName? = if let text = form["label"] { try ResourceName(text, field: "label") } else { nil }
        let made = try await visit.accounts.createKey(for: purpose, of: person.user.id, label: label, visit.caller)
        let texts = visit.texts
        var secrets = [SecretPage.Secret(id: "key", label: texts("key.key"), value: made.key)]
        if let secret = made.secret {
            secrets.append(SecretPage.Secret(id: "secret", label: texts("key.secret"), value: secret))
        }
        return try await visit.secretPage(
            SecretPage(
                list: list(person, visit),
                heading: texts("key.made"),
                intro: texts(made.secret == nil ? "key.made_rest" : "key.made_query"),
                warning: texts("secret.once"),
                secrets: secrets,
                done: Link(texts("secret.done"), person.root)
            )
        )
    }

    private static func delete(_ visit: Visit, _ person: Person) async throws -> Response {
        let id: KeyID = try visit.id("key", of: "keys")
        let texts = visit.texts
        guard
            let key = try await visit.accounts.listKeys(of: person.user.id, visit.caller).first(where: { $0.id == id })
        else {
            throw ServiceError(.notFound, "There is no such key among those of this user.", subject: .key(id))
        }
        let row = KeyRow(key, root: person.root, visit)
        let sheet = Sheet(
            list: list(person, visit),
            name: row.name,
            heading: texts("key.delete"),
            intro: texts("key.delete_text"),
            facts: [
                Fact(texts("key.kind"), row.kind), Fact(texts("list.created"), row.created),
                row.lastUsed.map { Fact(texts("key.last_used"), $0) }
                    ?? Fact(texts("key.last_used"), texts("key.never_used")),
            ],
            address: visit.path,
            cancelAddress: person.root,
            isDanger: true
        )
        let setting = Visit.Setting(
            title: sheet.heading,
            commandLine: "key delete \(id)" + (person.isVisitor ? "" : " --user \(person.user.name)"),
            serviceCall: ("DELETE", person.call + "/keys/\(id)")
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            try await visit.accounts.deleteKey(id, of: person.user.id, visit.caller)
            return visit.redirect(to: person.root, saying: Notice(.keyDeleted, row.name))
        }
    }

    private static func list(_ person: Person, _ visit: Visit) -> Link {
        person.isVisitor ? Link(visit.texts("profile.title"), "/profile") : Link(person.user.name, person.root)
    }

    /// Where a key of the person can act.
    private static func environments(
        of person: Person,
        _ visit: Visit
    ) async throws(ServiceError) -> [SnapshotDomain.Environment] {
        guard person.user.isOperator else { return person.view.roles.map(\.environment) }
        return try await visit.cloud.listEnvironments(visit.caller)
    }
}

/// A key in a list.
struct KeyRow: PageValue {
    let id: String
    let name: String
    let kind: String
    let environment: String?
    /// The end of the key.
    let hint: String?
    let created: Moment
    let lastUsed: Moment?
    let menu: [MenuItem]

    /// - Parameters:
    ///   - view: The key.
    ///   - root: Where the pages of its user begin.
    ///   - visit: The request.
    init(_ view: KeyView, root: String, _ visit: Visit) {
        id = view.id.description
        kind = visit.texts("key.kind.\(view.kind.rawValue)")
        name = view.label.isEmpty ? kind : view.label
        environment = view.environment?.name.description
        hint = view.hint.isEmpty ? nil : "…" + view.hint
        created = Moment(view.createdAt, visit)
        lastUsed = view.lastUsedAt.map { Moment($0, visit) }
        menu = [
            MenuItem(
                title: visit.texts("key.delete"),
                address: "\(root)/keys/\(id)/delete",
                icon: "trash",
                isDanger: true
            )
        ]
    }
}

/// A page that shows what is never shown again.
struct SecretPage: PageValue {
    struct Secret: PageValue {
        let id: String
        let label: String
        let value: String
    }

    let list: Link
    let heading: String
    let intro: String
    let warning: String
    let secrets: [Secret]
    let done: Link
}

extension Visit {
    /// The answer to the form itself, and no page to come back to: a secret has no address.
    func secretPage(_ page: SecretPage) async throws(ServiceError) -> Response {
        do {
            return try await self.page("secret", page, Setting(title: page.heading))
        } catch {
            throw ServiceError(reporting: error)
        }
    }
}
