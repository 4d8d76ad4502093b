import SnapshotDomain
import SnapshotPorts
import SnapshotServices

enum TagCommands {
    static let all: [Command] = [list, create, delete]

    private static let types = ResourceReference.Kind.allCases.map(TagWords.word)

    private static let list = Command.list(
        "listTags",
        "Lists tags.",
        [
            Parameter("resourceid", .text, "What they hang on."),
            Parameter("resourcetype", .text, "The kind of that: \(types.joined(separator: ", "))."),
            Parameter("key", .text, "The exact key."), Parameter("value", .text, "The exact value."),
        ],
        of: Shapes.tag
    ) { call in
        let arguments = call.arguments
        let kind = arguments.text("resourcetype").map(TagWords.kind)
        let id = arguments.text("resourceid").map { Identifier<ResourceReference>($0) }
        if case .some(.none) = kind { return .fields([:]) }
        if case .some(.none) = id { return .fields([:]) }
        var tags: [ResourceTag] = []
        for environment in call.environments {
            var page = PageRequest.all
            while true {
                let filter = TagFilter(
                    environment: environment.id,
                    kind: kind ?? nil,
                    id: id ?? nil,
                    key: arguments.text("key"),
                    value: arguments.text("value")
                )
                let found = try await call.cloud.listTags(filter, page: page, call.caller)
                tags += found.rows
                page.offset += found.rows.count
                guard page.offset < found.total, !found.rows.isEmpty else { break }
            }
        }
        return try call.answer(tags, Shapes.tag)
    }

    private static let resources = [
        Parameter("resourceids", .list, "What they hang on, separated by commas.").required,
        Parameter("resourcetype", .text, "The kind of that: \(types.joined(separator: ", ")).").required,
    ]

    private static let create = Command(
        name: "createTags",
        summary: "Hangs tags on resources: all of them, or none.",
        kind: .asynchronous,
        access: .may(.read),
        parameters: resources + [Parameter("tags", .map, "tags[0].key=…&tags[0].value=….").required],
        result: .success,
        handler: { call in
            var line: ActivityEntry.ID = 0
            for (environment, resources) in try await named(call) {
                var tags: [ResourceTag] = []
                for resource in resources {
                    for pair in call.arguments.pairs("tags") {
                        tags.append(
                            try ResourceTag(on: resource, in: environment, key: pair.key, value: pair.value ?? "")
                        )
                    }
                }
                line = try await call.cloud.addTags(tags, in: environment, call.caller)
            }
            return .job(Receipt(line: line).job)
        }
    )

    private static let delete = Command(
        name: "deleteTags",
        summary: "Takes tags from resources.",
        kind: .asynchronous,
        access: .may(.read),
        parameters: resources + [Parameter("tags", .map, "Those to take, with or without a value; all when left out.")],
        result: .success,
        handler: { call in
            let wanted = call.arguments.pairs("tags").map { TagCondition(key: $0.key, value: $0.value) }
            var line: ActivityEntry.ID = 0
            for (environment, resources) in try await named(call) {
                line = try await call.cloud.removeTags(
                    wanted.isEmpty ? nil : wanted,
                    of: resources,
                    in: environment,
                    call.caller
                )
            }
            return .job(Receipt(line: line).job)
        }
    )

    /// The resources of a command, by the environments that they are in.
    private static func named(_ call: Call) async throws -> [EnvironmentID: [ResourceReference]] {
        let word = call.arguments.text("resourcetype") ?? ""
        guard let kind = TagWords.kind(word) else {
            throw call.refuse("resourcetype '\(word)' has no tags here; it is one of \(types.joined(separator: ", ")).")
        }
        var found: [EnvironmentID: [ResourceReference]] = [:]
        for text in call.arguments.list("resourceids") {
            let id = Identifier<ResourceReference>(text)
            // Some clients tag the snapshots of machines as snapshots.
            let kinds = kind == .snapshot ? [kind, .snapshotGroup] : [kind]
            var place: (EnvironmentID, ResourceReference)?
            for kind in kinds {
                guard place == nil, let id else { break }
                let resource = ResourceReference(kind, id)
                place = try await call.cloud.environment(holding: resource, call.caller).map { ($0, resource) }
            }
            guard let place else { throw PlaceFinder.unknown(text, "resourceids", call.command) }
            found[place.0, default: []].append(place.1)
        }
        return found
    }
}
