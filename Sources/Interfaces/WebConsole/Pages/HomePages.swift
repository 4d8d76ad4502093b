import Foundation
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotServices

/// The first page: the service connections and their environments.
enum HomePages {
    struct HomePage: PageValue {
        struct Entry: PageValue {
            let name: String
            let description: String
            let role: String
            let address: String
            /// Nothing for those who do not administer it.
            let menu: [MenuItem]
            let hasMenu: Bool
        }

        let service: String
        let environments: [Entry]
        let hasNone: Bool
        /// For operators.
        let add: Link?
    }

    static let all: [ConsoleRoute] =
        EnvironmentChanges.all + [
            .get("/") { visit in try await home(visit) },
            .get(ConsoleRoute.within("")) { visit in visit.redirect(to: try await visit.place().address("dashboard")) },
        ]

    private static func home(_ visit: Visit) async throws -> Response {
        let environments = try await visit.cloud.listEnvironments(visit.caller)
        let page = HomePage(
            service: visit.console.configuration.serviceName,
            environments: environments.map { environment in
                let place = Place(
                    environment: environment,
                    role: visit.session.principal.role(in: environment.id) ?? .viewer
                )
                let menu = menu(place, visit)
                return HomePage.Entry(
                    name: environment.name.description,
                    description: environment.description,
                    role: visit.texts("role.\(place.role.rawValue)"),
                    address: place.address("dashboard"),
                    menu: menu,
                    hasMenu: !menu.isEmpty
                )
            },
            hasNone: environments.isEmpty,
            add: visit.isOperator ? Link(visit.texts("environment.add"), "/new-environment") : nil
        )
        return try await visit.page(
            "home",
            page,
            Visit.Setting(
                title: visit.texts("home.title"),
                commandLine: "environment list",
                serviceCall: ("GET", "/environments")
            )
        )
    }

    private static func menu(_ place: Place, _ visit: Visit) -> [MenuItem] {
        guard place.may(.administer) else { return [] }
        return [
            MenuItem(title: visit.texts("environment.edit"), address: place.address("edit"), icon: "pen"),
            MenuItem(
                title: visit.texts("tab.members"),
                address: place.address("members"),
                icon: "members",
                isDialog: false
            ),
            MenuItem(
                title: visit.texts("environment.delete"),
                address: place.address("delete"),
                icon: "trash",
                isDanger: true
            ),
        ]
    }
}
