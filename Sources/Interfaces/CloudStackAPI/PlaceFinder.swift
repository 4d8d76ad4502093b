import Foundation
import SnapshotDomain
import SnapshotServices

/// Finds out where a command acts, and that what its parameters name exists.
///
/// The environment is, in this order, the one that `projectid` names, that of the thing which the command is about, or that of
/// the caller's key.
struct PlaceFinder {
    let cloud: any CloudService
    let command: Command
    let arguments: Arguments
    let caller: CallContext
    let home: EnvironmentID?

    func place() async throws -> Call.Place {
        var placed: EnvironmentID?
        for (parameter, entity, value) in arguments.named {
            let environment = try await environment(of: value, entity, parameter)
            if parameter.decidesPlace { placed = placed ?? environment }
        }
        if command.parameter("projectid") != nil, let reference = arguments.text("projectid") {
            return try await named(reference)
        }
        if let placed { return .environment(try await cloud.environment(placed.description, caller), isProject: false) }
        guard let home else { return try await withoutHome() }
        return .environment(try await cloud.environment(home.description, caller), isProject: false)
    }

    private func named(_ reference: String) async throws -> Call.Place {
        if reference == "-1" { return .everywhere(try await cloud.listEnvironments(caller)) }
        do {
            return .environment(try await cloud.environment(reference, caller), isProject: true)
        } catch {
            guard error.code == .notFound else { throw error }
            throw Self.unknown(reference, "projectid", command)
        }
    }

    /// The environment that bears the user's name, or else the first that they may see.
    private func withoutHome() async throws -> Call.Place {
        let seen = try await cloud.listEnvironments(caller)
        let own = seen.first { $0.name.description == caller.principal.user.name.lowercased() }
        let first = seen.min { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
        return (own ?? first).map { .environment($0, isProject: false) } ?? .nowhere
    }

    /// Where a thing is, or was before it was deleted; nil for one that is in no environment.
    ///
    /// - Throws: ``APIFailure`` for one that never was there.
    private func environment(of value: String, _ entity: Entity, _ parameter: Parameter) async throws -> EnvironmentID?
    {
        guard let kind = entity.kind else {
            guard try await isKnown(value, entity) else { throw Self.unknown(value, parameter.name, command) }
            return nil
        }
        guard let id = Identifier<ResourceReference>(value),
            let environment = try await cloud.environment(holding: ResourceReference(kind, id), caller)
        else { throw Self.unknown(value, parameter.name, command) }
        return environment
    }

    /// Whether there is, or was, what belongs to no environment.
    private func isKnown(_ value: String, _ entity: Entity) async throws(ServiceError) -> Bool {
        let id = value.lowercased()
        return switch entity {
        // A job is looked for by its command.
        case .job: true
        case .zone: id == WellKnown.zone
        case .osType: Choices.osTypes.contains { $0.id == id }
        case .computeOffering: try await cloud.listComputeOfferings(caller).contains { $0.wireID == id }
        case .diskOffering: try await cloud.listDiskOfferings(caller).contains { $0.wireID == id }
        case .volume, .snapshot, .template, .instance, .instanceSnapshot: false
        }
    }

    /// The exact words by which a client knows that a thing does not exist.
    static func unknown(_ value: String, _ parameter: String, _ command: Command) -> APIFailure {
        .invalid(
            "Unable to execute API command \(command.name.lowercased()) due to invalid value. Invalid parameter "
                + "\(parameter) value=\(value) due to incorrect long value format, or entity does not exist or due to "
                + "incorrect parameter annotation for the field in api cmd class."
        )
    }
}

extension Entity {
    /// What it is among the resources of environments; nil for what is no such resource.
    var kind: ResourceReference.Kind? {
        switch self {
        case .volume: .volume
        case .snapshot: .snapshot
        case .template: .template
        case .instance: .instance
        case .instanceSnapshot: .snapshotGroup
        case .job, .zone, .computeOffering, .diskOffering, .osType: nil
        }
    }
}
