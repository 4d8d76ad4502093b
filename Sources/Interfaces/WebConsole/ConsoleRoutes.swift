package import HTTPCommon
import HTTPTypes
package import Hummingbird
import Logging
import SnapshotDomain
package import SnapshotServices

/// The web console: pages that the server renders, in three languages.
package struct ConsoleRoutes: Sendable {
    let console: Console

    /// - Throws: When a template cannot be read.
    package init(cloud: any CloudService, accounts: Accounts, configuration: ConsoleConfiguration) throws {
        console = Console(cloud: cloud, accounts: accounts, configuration: configuration, pages: try Pages())
    }

    static let all: [ConsoleRoute] =
        HomePages.all + InstancePages.all + SnapshotPages.all + SnapshotTaking.all + VolumePages.all
        + TemplatePages.all + DashboardPages.all + ActivityPages.all + MemberPages.all + PersonPages.all
        + KeyPages.all + UserPages.all

    /// How failures outside of any page are written.
    package var errorFace: ErrorFace {
        ErrorFace(roots: ["/"]) { failure, request in
            FailurePage.response(failure, request, console)
        }
    }

    package func add(to router: Router<IncomingContext>) {
        EntrancePages(console: console).add(to: router)
        for asset in Asset.all { addAsset(asset, to: router) }
        router.get("/environments/:environment/events") { request, context in
            guard let visit = try await visit(request, context) else {
                throw ServiceError(.notAuthenticated, "Sign in first.")
            }
            return try await EventStream.response(visit)
        }
        for route in Self.all {
            router.on(RouterPath(route.pattern), method: route.method) { request, context in
                try await answer(route, request, context)
            }
        }
    }

    private func answer(_ route: ConsoleRoute, _ request: Request, _ context: IncomingContext) async throws -> Response
    {
        switch route.action {
        case .page(let handler):
            // The body is read before anything else: an answer that leaves it would break the connection.
            let form = route.method == .post ? try await FormBody.read(request) : .none
            return try await answer(route, request, context, form) { visit in try await handler(visit) }
        case .upload(let handler):
            var (form, rest) = try await FormBody.beginning(of: request)
            return try await answer(route, request, context, form) { visit in try await handler(visit, &rest) }
        }
    }

    private func answer(
        _ route: ConsoleRoute,
        _ request: Request,
        _ context: IncomingContext,
        _ form: Fields,
        _ handler: (Visit) async throws -> Response
    ) async throws -> Response {
        guard let visit = try await visit(request, context, form) else {
            let next = route.method == .get ? "?next=" + request.uri.string.urlEncoded : ""
            var response = Response.redirect(to: "/sign-in" + next)
            response.status = .seeOther
            return response
        }
        if route.method == .post, form.exact("token") != visit.session.formToken {
            throw ServiceError(.notAllowed, "The form is from another session; load the page again and send it again.")
        }
        do {
            return try await handler(visit)
        } catch let error as ServiceError {
            return try await FailurePage.response(error, visit)
        }
    }

    /// Nil for somebody who is not signed in.
    private func visit(_ request: Request, _ context: IncomingContext, _ form: Fields = .none) async throws -> Visit? {
        guard let token = SessionCookie.token(in: request),
            let principal = try await console.accounts.principal(token: token, address: context.address)
        else { return nil }
        let session = OpenSession(
            principal: principal,
            token: token,
            formToken: console.accounts.formToken(of: token)
        )
        return Visit(
            console: console,
            request: request,
            context: context,
            session: session,
            language: LanguageCookie.language(of: request),
            form: form
        )
    }

    private func addAsset(_ asset: Asset, to router: Router<IncomingContext>) {
        router.get(RouterPath(asset.address)) { _, _ in
            Response.data(
                asset.file.bytes,
                type: asset.type,
                headers: [.cacheControl: "public, max-age=31536000, immutable"]
            )
        }
    }
}
