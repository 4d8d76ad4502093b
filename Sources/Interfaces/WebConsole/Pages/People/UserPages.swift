import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotServices

/// Everybody who can sign in, for operators.
enum UserPages {
    static let all: [ConsoleRoute] =
        [
            .get("/users") { visit in try await list(visit) },
            .get("/users/new") { visit in try await create(visit) },
            .post("/users/new") { visit in try await create(visit) },
            .get("/users/:id/password") { visit in try await resetPassword(visit) },
            .post("/users/:id/password") { visit in try await resetPassword(visit) },
        ]
        + Change.allCases.flatMap { change -> [ConsoleRoute] in
            [
                .get("/users/:id/\(change.rawValue)") { visit in try await apply(change, visit) },
                .post("/users/:id/\(change.rawValue)") { visit in try await apply(change, visit) },
            ]
        }

    /// What an operator does to somebody, after being asked; the raw value is its address and the key of its texts.
    enum Change: String, CaseIterable {
        case disable, enable, promote, demote, delete

        fileprivate var icon: String {
            switch self {
            case .disable: "stop"
            case .enable: "play"
            case .promote: "up"
            case .demote: "down"
            case .delete: "trash"
            }
        }

        fileprivate var notice: Notice.Kind {
            switch self {
            case .disable: .userDisabled
            case .enable: .userEnabled
            case .promote: .userPromoted
            case .demote: .userDemoted
            case .delete: .userDeleted
            }
        }

        fileprivate var isDanger: Bool { self == .delete || self == .disable }
    }

    struct UsersPage: PageValue {
        let heading: String
        let rows: [UserRow]
        let add: Link
    }

    struct UserRow: PageValue {
        let id: String
        let name: String
        let address: String
        let service: String
        let state: Badge
        let environments: [Link]
        let hasNoEnvironment: Bool
        let created: Moment
        let menu: [MenuItem]

        init(_ view: UserView, _ visit: Visit) {
            let (user, texts) = (view.user, visit.texts)
            id = user.id.description
            name = user.name
            address = "/users/\(id)"
            service = texts(user.isOperator ? "user.operator" : "user.plain")
            state = Badge(
                texts(user.isDisabled ? "user.state.disabled" : "user.state.active"),
                user.isDisabled ? .off : .good,
                .idle,
                visit
            )
            environments = view.roles.map { environment, role in
                let word = texts("role.\(role.rawValue)")
                return Link("\(environment.name) (\(word))", "/environments/\(environment.name)/dashboard")
            }
            hasNoEnvironment = view.roles.isEmpty
            created = Moment(user.createdAt, visit)
            let changes: [Change] = [
                user.isOperator ? .demote : .promote, user.isDisabled ? .enable : .disable, .delete,
            ]
            let root = address
            menu =
                [
                    MenuItem(title: texts("user.password"), address: root + "/password", icon: "key"),
                    MenuItem(title: texts("user.keys"), address: root, icon: "key", isDialog: false),
                ]
                + changes.map { change in
                    MenuItem(
                        title: texts("user.\(change.rawValue)"),
                        address: "\(root)/\(change.rawValue)",
                        icon: change.icon,
                        isDanger: change.isDanger
                    )
                }
        }
    }

    private static func list(_ visit: Visit) async throws -> Response {
        let users = try await visit.accounts.listUsers(visit.caller)
        let texts = visit.texts
        let page = UsersPage(
            heading: texts("user.title"),
            rows: users.map { UserRow($0, visit) },
            add: Link(texts("user.add"), "/users/new")
        )
        return try await visit.page(
            "users",
            page,
            Visit.Setting(title: page.heading, commandLine: "user list", serviceCall: ("GET", "/users"))
        )
    }

    private static func create(_ visit: Visit) async throws -> Response {
        try visit.requireOperator()
        let texts = visit.texts
        var sheet = sheet(visit, "user.add")
        sheet.intro = texts("user.add_text")
        sheet.fields = [
            .text("name", texts("user.name"), visit.value("name"), hint: texts("user.name_hint")),
            .check("operator", texts("user.operator"), isOn: visit.isOn("operator"), hint: texts("user.operator_hint")),
        ]
        let meanings: [ServiceError.Code: String] = [.nameTaken: texts("user.name_taken")]
        let setting = Visit.Setting(
            title: sheet.heading,
            commandLine: "user create NAME",
            serviceCall: ("POST", "/users")
        )
        return try await visit.sheet(sheet, setting, explaining: meanings) {
            () async throws(ServiceError) in
            let made = try await visit.accounts.createUser(
                try UserName(visit.form["name"] ?? ""),
                isOperator: visit.form.isOn("operator"),
                visit.caller
            )
            return try await secret(made.password, of: made.user.name, heading: texts("user.made"), visit)
        }
    }

    private static func resetPassword(_ visit: Visit) async throws -> Response {
        try visit.requireOperator()
        let person = try await visit.person("id")
        let texts = visit.texts
        var sheet = sheet(visit, "user.password")
        sheet.name = person.user.name
        sheet.intro = texts("user.password_text", ["name": person.user.name])
        let setting = Visit.Setting(
            title: sheet.heading,
            commandLine: "user set-password \(person.user.name)",
            serviceCall: ("POST", person.call + "?operation=setPassword")
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            let password = try await visit.accounts.setPassword(of: person.user.id, visit.caller)
            return try await secret(password, of: person.user.name, heading: texts("user.password_made"), visit)
        }
    }

    private static func apply(_ change: Change, _ visit: Visit) async throws -> Response {
        try visit.requireOperator()
        let person = try await visit.person("id")
        let (texts, user) = (visit.texts, person.user)
        var sheet = sheet(visit, "user.\(change.rawValue)")
        sheet.name = user.name
        sheet.intro = texts("user.\(change.rawValue)_text", ["name": user.name])
        sheet.isDanger = change.isDanger
        let meanings: [ServiceError.Code: String] = [.inUse: texts("user.last_operator")]
        let setting = Visit.Setting(
            title: sheet.heading,
            commandLine: "user \(change.rawValue) \(user.name)",
            serviceCall: change == .delete
                ? ("DELETE", person.call) : ("POST", person.call + "?operation=\(change.rawValue)")
        )
        return try await visit.sheet(sheet, setting, explaining: meanings) {
            () async throws(ServiceError) in
            let (accounts, call) = (visit.accounts, visit.caller)
            switch change {
            case .disable: _ = try await accounts.setDisabled(true, user.id, call)
            case .enable: _ = try await accounts.setDisabled(false, user.id, call)
            case .promote: _ = try await accounts.setOperator(true, user.id, call)
            case .demote: _ = try await accounts.setOperator(false, user.id, call)
            case .delete: try await accounts.deleteUser(user.id, call)
            }
            // Who gave up the own rights cannot see the list any more.
            let isOwn = user.id == visit.session.principal.user.id && (change.isDanger || change == .demote)
            return visit.redirect(to: isOwn ? "/" : "/users", saying: Notice(change.notice, user.name))
        }
    }

    private static func secret(
        _ password: String,
        of name: String,
        heading: String,
        _ visit: Visit
    ) async throws(ServiceError) -> Response {
        let texts = visit.texts
        return try await visit.secretPage(
            SecretPage(
                list: Link(texts("user.title"), "/users"),
                heading: heading,
                intro: texts("user.made_text", ["name": name]),
                warning: texts("secret.once"),
                secrets: [
                    SecretPage.Secret(id: "user", label: texts("signin.user"), value: name),
                    SecretPage.Secret(id: "password", label: texts("signin.password"), value: password),
                ],
                done: Link(texts("secret.done"), "/users")
            )
        )
    }

    private static func sheet(_ visit: Visit, _ heading: String) -> Sheet {
        Sheet(
            list: Link(visit.texts("user.title"), "/users"),
            heading: visit.texts(heading),
            address: visit.path,
            cancelAddress: "/users"
        )
    }
}
