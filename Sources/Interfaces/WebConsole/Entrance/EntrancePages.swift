import Foundation
import HTTPCommon
import HTTPTypes
import Hummingbird
import SnapshotServices

/// Signing in, signing out and the choice of a language: what works without a session.
struct EntrancePages: Sendable {
    struct SignInPage: PageValue {
        var userName: String
        /// Where to go afterwards.
        var next: String
        var problem: Problem?
    }

    let console: Console

    private var isSecure: Bool { console.configuration.isSecure }

    func add(to router: Router<IncomingContext>) {
        router.get("/sign-in") { request, context in
            let next = Fields(urlEncoded: request.uri.query ?? "")["next"].flatMap(LocalAddress.init)?.text ?? "/"
            return signInPage(SignInPage(userName: "", next: next), request, context)
        }
        router.post("/sign-in") { request, context in try await signIn(request, context) }
        router.post("/sign-out") { request, context in try await signOut(request, context) }
        router.post("/language") { request, context in try await chooseLanguage(request, context) }
    }

    private func signIn(_ request: Request, _ context: IncomingContext) async throws -> Response {
        let form = try await FormBody.read(request)
        let next = form["next"].flatMap(LocalAddress.init)?.text ?? "/"
        let (name, password) = (form["user"] ?? "", form.exact("password") ?? "")
        let texts = Texts(LanguageCookie.language(of: request))
        var page = SignInPage(userName: name, next: next)
        do {
            let opened = try await console.accounts.signIn(name: name, password: password, address: context.address)
            var response = Response.redirect(to: next)
            response.status = .seeOther
            response.setCookie(SessionCookie.make(opened, isSecure: isSecure))
            return response
        } catch {
            switch error {
            case .unknown:
                page.problem = Problem(texts("signin.wrong"))
                return signInPage(page, request, context, status: .forbidden)
            case .tooManyAttempts(let wait):
                let seconds = max(1, Int((wait / .seconds(1)).rounded(.up)))
                page.problem = Problem(texts.count("signin.wait", seconds))
                var response = signInPage(page, request, context, status: .tooManyRequests)
                response.headers[.retryAfter] = "\(seconds)"
                return response
            case .failed(let error):
                throw error
            }
        }
    }

    private func signOut(_ request: Request, _ context: IncomingContext) async throws -> Response {
        _ = try await FormBody.read(request)
        if let token = SessionCookie.token(in: request) { try await console.accounts.signOut(token: token) }
        var response = Response.redirect(to: "/sign-in")
        response.status = .seeOther
        response.setCookie(SessionCookie.gone(isSecure: isSecure))
        return response
    }

    private func chooseLanguage(_ request: Request, _ context: IncomingContext) async throws -> Response {
        let form = try await FormBody.read(request)
        var response = Response.redirect(to: form["next"].flatMap(LocalAddress.init)?.text ?? "/")
        response.status = .seeOther
        if let language = form["language"].flatMap(Language.init) {
            response.setCookie(LanguageCookie.make(language, isSecure: isSecure))
        }
        return response
    }

    private func signInPage(
        _ page: SignInPage,
        _ request: Request,
        _ context: IncomingContext,
        status: HTTPResponse.Status = .ok
    ) -> Response {
        let language = LanguageCookie.language(of: request)
        let texts = Texts(language)
        let frame = Frame(
            title: texts("signin.title"),
            language: language,
            address: request.uri.path,
            requestID: context.requestID
        )
        return Pages.response(console.pages.render("sign-in", page, frame, texts), status: status)
    }
}
