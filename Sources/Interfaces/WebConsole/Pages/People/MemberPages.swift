import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotServices

/// The tab *Members and keys*: who may do what in the environment, and the visitor's own keys that act in it.
enum MemberPages {
    static let all: [ConsoleRoute] = [
        .get(ConsoleRoute.within("/members")) { visit in try await list(visit) },
        .get(ConsoleRoute.within("/members/new")) { visit in try await add(visit) },
        .post(ConsoleRoute.within("/members/new")) { visit in try await add(visit) },
        .get(ConsoleRoute.within("/members/:id/role")) { visit in try await changeRole(visit) },
        .post(ConsoleRoute.within("/members/:id/role")) { visit in try await changeRole(visit) },
        .get(ConsoleRoute.within("/members/:id/remove")) { visit in try await remove(visit) },
        .post(ConsoleRoute.within("/members/:id/remove")) { visit in try await remove(visit) },
    ]

    struct MembersPage: PageValue {
        let heading: String
        let members: [MemberRow]
        let add: Link
        let empty: EmptyState?
        let keys: [KeyRow]
        let hasKeys: Bool
        let newKey: Link
    }

    /// Somebody with a role.
    struct MemberRow: PageValue {
        let id: String
        let name: String
        let role: String
        let rights: String
        let isVisitor: Bool
        let isDisabled: Bool
        let menu: [MenuItem]
    }

    private static func list(_ visit: Visit) async throws -> Response {
        let place = try await visit.place(for: .administer)
        let texts = visit.texts
        let members = try await visit.cloud.members(of: place.id, visit.caller)
        let own = visit.session.principal.user.id
        let keys = try await visit.accounts.listKeys(of: own, visit.caller)
            .filter { $0.environment?.id == place.id }
        let add = Link(texts("member.add"), place.address("members", "new"))
        let page = MembersPage(
            heading: texts("tab.members"),
            members: members.map { member in
                let root = place.address("members", member.user.id.description)
                return MemberRow(
                    id: member.user.id.description,
                    name: member.user.name,
                    role: texts("role.\(member.role.rawValue)"),
                    rights: texts("role.\(member.role.rawValue)_text"),
                    isVisitor: member.user.id == own,
                    isDisabled: member.user.isDisabled,
                    menu: [
                        MenuItem(title: texts("member.change_role"), address: root + "/role", icon: "pen"),
                        MenuItem(
                            title: texts("member.remove"),
                            address: root + "/remove",
                            icon: "trash",
                            isDanger: true
                        ),
                    ]
                )
            },
            add: add,
            empty: members.isEmpty
                ? EmptyState(
                    icon: "members",
                    title: texts("member.none"),
                    text: texts("member.none_text"),
                    action: add
                ) : nil,
            keys: keys.map { KeyRow($0, root: "/profile", visit) },
            hasKeys: !keys.isEmpty,
            newKey: Link(texts("key.new_pair"), "/profile/keys/new?environment=\(place.name)")
        )
        return try await visit.page(
            "members",
            page,
            Visit.Setting(
                title: page.heading,
                place: place,
                tab: .members,
                commandLine: "member list",
                serviceCall: ("GET", "/environments/\(place.id)/members")
            )
        )
    }

    private static func add(_ visit: Visit) async throws -> Response {
        let place = try await visit.place(for: .administer)
        let texts = visit.texts
        var sheet = sheet(visit, place, "member.add")
        sheet.fields = [
            .text("name", texts("member.user"), visit.value("name"), hint: texts("member.user_hint")),
            roles(visit, present: .viewer),
        ]
        let setting = Visit.Setting(
            title: sheet.heading,
            place: place,
            tab: .members,
            commandLine: "member set NAME --role viewer",
            serviceCall: ("POST", "/environments/\(place.id)/members")
        )
        let meanings: [ServiceError.Code: String] = [.notFound: texts("member.unknown")]
        return try await visit.sheet(sheet, setting, explaining: meanings) { () async throws(ServiceError) in
            let name = visit.form["name"] ?? ""
            let user = try await visit.accounts.addMember(
                name,
                as: try role(visit.form),
                in: place.id,
                visit.caller
            )
            return visit.redirect(to: place.address("members"), saying: Notice(.memberAdded, user.name))
        }
    }

    private static func changeRole(_ visit: Visit) async throws -> Response {
        let place = try await visit.place(for: .administer)
        let (user, present) = try await member(visit, place)
        var sheet = sheet(visit, place, "member.change_role")
        sheet.name = user.name
        sheet.fields = [roles(visit, present: present)]
        let setting = Visit.Setting(
            title: sheet.heading,
            place: place,
            tab: .members,
            commandLine: "member set \(user.name) --role \(present.rawValue)",
            serviceCall: ("PUT", "/environments/\(place.id)/members/\(user.id)")
        )
        let meanings: [ServiceError.Code: String] = [.inUse: visit.texts("member.last_owner")]
        return try await visit.sheet(sheet, setting, explaining: meanings) { () async throws(ServiceError) in
            _ = try await visit.accounts.setRole(try role(visit.form), of: user.id, in: place.id, visit.caller)
            return visit.redirect(to: afterChange(of: user, visit, place), saying: Notice(.memberChanged, user.name))
        }
    }

    private static func remove(_ visit: Visit) async throws -> Response {
        let place = try await visit.place(for: .administer)
        let (user, _) = try await member(visit, place)
        let texts = visit.texts
        var sheet = sheet(visit, place, "member.remove")
        sheet.name = user.name
        sheet.intro = texts("member.remove_text", ["name": user.name, "environment": place.name])
        sheet.isDanger = true
        let setting = Visit.Setting(
            title: sheet.heading,
            place: place,
            tab: .members,
            commandLine: "member remove \(user.name)",
            serviceCall: ("DELETE", "/environments/\(place.id)/members/\(user.id)")
        )
        let meanings: [ServiceError.Code: String] = [.inUse: texts("member.last_owner")]
        return try await visit.sheet(sheet, setting, explaining: meanings) { () async throws(ServiceError) in
            try await visit.accounts.removeMember(user.id, from: place.id, visit.caller)
            return visit.redirect(to: afterChange(of: user, visit, place), saying: Notice(.memberRemoved, user.name))
        }
    }

    /// Who has just given up the own role may not see the list any more.
    private static func afterChange(of user: User, _ visit: Visit, _ place: Place) -> String {
        let visitor = visit.session.principal.user
        return user.id == visitor.id && !visitor.isOperator ? "/" : place.address("members")
    }

    private static func member(_ visit: Visit, _ place: Place) async throws(ServiceError) -> (user: User, role: Role) {
        let id: UserID = try visit.id(of: "users")
        guard let member = try await visit.cloud.members(of: place.id, visit.caller).first(where: { $0.user.id == id })
        else {
            throw ServiceError(.notFound, "There is no such member of this environment.", subject: .user(id))
        }
        return member
    }

    private static func sheet(_ visit: Visit, _ place: Place, _ heading: String) -> Sheet {
        let list = place.address("members")
        return Sheet(
            list: Link(visit.texts("tab.members"), list),
            heading: visit.texts(heading),
            address: visit.path,
            cancelAddress: list
        )
    }

    private static func roles(_ visit: Visit, present: Role) -> FormField {
        let chosen = visit.value("role", present.rawValue)
        return .cards(
            "role",
            visit.texts("member.role"),
            Role.allCases.map { role in
                FormField.Option(
                    value: role.rawValue,
                    title: visit.texts("role.\(role.rawValue)"),
                    detail: visit.texts("role.\(role.rawValue)_text"),
                    isChosen: role.rawValue == chosen
                )
            }
        )
    }

    private static func role(_ form: Fields) throws(ServiceError) -> Role {
        guard let role = form["role"].flatMap(Role.init) else {
            throw ServiceError(
                .invalidInput,
                "Choose a role: viewer, editor or owner.",
                subject: .field("role")
            )
        }
        return role
    }
}
