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
        }

        let service: String
        let environments: [Entry]
        let hasNone: Bool
    }

    static let all: [ConsoleRoute] = [
        .get("/") { visit in try await home(visit) },
        .get(ConsoleRoute.within("")) { visit in visit.redirect(to: try await visit.place().address("dashboard")) },
    ]

    private static func home(_ visit: Visit) async throws -> Response {
        let environments = try await visit.cloud.listEnvironments(visit.caller)
        let page = HomePage(
            service: visit.console.configuration.serviceName,
            environments: environments.map { environment in
                let role = visit.session.principal.role(in: environment.id) ?? .viewer
                return HomePage.Entry(
                    name: environment.name.description,
                    description: environment.description,
                    role: visit.texts("role.\(role.rawValue)"),
                    address: "/environments/\(environment.name)/dashboard"
                )
            },
            hasNone: environments.isEmpty
        )
        return try await visit.page("home", page, Visit.Setting(title: visit.texts("home.title")))
    }
}
