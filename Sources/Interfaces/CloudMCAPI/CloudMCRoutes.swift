package import HTTPCommon
import HTTPTypes
package import Hummingbird
import SnapshotDomain
package import SnapshotServices

/// CloudMC's REST API over a ``CloudService``, under each of its roots.
///
///     let router = makeApplicationRouter(faces: [CloudMCRoutes.errorFace])
///     CloudMCRoutes(cloud: cloud, accounts: accounts, configuration: CloudMCConfiguration()).add(to: router)
package struct CloudMCRoutes: Sendable {
    /// Older clients are configured with the shorter ones; all three lead to the same handlers.
    package static let roots = ["/api/v2", "/api/v1", "/v1"]

    /// How failures below the roots are written, also those of paths that no call has.
    package static let errorFace = ErrorFace(roots: roots) { failure, _ in ErrorsPayload.response(failure) }

    private let cloud: any CloudService
    private let accounts: Accounts
    private let configuration: CloudMCConfiguration

    package init(cloud: any CloudService, accounts: Accounts, configuration: CloudMCConfiguration) {
        self.cloud = cloud
        self.accounts = accounts
        self.configuration = configuration
    }

    static let table = EndpointTable(
        EnvironmentEndpoints.all + MemberEndpoints.all + UserEndpoints.all + KeyEndpoints.all + ConnectionEndpoints.all
            + OrganizationEndpoints.all + InstanceEndpoints.all
            + VolumeEndpoints.all + SnapshotEndpoints.all + TemplateEndpoints.all + OfferingEndpoints.all
            + TaskEndpoints.all + ActivityEndpoints.all + StatusEndpoints.all + PoolEndpoints.all
    )

    package func add(to router: Router<IncomingContext>) {
        for root in Self.roots {
            addRefusals(to: router, below: root)
            let group = router.group(RouterPath(root))
                .add(middleware: KeyAuthentication(cloud: cloud))
                .group("", context: AuthenticatedContext.self)
            for slot in Self.table.slots {
                group.on(RouterPath(slot.pattern), method: slot.method) {
                    [cloud, accounts, configuration] request, context in
                    let call = Call(
                        cloud: cloud,
                        accounts: accounts,
                        configuration: configuration,
                        request: request,
                        context: context
                    )
                    return try await slot.handler(for: call.query["operation"])(call)
                }
            }
        }
    }

    /// Answers 405 where the path exists and the method does not: the router itself would say 404.
    private func addRefusals(to router: Router<IncomingContext>, below root: String) {
        let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .delete, .patch, .options]
        for row in Self.table.methods {
            for method in methods where !row.allowed.contains(method) {
                router.on(RouterPath(root + row.pattern), method: method) { _, _ -> Response in
                    throw RequestRefusal.methodNotAllowed(allowed: row.allowed)
                }
            }
        }
    }
}
