/// Names in a sentence.
enum Listing {
    /// Such as `web01`, `web01 and web02`, `web01, web02 and 3 more`.
    static func of(_ names: [String]) -> String {
        let names = names.map(PlainText.oneLine)
        switch names.count {
        case 0: return "nothing"
        case 1: return names[0]
        case 2...3: return "\(names.dropLast().joined(separator: ", ")) and \(names[names.count - 1])"
        default: return "\(names.prefix(2).joined(separator: ", ")) and \(names.count - 2) more"
        }
    }
}

extension Call {
    /// Deletes resources.
    ///
    /// Deletions write ids with `--quiet` and for programs; people are told in a sentence. `body` makes what goes along with
    /// each request.
    func deleteEach(
        _ references: [String],
        _ kind: ResourceKind,
        waits: Bool,
        body: @escaping (Target) async throws -> JSONValue? = { _ in nil }
    ) async throws {
        try await changeEach(
            references,
            kind,
            label: { "Deleting \($0)" },
            waits: waits
        ) { target in
            try await client.change(.delete, endpoint(kind, target.id), body(target))
        } finish: { deleted in
            try presentDeleted(deleted.map(\.target), kind)
        }
    }

    private func presentDeleted(_ targets: [Target], _ kind: ResourceKind) throws {
        let values = targets.map { JSONValue.object(["id": .text($0.id), "name": .text($0.label)]) }
        try write(.list(values)) {
            note("Deleted \(kind.noun) \(Listing.of(targets.map(\.label))).")
            return ""
        }
    }

    /// The service connection that new environments belong to.
    func connection() async throws -> JSONValue {
        let connections = try await client.list(.init(path: ["services", "connections"]))
        let code = client.settings.service
        let matches = connections.filter { code == nil || $0["serviceCode"].string == code }
        guard let connection = matches.first, matches.count == 1 else {
            let codes = connections.compactMap { $0["serviceCode"].string }
            throw CommandFailure(
                codes.isEmpty || code != nil ? .notFound : .usage,
                code.map { "There is no service connection '\($0)'." }
                    ?? "It is not clear which service connection is meant.",
                remedy: codes.isEmpty ? nil : "Choose one of \(codes.joined(separator: ", ")) with --service."
            )
        }
        return connection
    }
}
