import Foundation
package import HTTPCommon
import HTTPTypes
package import Hummingbird
import NIOCore
import SnapshotDomain
package import SnapshotServices

/// CloudStack's query API over a ``CloudService``.
///
///     let router = makeApplicationRouter(faces: [CloudStackRoutes.errorFace])
///     CloudStackRoutes(cloud: cloud, configuration: configuration).add(to: router)
package struct CloudStackRoutes: Sendable {
    package static let root = "/client/api"
    /// A form holds at most a machine's user data, and that at most a mebibyte.
    static let largestForm = 1 << 20

    /// How failures are written that no command saw.
    package static let errorFace = ErrorFace(roots: [root]) { failure, request in
        let command = SentParameters(query: request.uri.query ?? "")["command"]
        return Envelope.response(APIFailure(failure), to: command.flatMap { CommandTable.byName[$0]?.name })
    }

    private let service: QueryService

    package init(cloud: any CloudService, configuration: CloudStackConfiguration) {
        service = QueryService(cloud: cloud, configuration: configuration)
    }

    package func add(to router: Router<IncomingContext>) {
        let served: [HTTPRequest.Method] = [.get, .post]
        for method in served {
            router.on(RouterPath(Self.root), method: method) { [service] request, context in
                try await service.answer(
                    SentParameters(query: request.uri.query ?? "", form: try await Self.form(of: request)),
                    context,
                    idempotencyKey: request.headers[.idempotencyKey]
                )
            }
        }
        for method: HTTPRequest.Method in [.head, .put, .delete, .patch, .options] {
            router.on(RouterPath(Self.root), method: method) { _, _ -> Response in
                throw RequestRefusal.methodNotAllowed(allowed: served)
            }
        }
    }

    private static func form(of request: Request) async throws -> String {
        guard request.method == .post else { return "" }
        do {
            return String(buffer: try await request.body.collect(upTo: largestForm))
        } catch is NIOTooManyBytesError {
            throw RequestRefusal.bodyTooLarge(limit: Int64(largestForm))
        }
    }
}
