package import Hummingbird
package import Logging
import NIOCore
package import SnapshotDomain

/// What is known about a request before anybody looked at its credentials.
package struct IncomingContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// What the answer's `X-Request-Id` and every log line of the request say.
    package var requestID: String
    /// Where the request came from, as text without a port.
    package var address: String?
    /// Set by the authentication of a face; faces hand it on as ``AuthenticatedContext``.
    package var principal: Principal?

    package init(source: ApplicationRequestContextSource) {
        self.init(logger: source.logger, address: source.channel.remoteAddress?.ipAddress)
    }

    /// A context without a connection, for a router that is called directly.
    package init(logger: Logger, address: String? = nil) {
        coreContext = CoreRequestContextStorage(source: LoggerSource(logger: logger))
        requestID = RequestID().description
        self.address = address
    }

    private struct LoggerSource: RequestContextSource {
        let logger: Logger
    }
}

/// What is known about a request whose caller is known.
package struct AuthenticatedContext: ChildRequestContext {
    package var coreContext: CoreRequestContextStorage
    package let requestID: String
    package let principal: Principal

    package init(context: IncomingContext) throws {
        guard let principal = context.principal else {
            throw ServiceError(.notAuthenticated, "This call needs credentials.")
        }
        coreContext = context.coreContext
        requestID = context.requestID
        self.principal = principal
    }
}
