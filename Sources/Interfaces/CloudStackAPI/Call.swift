import Foundation
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// One verified request with all that its command needs.
struct Call: Sendable {
    /// Where a command acts.
    enum Place: Sendable {
        /// In one environment; `isProject` when the caller named it.
        case environment(SnapshotDomain.Environment, isProject: Bool)
        /// In every one that the caller sees.
        case everywhere([SnapshotDomain.Environment])
        /// The caller has none.
        case nowhere
    }

    let cloud: any CloudService
    let configuration: CloudStackConfiguration
    let command: Command
    let arguments: Arguments
    /// Who calls, for the service.
    let caller: CallContext
    let place: Place

    /// - Throws: ``APIFailure`` for what the parameters name and is not there, and for a command that is not the caller's.
    init(
        cloud: any CloudService,
        configuration: CloudStackConfiguration,
        command: Command,
        arguments: Arguments,
        caller: CallContext,
        home: EnvironmentID?
    ) async throws {
        self.cloud = cloud
        self.configuration = configuration
        self.command = command
        self.arguments = arguments
        self.caller = caller
        let finder = PlaceFinder(cloud: cloud, command: command, arguments: arguments, caller: caller, home: home)
        place = try await finder.place()
        try requireAccess()
    }

    private func requireAccess() throws(APIFailure) {
        let isAllowed: Bool
        switch (command.access, place) {
        case (.anybody, _), (.may, .everywhere), (.may, .nowhere):
            isAllowed = true
        case (.operators, _):
            isAllowed = caller.principal.user.isOperator
        case (.may(let permission), .environment(let environment, _)):
            isAllowed = caller.principal.may(permission, in: environment.id)
        }
        guard isAllowed else {
            throw APIFailure(
                .unauthorised,
                "The API [\(command.name)] does not exist or is not available for the account "
                    + "\(caller.principal.user.name) here; ask an owner of the environment."
            )
        }
    }

    /// The one environment where the command acts.
    var environment: EnvironmentID {
        get throws(APIFailure) {
            switch place {
            case .environment(let environment, _):
                return environment.id
            case .everywhere:
                throw .invalid("The parameter projectid must name one environment for \(command.name), not all.")
            case .nowhere:
                throw .invalid("The account has no environment; ask an operator for one, or give a projectid.")
            }
        }
    }

    /// Those that a list is about.
    var environments: [SnapshotDomain.Environment] {
        switch place {
        case .environment(let environment, _): [environment]
        case .everywhere(let environments): environments
        case .nowhere: []
        }
    }

    /// Who owns what is in an environment, as objects say it.
    func owner(of environment: EnvironmentID) -> Owner {
        let account = caller.principal.user.name
        switch place {
        case .environment(let one, isProject: false) where one.id == environment:
            return .account(account)
        default:
            let named = environments.first { $0.id == environment }
            return .project(id: environment, name: named?.name.description ?? "")
        }
    }

    func refuse(_ message: String) -> APIFailure {
        .invalid("Unable to execute API command \(command.name.lowercased()): \(message)")
    }
}

/// What objects say of their owner: the account for its own environment, the project for one that was named.
enum Owner: Hashable, Sendable {
    case account(String)
    case project(id: EnvironmentID, name: String)

    static func fields<Source>(_ owner: @escaping @Sendable (Source) -> Owner) -> [Field<Source>] {
        [
            .text("account", "The account, for what is in its own environment.") {
                if case .account(let name) = owner($0) { name } else { nil }
            },
            .text("projectid", "The environment's id, where one was asked for.") {
                if case .project(let id, _) = owner($0) { id.description } else { nil }
            },
            .text("project", "The environment's name, where one was asked for.") {
                if case .project(_, let name) = owner($0) { name } else { nil }
            },
            .always("domainid", "The domain's id; there is one.", WellKnown.domain),
            .always("domain", "The domain's name.", "ROOT"),
        ]
    }
}
