import Foundation
import HTTPCommon
import Hummingbird
import SnapshotDomain
import SnapshotServices

/// Takes a request from its parameters to its answer.
///
/// In this order: whose key it is, whether the signature is theirs, which command, whether its parameters can be read,
/// where it acts, whether the caller may use it there, and then the command itself. Before the signature is found to be good,
/// nothing is said but that it is not.
struct QueryService: Sendable {
    let cloud: any CloudService
    let configuration: CloudStackConfiguration

    func answer(
        _ sent: SentParameters,
        _ context: IncomingContext,
        idempotencyKey: String?
    ) async throws -> Response {
        let command = sent["command"].flatMap { CommandTable.byName[$0] }
        do {
            let keys = try await verify(sent, context)
            // Counted for who is known to be calling, so that nobody can use up the requests of somebody else.
            guard configuration.rateLimit.admit(keys.principal.user.id) else { throw APIFailure.tooManyRequests }
            guard let command else {
                if let name = sent["command"], let reason = UnservedCommands.reasons[name] {
                    throw APIFailure(.unsupportedCommand, "The command '\(name)' is not served here. \(reason)")
                }
                throw APIFailure(
                    .unsupportedCommand,
                    "The given command '\((sent["command"] ?? "").prefix(100))' does not exist; listApis tells which do."
                )
            }
            let caller = CallContext(
                principal: keys.principal,
                requestID: context.requestID,
                idempotencyKey: idempotencyKey
            )
            let call = try await Call(
                cloud: cloud,
                configuration: configuration,
                command: command,
                arguments: Arguments(sent, for: command),
                caller: caller,
                home: keys.environment
            )
            return try Envelope.response(try await command.handler(call), to: command.name)
        } catch is NoSuchRow {
            return try Envelope.response(.fields([:]), to: command?.name ?? "")
        } catch let failure as APIFailure {
            return Envelope.response(failure, to: command?.name)
        } catch let error as ServiceError {
            return Envelope.response(APIFailure(error), to: command?.name)
        }
    }

    private func verify(
        _ sent: SentParameters,
        _ context: IncomingContext
    ) async throws -> CloudStackConfiguration.KeyPair {
        guard let apiKey = sent["apikey"], let signature = sent["signature"], !hasExpired(sent) else {
            throw APIFailure.unverified
        }
        let keys = try await configuration.findKey(apiKey, context.address)
        // As much work for a key that nobody has.
        let isValid = Signature(of: sent).isValid(signature, secret: keys?.secret ?? Self.nobodysSecret)
        guard isValid, let keys else { throw APIFailure.unverified }
        await keys.noteUse()
        return keys
    }

    private static let nobodysSecret = UUID().uuidString

    /// An end counts only for version 3 of the signature, which then needs one.
    private func hasExpired(_ sent: SentParameters) -> Bool {
        guard sent["signatureversion"] == "3" else { return false }
        guard let end = sent["expires"].flatMap(WireDate.instant) else { return true }
        return end < Date()
    }
}
