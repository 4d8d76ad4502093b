import HTTPCommon
import HTTPTypes
import Hummingbird
import SnapshotDomain

/// The page in place of one that cannot be shown.
struct FailurePage: PageValue {
    let heading: String
    let problem: Problem
    let requestID: String

    /// With the frame of somebody who is signed in.
    static func response(_ error: ServiceError, _ visit: Visit) async throws -> Response {
        let page = FailurePage(
            heading: visit.texts("failure.title"),
            problem: Problem(error, visit.texts),
            requestID: visit.context.requestID
        )
        // Where the environment itself is the problem, the page is outside of it.
        let place: Place? = visit.part("environment").isEmpty ? nil : try? await visit.place()
        return try await visit.page(
            "failure",
            page,
            Visit.Setting(title: page.heading, place: place, status: error.code.httpStatus)
        )
    }

    /// For whoever it may be.
    static func response(_ failure: RequestFailure, _ request: Request, _ console: Console) -> Response {
        let language = LanguageCookie.language(of: request)
        let texts = Texts(language)
        let problem =
            switch failure.reason {
            case .service(let error): Problem(error, texts)
            case .refusal(.noSuchEndpoint): Problem(texts("error.no_such_page"))
            case .refusal: Problem(failure.message)
            }
        let page = FailurePage(
            heading: texts("failure.title"),
            problem: problem,
            requestID: failure.requestID
        )
        let frame = Frame(
            title: page.heading,
            language: language,
            address: "/",
            requestID: failure.requestID
        )
        return Pages.response(console.pages.render("failure", page, frame, texts), status: failure.status)
    }
}
