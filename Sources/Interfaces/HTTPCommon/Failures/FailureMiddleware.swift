import Hummingbird
import Logging
import NIOHTTP1
import SnapshotDomain

/// Turns whatever was thrown into an answer, in the format of the face that the path belongs to.
///
/// An error that nobody expected is logged here, at level error: Hummingbird itself would log it at debug. The caller
/// gets only the request's identity, with which an operator finds it.
struct FailureMiddleware: RouterMiddleware {
    typealias Context = IncomingContext

    let faces: [ErrorFace]

    func handle(
        _ request: Request,
        context: IncomingContext,
        next: (Request, IncomingContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPParserError {
            // The connection itself is broken; the server closes it, and there is nobody to answer.
            context.logger.debug(
                "request was cut off",
                metadata: ["http.route": "\(context.endpointPath ?? "none")", "error": "\(error)"]
            )
            throw error
        } catch {
            let failure = RequestFailure(reason(for: error, context), requestID: context.requestID)
            var response = face(of: request.uri.path).render(failure, request)
            response.headers.append(contentsOf: failure.headers)
            return response
        }
    }

    private func reason(for error: any Error, _ context: IncomingContext) -> RequestFailure.Reason {
        if let reason = RequestFailure.Reason(error) { return reason }
        if error is CancellationError {
            return .service(ServiceError(.cancelled, "The request was cut off."))
        }
        context.logger.error(
            "request failed unexpectedly",
            metadata: ["http.route": "\(context.endpointPath ?? "none")", "error": "\(String(reflecting: error))"]
        )
        return .service(
            ServiceError(
                .internalError,
                "Something unexpected happened. The service's log has the details under request \(context.requestID)."
            )
        )
    }

    func face(of path: String) -> ErrorFace {
        faces
            .compactMap { face in face.match(path).map { (face, $0) } }
            .max { $0.1 < $1.1 }?
            .0 ?? .plain
    }
}
