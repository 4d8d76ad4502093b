/// The service connection and the environment that a command acts in: asked of the service only when nobody says.
actor Place {
    private let client: APIClient
    private var found: (service: String, environment: String)?

    init(_ client: APIClient) {
        self.client = client
    }

    /// The first parts of the address of everything in the environment.
    var path: [String] {
        get async throws {
            let place = try await find()
            return ["services", place.service, place.environment]
        }
    }

    /// The environment's name.
    var environment: String {
        get async throws { try await find().environment }
    }

    /// Says what is wrong with the place when the service found nothing there; the same failure when nothing is.
    func explain(_ failure: CommandFailure) async -> CommandFailure {
        do {
            let name = try await find().environment
            let environments = try await client.list(.init(path: ["environments"]))
            _ = try NameResolution.pick(name, .environment, from: environments)
        } catch let better as CommandFailure where better.status == .notFound {
            return better
        } catch {}
        return failure
    }

    private func find() async throws -> (service: String, environment: String) {
        if let found { return found }
        let service = try await findService()
        let environment = try await findEnvironment()
        found = (service, environment)
        return (service, environment)
    }

    private func findService() async throws -> String {
        if let service = client.settings.service { return service }
        let connections = try await client.list(.init(path: ["services", "connections"]))
        let codes = connections.compactMap { $0["serviceCode"].string }
        guard let code = codes.first else {
            throw CommandFailure(.notFound, "The service has no connection that you may use.")
        }
        guard codes.count == 1 else {
            throw CommandFailure(
                .usage,
                "There are several service connections: \(codes.joined(separator: ", ")).",
                remedy: "Choose one with --service or INSTANTA_SERVICE."
            )
        }
        return code
    }

    private func findEnvironment() async throws -> String {
        // A name is an address already. An identity is not: addresses have names.
        if let reference = client.settings.environment, !UUIDText.isValid(reference) { return reference }
        let environments = try await client.list(.init(path: ["environments"]))
        if let reference = client.settings.environment {
            return try NameResolution.pick(reference, .environment, from: environments)["name"].string ?? reference
        }
        let names = environments.compactMap { $0["name"].string }
        guard let name = names.first else {
            throw CommandFailure(
                .notFound,
                "There is no environment that you may use.",
                remedy: "Create one with 'instanta environment create NAME'."
            )
        }
        guard names.count == 1 else {
            throw CommandFailure(
                .usage,
                "There are several environments: \(names.joined(separator: ", ")).",
                remedy: "Choose one with --environment or INSTANTA_ENVIRONMENT."
            )
        }
        return name
    }
}
