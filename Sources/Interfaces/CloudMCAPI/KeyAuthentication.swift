import HTTPCommon
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotServices

/// Finds the caller by `MC-Api-Key`.
///
/// Says the same about a missing and a wrong key.
struct KeyAuthentication: RouterMiddleware {
    typealias Context = IncomingContext

    static let header = HTTPField.Name.known("MC-Api-Key")

    let cloud: any CloudService

    func handle(
        _ request: Request,
        context: IncomingContext,
        next: (Request, IncomingContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        if let key = request.headers[Self.header], !key.isEmpty {
            context.principal = try await cloud.principal(restKey: key, address: context.address)
        }
        guard context.principal != nil else {
            throw ServiceError(.notAuthenticated, "Send a valid key in the header MC-Api-Key.")
        }
        return try await next(request, context)
    }
}
