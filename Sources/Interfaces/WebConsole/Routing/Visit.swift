import Foundation
import HTTPCommon
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotServices

/// One request of somebody who is signed in, with all that its handler needs.
struct Visit: Sendable {
    let console: Console
    let request: Request
    let context: IncomingContext
    let session: OpenSession
    let language: Language
    /// What a form sent; empty for a page that is only looked at.
    let form: Fields
    let query: Fields
    /// Who calls, for the service.
    let caller: CallContext

    init(
        console: Console,
        request: Request,
        context: IncomingContext,
        session: OpenSession,
        language: Language,
        form: Fields = .none
    ) {
        self.console = console
        self.request = request
        self.context = context
        self.session = session
        self.language = language
        self.form = form
        query = Fields(urlEncoded: request.uri.query ?? "")
        caller = CallContext(
            principal: session.principal,
            requestID: context.requestID,
            // A form that is sent twice, by a nervous finger or a reload, is one job.
            idempotencyKey: form["once"].map { "form-" + String($0.prefix(64)) }
        )
    }

    var cloud: any CloudService { console.cloud }
    var texts: Texts { Texts(language) }
    var formats: Formats { Formats(language) }

    /// Where the visitor is, without the query.
    var path: String { request.uri.path }

    /// A part of the path, by its name in the pattern.
    func part(_ name: String) -> String {
        context.parameters.get(name) ?? ""
    }

    func id<Subject>(_ name: String = "id", of kind: String) throws(ServiceError) -> Identifier<Subject> {
        let text = String(part(name).prefix(64))
        guard let id = Identifier<Subject>(text) else {
            throw ServiceError(
                .notFound,
                "There is nothing of that id among the \(kind).",
                subject: ServiceError.Subject(kind: kind, id: text)
            )
        }
        return id
    }

    /// The environment of the path, for a visitor who has a right there.
    ///
    /// The service checks whatever it is asked to do; this is for pages that would only lead to a refusal.
    func place(for permission: Permission = .read) async throws(ServiceError) -> Place {
        let environment = try await cloud.environment(part("environment"), caller)
        guard let role = session.principal.role(in: environment.id) else {
            throw ServiceError(.notFound, "There is no such environment among those that you can see.")
        }
        let place = Place(environment: environment, role: role)
        guard place.may(permission) else {
            throw ServiceError(
                .notAllowed,
                "This needs the role \(permission.leastRole.rawValue), and yours here is \(role.rawValue).",
                subject: .environment(environment.id)
            )
        }
        return place
    }
}

// MARK: Answers

extension Visit {
    /// What a page says beside its own fields.
    struct Setting {
        /// A key of the catalogue, or a text made from one.
        var title: String
        var place: Place?
        var tab: Tab?
        var isBusy = false
        var commandLine: String?
        /// Method and path below `/api/v2/services/<service>/<environment>`.
        var apiCall: (method: String, path: String)?
        /// Method and path below `/api/v2`, for what belongs to the service.
        var serviceCall: (method: String, path: String)?
        var status = HTTPResponse.Status.ok
    }

    /// Renders a page.
    func page(_ template: String, _ content: some PageValue, _ setting: Setting) async throws -> Response {
        let frame = try await frame(setting)
        var response = Pages.response(console.pages.render(template, content, frame, texts), status: setting.status)
        if frame.notice != nil { response.setCookie(NoticeCookie.gone(isSecure: console.configuration.isSecure)) }
        return response
    }

    /// Leads to another page of the console after a change, which may say what was done.
    func redirect(to address: String, saying notice: Notice? = nil) -> Response {
        var response = Response.redirect(to: address, type: .normal)
        response.status = .seeOther
        if let notice { response.setCookie(NoticeCookie.make(notice, isSecure: console.configuration.isSecure)) }
        return response
    }

    private func frame(_ setting: Setting) async throws -> Frame {
        var frame = Frame(
            title: setting.title,
            language: language,
            address: path,
            requestID: context.requestID
        )
        frame.userName = session.principal.user.name
        frame.formToken = session.formToken
        frame.isBusy = setting.isBusy
        frame.isAdministrator = session.principal.user.isOperator
        frame.commandLine = setting.commandLine.map { "instanta " + $0 }
        frame.apiCall = setting.serviceCall.map { "\($0.method) /api/v2\($0.path)" }
        frame.notice = NoticeCookie.notice(in: request).map { notice in
            Frame.Notice(
                text: texts("notice.\(notice.kind.rawValue)", ["name": notice.name]),
                address: notice.address,
                link: notice.address.map { _ in texts("notice.show") }
            )
        }
        guard let place = setting.place else { return frame }
        frame.environmentName = place.name
        frame.roleName = texts("role.\(place.role.rawValue)")
        frame.eventsAddress = place.address("events")
        frame.environments = try await cloud.listEnvironments(caller).map { environment in
            Frame.EnvironmentChoice(
                name: environment.name.description,
                address: "/environments/\(environment.name)/\((setting.tab ?? .dashboard).rawValue)",
                isCurrent: environment.id == place.id
            )
        }
        frame.tabs = Tab.allCases.filter { $0.isShown(to: place) }.map { tab in
            Frame.Tab(
                title: texts("tab.\(tab.rawValue)"),
                address: place.address(tab.rawValue),
                icon: tab.icon,
                isCurrent: tab == setting.tab
            )
        }
        if let call = setting.apiCall {
            let root = "/api/v2/services/\(console.configuration.serviceCode)/\(place.name)"
            frame.apiCall = "\(call.method) \(root)\(call.path)"
        }
        return frame
    }
}

extension Frame {
    /// What even the page for signing in has.
    init(title: String, language: Language, address: String, requestID: String) {
        self.init(
            title: title,
            language: language.rawValue,
            languages: Language.allCases.map {
                LanguageChoice(code: $0.rawValue, name: $0.ownName, isCurrent: $0 == language)
            },
            address: address,
            stylesheet: Asset.address("console.css"),
            script: Asset.address("console.js"),
            icons: Asset.address("icons.svg"),
            requestID: requestID
        )
    }
}
