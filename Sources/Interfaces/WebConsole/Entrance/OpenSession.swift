import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotServices

/// Who visits.
struct OpenSession: Sendable {
    let principal: Principal
    let token: String
    /// What every form carries.
    let formToken: String
}

/// The cookie that a session lives in.
enum SessionCookie {
    static let name = "instanta_session"

    static func make(_ opened: Accounts.Opened, isSecure: Bool) -> Cookie {
        cookie(opened.token, maxAge: Int(Accounts.lifetime.components.seconds), isSecure: isSecure)
    }

    static func gone(isSecure: Bool) -> Cookie {
        cookie("", maxAge: 0, isSecure: isSecure)
    }

    static func token(in request: Request) -> String? {
        request.cookies[name]?.value
    }

    /// `lax`, so that a link from elsewhere, such as from a ticket, finds its reader signed in.
    private static func cookie(_ value: String, maxAge: Int, isSecure: Bool) -> Cookie {
        Cookie(name: name, value: value, maxAge: maxAge, path: "/", secure: isSecure, httpOnly: true, sameSite: .lax)
    }
}

/// The language that somebody chose.
enum LanguageCookie {
    private static let name = "instanta_language"

    static func make(_ language: Language, isSecure: Bool) -> Cookie {
        let year = 365 * 86_400
        return Cookie(
            name: name,
            value: language.rawValue,
            maxAge: year,
            path: "/",
            secure: isSecure,
            httpOnly: true,
            sameSite: .lax
        )
    }

    /// The chosen language, else the browser's.
    static func language(of request: Request) -> Language {
        request.cookies[name].flatMap { Language(rawValue: $0.value) }
            ?? .preferred(acceptLanguage: request.headers[.acceptLanguage])
    }
}
