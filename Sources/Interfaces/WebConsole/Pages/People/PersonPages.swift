import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotServices

/// The page about a person: one's own profile, and what an operator sees of others.
enum PersonPages {
    static let all: [ConsoleRoute] = [
        .get("/profile") { visit in try await show(visit, try await visit.visitor()) },
        .get("/profile/password") { visit in try await changePassword(visit) },
        .post("/profile/password") { visit in try await changePassword(visit) },
        .get("/users/:id") { visit in try await show(visit, try await visit.person("id")) },
    ]

    struct PersonPage: PageValue {
        struct Membership: PageValue {
            let environment: Link
            let role: String
            let rights: String
        }

        let trail: Link
        let heading: String
        let facts: [Fact]
        let memberships: [Membership]
        let hasNone: Bool
        let keys: [KeyRow]
        let hasKeys: Bool
        let newKey: Link
        let password: Link
    }

    private static func show(_ visit: Visit, _ person: Person) async throws -> Response {
        let texts = visit.texts
        let keys = try await visit.accounts.listKeys(of: person.user.id, visit.caller)
        var facts = [
            Fact(texts("user.in_service"), texts(person.user.isOperator ? "user.operator" : "user.plain")),
            Fact(texts("list.created"), Moment(person.user.createdAt, visit)),
        ]
        if person.user.isDisabled { facts.append(Fact(texts("list.state"), texts("user.state.disabled"))) }
        let page = PersonPage(
            trail: person.isVisitor ? Link(texts("home.title"), "/") : Link(texts("user.title"), "/users"),
            heading: person.user.name,
            facts: facts,
            memberships: person.view.roles.map { environment, role in
                PersonPage.Membership(
                    environment: Link(environment.name, "/environments/\(environment.name)"),
                    role: texts("role.\(role.rawValue)"),
                    rights: texts("role.\(role.rawValue)_text")
                )
            },
            hasNone: person.view.roles.isEmpty,
            keys: keys.map { KeyRow($0, root: person.root, visit) },
            hasKeys: !keys.isEmpty,
            newKey: Link(texts("key.new"), person.root + "/keys/new"),
            password: Link(texts(person.isVisitor ? "profile.password" : "user.password"), person.root + "/password")
        )
        let title = person.isVisitor ? texts("profile.title") : person.user.name
        let setting = Visit.Setting(
            title: title,
            commandLine: person.isVisitor ? "user show" : "user show \(person.user.name)",
            serviceCall: ("GET", person.call)
        )
        return try await visit.page("person", page, setting)
    }

    /// One's own, with the present one; every other session ends.
    private static func changePassword(_ visit: Visit) async throws -> Response {
        let texts = visit.texts
        var sheet = Sheet(
            list: Link(texts("profile.title"), "/profile"),
            heading: texts("profile.password"),
            intro: texts("profile.password_text"),
            address: visit.path,
            cancelAddress: "/profile"
        )
        sheet.fields = [
            .password("current", texts("profile.password_present"), isNew: false),
            .password(
                "password",
                texts("profile.password_new"),
                hint: texts("profile.password_hint", ["count": visit.formats.number(NewPassword.shortest)])
            ),
            .password("again", texts("profile.password_again")),
        ]
        let meanings: [ServiceError.Code: String] = [
            .notAllowed: texts("profile.password_wrong"), .limitExceeded: texts("profile.password_slow"),
        ]
        return try await visit.sheet(sheet, Visit.Setting(title: sheet.heading), explaining: meanings) {
            () async throws(ServiceError) in
            let (form, new) = (visit.form, visit.form.exact("password") ?? "")
            guard new == form.exact("again") else {
                throw ServiceError(
                    .invalidInput,
                    "The two new passwords are not the same; type the new one twice.",
                    subject: .field("again")
                )
            }
            let opened = try await visit.accounts.changePassword(
                form.exact("current") ?? "",
                to: try NewPassword(new),
                visit.caller
            )
            var response = visit.redirect(
                to: "/profile",
                saying: Notice(.passwordChanged, visit.session.principal.user.name)
            )
            response.setCookie(SessionCookie.make(opened, isSecure: visit.console.configuration.isSecure))
            return response
        }
    }
}
