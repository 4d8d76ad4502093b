import ArgumentParser
import SnapshotDomain

/// A command that ends with a documented exit status.
///
/// It reports its own failures, so that the root command needs to know nothing about them.
protocol ClientCommand: AsyncParsableCommand {
    /// - Throws: ``CommandFailure`` on purpose; anything else is a fault and ends with status `failed`.
    func perform(in surroundings: Surroundings) async throws
}

extension ClientCommand {
    func run() async throws {
        let status = await execute(in: .ofThisProcess())
        guard status == .done else { throw ExitCode(status.rawValue) }
    }

    /// Performs the command and reports what went wrong.
    func execute(in surroundings: Surroundings) async -> CommandStatus {
        do {
            try await perform(in: surroundings)
            return .done
        } catch let failure as CommandFailure {
            surroundings.note(failure.report)
            return failure.status
        } catch let error as ServiceError {
            surroundings.note(CommandFailure(CommandStatus(error.code), error.message).report)
            return CommandStatus(error.code)
        } catch {
            surroundings.note(CommandFailure(.failed, "\(error)").report)
            return .failed
        }
    }
}

/// A command that speaks to the service.
protocol ServiceCommand: ClientCommand {
    associatedtype Options: ServiceOptions

    var shared: Options { get }

    func perform(_ call: Call) async throws
}

extension ServiceCommand {
    func perform(in surroundings: Surroundings) async throws {
        let settings = try ConnectionFinder(surroundings).find(shared.connection.choice)
        try await perform(Call(surroundings, settings, format: shared.format, isQuiet: shared.quiet))
    }
}
