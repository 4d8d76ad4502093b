import Foundation

/// One run of a command against the service: where it asks, and where it answers.
struct Call: Sendable {
    let surroundings: Surroundings
    let client: APIClient
    let format: OutputFormat
    let isQuiet: Bool
    private let place: Place

    init(
        _ surroundings: Surroundings,
        _ settings: ConnectionSettings,
        format: OutputFormat = .table,
        isQuiet: Bool = false
    ) {
        self.surroundings = surroundings
        client = APIClient(settings: settings)
        self.format = format
        self.isQuiet = isQuiet
        place = Place(client)
    }

    // MARK: Addresses

    /// The address of a list in the environment, or of something below it.
    func endpoint(
        _ kind: ResourceKind,
        _ rest: String...,
        query: [String: String?] = [:]
    ) async throws -> APIClient.Endpoint {
        let root = kind.isInEnvironment ? try await environmentPath() : []
        return APIClient.Endpoint(path: root + [kind.path] + rest, query: query.compactMapValues { $0 })
    }

    /// The first parts of the address of everything in the environment.
    func environmentPath() async throws -> [String] {
        try await place.path
    }

    /// The name of the environment that the command acts in.
    func environmentName() async throws -> String {
        try await place.environment
    }

    /// The address of an operation on a resource.
    func operation(_ name: String, on kind: ResourceKind, _ id: String) async throws -> APIClient.Endpoint {
        try await endpoint(kind, id, query: ["operation": name])
    }

    // MARK: Reading

    func list(_ kind: ResourceKind, query: [String: String?] = [:]) async throws -> [JSONValue] {
        let endpoint = try await endpoint(kind, query: query)
        do {
            return try await client.list(endpoint)
        } catch let failure as CommandFailure where failure.status == .notFound && kind.isInEnvironment {
            // A list is missing only when its environment or service is.
            throw await place.explain(failure)
        }
    }

    /// Enough of a list to guess what a person meant.
    private func firstPage(_ kind: ResourceKind) async throws -> [JSONValue] {
        var endpoint = try await endpoint(kind)
        endpoint.query["page_size"] = String(APIClient.pageSize)
        return try await client.get(endpoint).elements
    }

    func get(_ kind: ResourceKind, _ id: String) async throws -> JSONValue {
        try await client.get(endpoint(kind, id))
    }

    // MARK: Names

    /// A resource that was named on the command line.
    struct Target: Sendable, Hashable {
        var id: String
        /// As the person called it.
        var label: String
    }

    /// The identity of a resource by name or id.
    ///
    /// An id is taken as it is: the service knows whether it exists.
    func target(_ reference: String, _ kind: ResourceKind) async throws -> Target {
        if UUIDText.isValid(reference) { return Target(id: reference.lowercased(), label: reference) }
        return Target(id: try await Self.id(of: find(reference, kind), kind), label: reference)
    }

    /// A resource by name or id.
    ///
    /// - Throws: ``CommandFailure`` with status `notFound` and names that look alike, or all that have this name.
    func find(_ reference: String, _ kind: ResourceKind) async throws -> JSONValue {
        if UUIDText.isValid(reference), kind != .environment {
            return try await get(kind, reference.lowercased())
        }
        // Most lists can be searched; then a list of a hundred thousand need not come over the wire.
        let found = try await list(kind, query: ["search": reference])
        let isFound = found.contains { $0["name"].string == reference || $0["id"].string == reference }
        return try NameResolution.pick(reference, kind, from: isFound ? found : await firstPage(kind))
    }

    private static func id(of resource: JSONValue, _ kind: ResourceKind) throws -> String {
        guard let id = resource["id"].string else {
            throw CommandFailure(.failed, "The service sent a \(kind.noun) without an id.")
        }
        return id
    }

    // MARK: Questions

    /// Asks before something is lost.
    ///
    /// - Throws: ``CommandFailure`` when the answer is no, or when there is nobody to ask.
    func confirm(_ question: String, isConfirmed: Bool) async throws {
        guard !isConfirmed else { return }
        guard surroundings.terminal.isInput, surroundings.terminal.isError else {
            throw CommandFailure(.usage, "Nobody is there to confirm it.", remedy: "Say --yes if you are sure.")
        }
        surroundings.tell("\(question) [y/N] ")
        let readLine = surroundings.readLine
        let answer = try await OwnThread.run { readLine() }
        let yes = ["y", "yes", "s", "sí", "si", "o", "oui"]
        guard let answer, yes.contains(answer.trimmingCharacters(in: .whitespaces).lowercased()) else {
            throw CommandFailure(.failed, "Nothing was done.")
        }
    }
}
