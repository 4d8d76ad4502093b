import CatalogSQLite
import Foundation
import HTTPTypes
import SnapshotDomain
import SnapshotPorts
import SnapshotServices
import TestKit
import Testing

@testable import HTTPCommon
@testable import WebConsole

@Suite("Console: members, people and keys")
struct PeoplePageTests {
    private static let eva: UserID = Sample.id(8)

    struct Shown: Sendable, CustomTestStringConvertible {
        let path: String
        /// Words that the page must show, in Spanish, English and French.
        let words: [String]

        var testDescription: String { path }
    }

    @Test(
        "every page says everything in every language",
        arguments: [
            Shown(path: "\(place)/members", words: ["Añadir miembro", "Add member", "Ajouter un membre"]),
            Shown(path: "\(place)/members/new", words: ["Lo ve todo", "Sees everything", "Voit tout"]),
            Shown(path: "\(place)/members/\(eva)/role", words: ["Cambiar el rol", "Change role", "Changer le rôle"]),
            Shown(path: "\(place)/members/\(eva)/remove", words: ["ya no podrá", "no longer", "n’aura plus"]),
            Shown(path: "/", words: ["Crear entorno", "Create environment", "Créer un environnement"]),
            Shown(path: "/new-environment", words: ["Letras minúsculas", "Lower-case", "Lettres minuscules"]),
            Shown(path: "/profile", words: ["Cambiar la contraseña", "Change password", "Changer le mot de passe"]),
            Shown(path: "/profile/password", words: ["12 caracteres", "12 characters", "12 caractères"]),
            Shown(path: "/profile/keys/new", words: ["una sola vez", "once only", "qu’une fois"]),
            Shown(path: "/users", words: ["Operador del servicio", "Operator of the service", "Opérateur du service"]),
            Shown(path: "/users/new", words: ["contraseña generada", "generated password", "mot de passe généré"]),
            Shown(path: "/users/\(eva)", words: ["Crear clave", "Create key", "Créer une clé"]),
            Shown(path: "/users/\(eva)/keys/new", words: ["Etiqueta", "Label", "Étiquette"]),
            Shown(path: "/users/\(eva)/password", words: ["entrar de nuevo", "sign in again", "se reconnecter"]),
            Shown(path: "/users/\(eva)/disable", words: ["no podrá entrar", "cannot sign in", "ne pourra plus"]),
            Shown(path: "/users/\(eva)/enable", words: ["podrá entrar", "can sign in", "pourra de nouveau"]),
            Shown(path: "/users/\(eva)/promote", words: ["será propietario", "will own", "sera propriétaire"]),
            Shown(path: "/users/\(eva)/demote", words: ["conserva solo", "keeps only", "ne garde que"]),
            Shown(path: "/users/\(eva)/delete", words: ["pierde sus roles", "loses their roles", "perd ses rôles"]),
        ]
    )
    func languages(_ shown: Shown) async throws {
        try await Self.withPeople { people in
            for (language, word) in zip(Language.allCases, shown.words) {
                let page = try await people.owner.get(shown.path, in: language)
                #expect(page.status == 200)
                #expect(page.text.contains(word), "\(language) lacks '\(word)'")
                #expect(
                    !page.text.contains("⟦"),
                    "a text is missing: \(page.text.split(separator: "⟦").last?.prefix(40) ?? "")"
                )
            }
        }
    }

    @Test("a member is added by name, changed and removed")
    func members() async throws {
        try await Self.withPeople { people in
            let list = "\(Self.place)/members"
            let added = try await people.owner.post("\(list)/new", "name=ola&role=viewer")
            #expect(added.location == list)
            #expect(added.notice?.contains("ola") == true)
            let changed = try await people.owner.post("\(list)/\(Self.eva)/role", "role=owner")
            #expect(changed.location == list)
            _ = try await people.owner.post("\(list)/\(Self.eva)/remove", "")
            let text = try await people.owner.get(list).text
            #expect(text.contains("ola"))
            #expect(!text.contains(">eva<"))
        }
    }

    @Test("what cannot be is said at its field, and the form stays filled")
    func wrongMembers() async throws {
        try await Self.withPeople { people in
            let form = "\(Self.place)/members/new"
            let unknown = try await people.owner.post(form, "name=nobody&role=editor")
            #expect(unknown.status == 400)
            #expect(unknown.text.contains("There is no user of that name. Check it"))
            #expect(unknown.text.contains(#"value="nobody""#))
            #expect(unknown.text.contains(#"value="editor" checked"#))
            for fields in ["name=ola&role=king", "name=ola", "name=..%2F&role=viewer", ""] {
                #expect(try await people.owner.post(form, fields).status == 400)
            }
            for id in ["nobody", "..%2f", "\(Sample.id(77) as UserID)"] {
                #expect(try await people.owner.post("\(Self.place)/members/\(id)/remove", "").status == 404)
            }
        }
    }

    @Test("a key is shown once, on the page that answers the form, and never again")
    func keys() async throws {
        try await Self.withPeople { people in
            let made = try await people.owner.post(
                "/profile/keys/new",
                "label=nightly&kind=query&environment=production"
            )
            #expect(made.status == 200)
            let secrets = made.text.matches(of: /<code id="secret-[a-z]+">([^<]+)<\/code>/).map { String($0.output.1) }
            #expect(secrets.count == 2)
            for path in ["/profile", "\(Self.place)/members", "\(Self.place)/activity"] {
                let text = try await people.owner.get(path).text
                for secret in secrets { #expect(!text.contains(secret)) }
            }
            let profile = try await people.owner.get("/profile").text
            #expect(profile.contains("nightly"))
            #expect(try await people.owner.get("\(Self.place)/members").text.contains("nightly"))
            let deletion = try #require(profile.firstMatch(of: /"(\/profile\/keys\/[^"]+\/delete)"/)?.output.1)
            let deleted = try await people.owner.post(String(deletion), "")
            #expect(deleted.notice?.contains("nightly") == true)
            #expect(try await people.owner.get("/profile").text.contains("nightly") == false)
            let foreign = try await people.owner.post("/profile/keys/new", "kind=query&environment=elsewhere")
            #expect(foreign.status == 400)
        }
    }

    @Test("a new user gets a password that is shown once, and works")
    func users() async throws {
        try await Self.withPeople { people in
            let made = try await people.owner.post("/users/new", "name=ida")
            let password = try #require(made.text.firstMatch(of: /<code id="secret-password">([^<]+)</)?.output.1)
            _ = try await people.accounts.signIn(name: "ida", password: String(password), address: nil)
            let taken = try await people.owner.post("/users/new", "name=ida&operator=on")
            #expect(taken.status == 400)
            #expect(taken.text.contains("There is a user of that name already"))
            #expect(taken.text.contains(#"value="on" checked"#))
            #expect(try await people.owner.post("/users/new", "name=Ida+B").status == 400)
            let disabled = try await people.owner.post("/users/\(Self.eva)/disable", "")
            #expect(disabled.notice?.hasPrefix("userDisabled") == true)
            #expect(try await people.owner.get("/users").text.contains("Disabled"))
            let last = try await people.owner.post("/users/\(Sample.principal.user.id)/demote", "")
            #expect(last.status == 400)
            #expect(last.text.contains("This is the last operator who can sign in"))
        }
    }

    @Test("one's own password is changed by who knows it, and the browser gets a new session")
    func password() async throws {
        try await Self.withPeople { people in
            let fields = "password=a+new+long+one&again=a+new+long+one"
            let wrong = try await people.owner.post("/profile/password", "current=wrong&\(fields)")
            #expect(wrong.status == 400)
            #expect(wrong.text.contains("That is not the present password"))
            #expect(!wrong.text.contains("a new long one"))
            for bad in ["password=short&again=short", "password=a+new+long+one&again=another"] {
                #expect(
                    try await people.owner.post("/profile/password", "current=the+first+password&\(bad)").status == 400
                )
            }
            let changed = try await people.owner.post("/profile/password", "current=the+first+password&\(fields)")
            #expect(changed.location == "/profile")
            #expect(changed.headers[values: .setCookie].contains { $0.hasPrefix("instanta_session=") })
        }
    }

    @Test("those who do not own the environment or the service see none of it")
    func refusals() async throws {
        try await Self.withPeople { people in
            let pages = [
                "\(Self.place)/members", "\(Self.place)/members/new", "\(Self.place)/members/\(Self.eva)/role",
                "\(Self.place)/members/\(Self.eva)/remove", "/users", "/users/new", "/users/\(Self.eva)",
                "/users/\(Self.eva)/password", "/users/\(Self.eva)/delete", "/users/\(Self.eva)/keys/new",
                "/new-environment", "\(Self.place)/delete",
            ]
            for page in pages { #expect(try await people.editor.get(page).status == 403, "\(page)") }
            for page in pages.filter({ $0 != "/users" && $0 != "\(Self.place)/members" && $0 != "/users/\(Self.eva)" })
            {
                #expect(try await people.editor.post(page, "name=ola&role=owner").status == 403, "\(page)")
            }
            let home = try await people.editor.get("/").text
            #expect(!home.contains("/users"))
            #expect(!home.contains("/delete"))
            #expect(try await people.editor.get("/profile").status == 200)
        }
    }

    private static let place = "/environments/production"

    struct People {
        let accounts: Accounts
        /// `ada`, who owns the environment and is the one operator.
        let owner: TestConsole
        /// The same person's name with fewer rights, as the sessions of these tests have it.
        let editor: TestConsole
    }

    static func withPeople(_ body: (People) async throws -> Void) async throws {
        let folder = URL(filePath: NSTemporaryDirectory()).appending(path: "people-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let catalog = try await SQLiteCatalog.open(at: folder.appending(path: "catalog.sqlite").path)
        let ada = Sample.principal.user
        let eva = User(id: Self.eva, name: "eva", isOperator: false, createdAt: Sample.instant)
        let ola = User(id: Sample.id(7), name: "ola", isOperator: false, createdAt: Sample.instant)
        try await catalog.write { writer in
            for environment in Sample.environments { try writer.insert(environment) }
            for user in [ada, eva, ola] { try writer.insert(user, passwordVerifier: "the first password") }
            try writer.setRole(.owner, of: ada.id, in: Sample.production.id)
            try writer.setRole(.editor, of: eva.id, in: Sample.production.id)
        }
        let accounts = Accounts.over(catalog)
        let cloud = MembersCloud(catalog: catalog)
        do {
            try await body(
                People(
                    accounts: accounts,
                    owner: try TestConsole(cloud, accounts: accounts, root: ""),
                    editor: try TestConsole(cloud, as: .editor, accounts: accounts, root: "")
                )
            )
        } catch {
            try? await catalog.close()
            throw error
        }
        try await catalog.close()
    }
}

/// Environments with the members of a catalog.
private struct MembersCloud: StubCloud {
    let catalog: SQLiteCatalog
    let environments = Sample.environments

    func principal(restKey: String, address: String?) async throws(ServiceError) -> Principal? { nil }

    func members(of environment: EnvironmentID, _ call: CallContext)
        async throws(ServiceError) -> [(user: User, role: Role)]
    {
        do {
            return try await catalog.read { try $0.members(of: environment) }
        } catch {
            throw ServiceError(reporting: error)
        }
    }

    func listActivity(_ filter: ActivityFilter, page: PageRequest, _ call: CallContext)
        async throws(ServiceError) -> CatalogPage<ActivityEntry>
    {
        do {
            return try await catalog.read { try $0.listActivity(filter, page: page) }
        } catch {
            throw ServiceError(reporting: error)
        }
    }
}
