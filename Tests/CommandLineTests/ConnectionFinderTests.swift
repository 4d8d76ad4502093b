import Foundation
import Testing

@testable import CommandLine

@Suite("finding the service")
struct ConnectionFinderTests {
    private static let local =
        #"{"url": "http://127.0.0.1:9000", "mcApiKey": "local-key", "service": "s", "environment": "e"}"#

    private func find(
        _ choice: ConnectionChoice = ConnectionChoice(),
        variables: [String: String] = [:],
        files: [String: String] = [:]
    ) throws -> ConnectionSettings {
        let finder = ConnectionFinder(variables: variables, directory: "/here", home: "/home-of-a") { path in
            files[path].map { Data($0.utf8) }
        }
        return try finder.find(choice)
    }

    @Test("variables name the service, and its place")
    func variables() throws {
        let settings = try find(variables: [
            "INSTANTA_URL": "https://cloud.example.org/", "INSTANTA_API_KEY": "abc", "INSTANTA_SERVICE": "s",
            "INSTANTA_ENVIRONMENT": "e",
        ])
        #expect(settings.url.absoluteString == "https://cloud.example.org")
        #expect(settings.key.value == "abc")
        #expect(settings.service == "s")
        #expect(settings.environment == "e")
    }

    @Test("without anything, the credentials of the service beside are used")
    func localCredentials() throws {
        let settings = try find(files: ["/here/var/instanta/credentials.json": Self.local])
        #expect(settings.url.absoluteString == "http://127.0.0.1:9000")
        #expect(settings.key.value == "local-key")
        #expect(settings.environment == "e")
    }

    @Test("a key is never sent to a service that it was not made for")
    func keysStayHome() {
        #expect {
            try find(
                variables: ["INSTANTA_URL": "https://elsewhere.example"],
                files: ["/here/var/instanta/credentials.json": Self.local]
            )
        } throws: { error in
            (error as? CommandFailure)?.status == .notAllowed
        }
    }

    @Test("options come before variables, and profiles before the address in variables")
    func order() throws {
        let profiles =
            #"{"work": {"url": "https://work.example", "mcApiKey": "w", "environment": "prod"}, "home": {"credentials": "~/c.json", "service": "t"}}"#
        let files = ["/home-of-a/.config/instanta/profiles.json": profiles, "/home-of-a/c.json": Self.local]
        let variables = ["INSTANTA_URL": "https://a.example", "INSTANTA_API_KEY": "a", "INSTANTA_ENVIRONMENT": "lab"]
        let work = try find(ConnectionChoice(profile: "work", service: "x"), variables: variables, files: files)
        #expect(work.url.absoluteString == "https://work.example")
        #expect(work.key.value == "w")
        #expect(work.environment == "lab")
        #expect(work.service == "x")
        let home = try find(variables: ["INSTANTA_PROFILE": "home"], files: files)
        #expect(home.key.value == "local-key")
        #expect(home.service == "t")
        let explicit = try find(
            ConnectionChoice(url: "http://b.example", credentials: "c.json"),
            files: ["/here/c.json": Self.local]
        )
        #expect(explicit.url.absoluteString == "http://b.example")
        #expect(explicit.key.value == "local-key")
    }

    @Test("an unknown profile or file is a usage error, with a hint")
    func unknown() {
        let files = ["/home-of-a/.config/instanta/profiles.json": #"{"production": {}}"#]
        #expect {
            try find(ConnectionChoice(profile: "producton"), files: files)
        } throws: { error in
            let failure = error as? CommandFailure
            return failure?.status == .usage && failure?.remedy?.contains("'production'") == true
        }
        #expect(throws: CommandFailure.self) { try find(ConnectionChoice(credentials: "gone.json")) }
        #expect(throws: CommandFailure.self) { try find(ConnectionChoice(profile: "any")) }
    }

    @Test("without a key the message says where there is one")
    func noKey() {
        #expect {
            try find()
        } throws: { error in
            (error as? CommandFailure)?.report.contains("credentials.json") == true
        }
    }

    @Test(
        "what is no address is refused",
        arguments: ["", "localhost:8420", "ftp://a.example", "http://", "https://%75@a.example", "https://a.example?x"]
    )
    func addresses(_ text: String) {
        #expect(ConnectionFinder.parse(text) == nil)
    }

    @Test(
        "the API's root may be part of the address",
        arguments: ["https://a.example/c/api/v2", "https://a.example/c/api/v1/", "https://a.example/c/"]
    )
    func roots(_ text: String) {
        #expect(ConnectionFinder.parse(text)?.absoluteString == "https://a.example/c")
    }

    @Test("a key prints itself nowhere, and cannot become a header of its own")
    func keys() throws {
        let key = try #require(APIKey("se-cret\n"))
        #expect(key.value == "se-cret")
        #expect("\(key) \(String(reflecting: key)) \([key])".contains("cret)"))
        #expect(!"\(key) \(String(reflecting: key)) \([key])".contains("se-cret"))
        #expect(APIKey("a\r\nX-Evil: 1") == nil)
        #expect(APIKey("") == nil)
    }

    @Test("the connection of a line that is not finished is read for completions")
    func completions() {
        let choice = NameCompletion.connection(in: [
            "instanta", "instance", "show", "--url=http://a.example", "-e", "lab", "--service",
        ])
        #expect(choice == ConnectionChoice(url: "http://a.example", environment: "lab", service: nil))
    }
}
