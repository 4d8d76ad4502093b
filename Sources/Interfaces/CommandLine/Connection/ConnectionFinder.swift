import Foundation

/// Finds out which service a command shall talk to, and with which key.
///
/// In this order: `--credentials FILE`, `--profile NAME` (or `INSTANTA_PROFILE`), `INSTANTA_URL` with `INSTANTA_API_KEY`, the
/// credentials that `make run` leaves in `var/instanta/credentials.json` below the current folder. Address and key always come
/// from the same place, so that a key is never sent to a service that it does not belong to; only an explicit `--url`
/// changes the address alone. Service and environment can be overridden one by one.
struct ConnectionFinder {
    static let defaultURL = "http://127.0.0.1:8420"
    static let localCredentials = "var/instanta/credentials.json"

    var variables: [String: String]
    var directory: String
    var home: String
    /// The content of a file, or nil when there is none.
    ///
    /// Throws when it is there and cannot be read.
    var readFile: (_ path: String) throws -> Data?

    /// - Throws: ``CommandFailure`` that says how to get a key when there is none.
    func find(_ options: ConnectionChoice) throws -> ConnectionSettings {
        let source = try source(options)
        let address = options.url ?? source.url ?? Self.defaultURL
        guard let url = Self.parse(address) else {
            throw CommandFailure(
                .usage,
                "'\(address)' is not the address of a service.",
                remedy: "Write it like \(Self.defaultURL) or https://cloud.example.org."
            )
        }
        guard let secret = source.key else {
            throw CommandFailure(
                .notAllowed,
                "There is no API key for \(address).",
                remedy: "Put the mcApiKey of the service's credentials.json into INSTANTA_API_KEY, or name the file "
                    + "with --credentials. 'instanta serve' writes it into its data folder at the first start."
            )
        }
        guard let key = APIKey(secret) else {
            throw CommandFailure(.usage, "The API key of \(source.origin) has characters that no key has.")
        }
        return ConnectionSettings(
            url: url,
            key: key,
            service: options.service ?? variable("INSTANTA_SERVICE") ?? source.service,
            environment: options.environment ?? variable("INSTANTA_ENVIRONMENT") ?? source.environment
        )
    }

    /// Address and key from one place.
    private struct Source {
        var origin: String
        var url: String?
        var key: String?
        var service: String?
        var environment: String?
    }

    private func source(_ options: ConnectionChoice) throws -> Source {
        if let path = options.credentials {
            return try credentials(at: path, isRequired: true)
        }
        if let name = options.profile ?? variable("INSTANTA_PROFILE") {
            return try profile(name)
        }
        let url = variable("INSTANTA_URL")
        let key = variable("INSTANTA_API_KEY")
        guard url == nil, key == nil else {
            return Source(origin: "INSTANTA_API_KEY", url: url, key: key)
        }
        return try credentials(at: Self.localCredentials, isRequired: false)
    }

    /// An empty variable counts as unset.
    private func variable(_ name: String) -> String? {
        variables[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    private func credentials(at path: String, isRequired: Bool) throws -> Source {
        let path = absolute(path)
        guard let document = try document(at: path) else {
            guard isRequired else { return Source(origin: "the environment") }
            throw CommandFailure(.usage, "There is no file '\(path)'.", remedy: "Name the service's credentials.json.")
        }
        return Source(
            origin: "'\(path)'",
            url: document["url"].string,
            key: document["mcApiKey"].string,
            service: document["service"].string,
            environment: document["environment"].string
        )
    }

    /// A profile holds what credentials hold, or refers to such a file.
    private func profile(_ name: String) throws -> Source {
        let folder = variable("XDG_CONFIG_HOME") ?? "\(home)/.config"
        let path = "\(folder)/instanta/profiles.json"
        guard let document = try document(at: path) else {
            throw CommandFailure(
                .usage,
                "There is no profile '\(name)', because there is no file '\(path)'.",
                remedy:
                    #"Write {"\#(name)": {"url": "…", "mcApiKey": "…", "environment": "…"}} into it, with mode 0600."#
            )
        }
        guard case .object(let profiles) = document, let entry = profiles[name] else {
            throw CommandFailure(
                .usage,
                "There is no profile '\(name)' in '\(path)'.",
                remedy: NearMatches.hint(for: name, among: Self.names(in: document))
            )
        }
        var source =
            if let file = entry["credentials"].string {
                try credentials(at: file, isRequired: true)
            } else {
                Source(origin: "profile '\(name)'", key: entry["mcApiKey"].string)
            }
        source.url = entry["url"].string ?? source.url
        source.service = entry["service"].string ?? source.service
        source.environment = entry["environment"].string ?? source.environment
        return source
    }

    private static func names(in document: JSONValue) -> [String] {
        guard case .object(let profiles) = document else { return [] }
        return profiles.keys.sorted()
    }

    private func document(at path: String) throws -> JSONValue? {
        let data: Data?
        do {
            data = try readFile(path)
        } catch {
            throw CommandFailure(.failed, "'\(path)' cannot be read: \(error.localizedDescription)")
        }
        guard let data else { return nil }
        do {
            return try JSONDecoder().decode(JSONValue.self, from: data)
        } catch {
            throw CommandFailure(.failed, "'\(path)' is not JSON.", remedy: "Correct it, or remove it.")
        }
    }

    private func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        if path.hasPrefix("~/") { return home + path.dropFirst(1) }
        return "\(directory)/\(path)"
    }

    /// An address with scheme and host; nil for anything else.
    ///
    /// A path is kept, without a slash at its end.
    static func parse(_ text: String) -> URL? {
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            ["http", "https"].contains(scheme), let host = parts.host, !host.isEmpty,
            parts.query == nil, parts.fragment == nil, parts.user == nil
        else { return nil }
        var trimmed = parts
        while trimmed.path.hasSuffix("/") { trimmed.path.removeLast() }
        // Some clients are configured with the root of the API.
        for root in ["/api/v2", "/api/v1"] where trimmed.path.hasSuffix(root) {
            trimmed.path.removeLast(root.count)
        }
        return trimmed.url
    }
}

extension ConnectionFinder {
    init(_ surroundings: Surroundings) {
        self.init(
            variables: surroundings.variables,
            directory: surroundings.directory,
            home: surroundings.home,
            readFile: { path in
                guard FileManager.default.fileExists(atPath: path) else { return nil }
                return try Data(contentsOf: URL(fileURLWithPath: path))
            }
        )
    }
}
