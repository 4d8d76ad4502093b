import Foundation
import HTTPCommon
import HTTPTypes
import Hummingbird
import SnapshotDomain

/// Why a command was refused, or failed, in the protocol's own numbers.
struct APIFailure: Error, Hashable, Sendable {
    /// The number of the protocol, which is the HTTP status too.
    enum Code: Int, Sendable, CaseIterable {
        case unauthorised = 401
        case tooLarge = 413
        case tooManyRequests = 429
        case invalidParameter = 431
        case unsupportedCommand = 432
        case internalError = 530
        case permissionDenied = 531
        case accountLimit = 532
        case noCapacity = 533
        case unavailable = 534
        case allocationFailed = 535
        case inUse = 536
        case noSuchAddress = 404
        case methodNotAllowed = 405
    }

    var code: Code
    var message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The finer number, `cserrorcode`.
    var detail: Int {
        switch code {
        case .invalidParameter: 4_350
        case .permissionDenied: 4_365
        case .accountLimit, .allocationFailed: 4_370
        case .inUse: 4_375
        case .unavailable, .noCapacity: 4_380
        case .internalError: 4_250
        case .tooManyRequests: 4_545
        case .unauthorised, .tooLarge, .unsupportedCommand, .noSuchAddress, .methodNotAllowed: 9_999
        }
    }

    /// Says nothing about which part was wrong: who guesses learns nothing.
    static let unverified = APIFailure(
        .unauthorised,
        "unable to verify user credentials and/or request signature"
    )

    static let tooManyRequests = APIFailure(.tooManyRequests, "Too many requests; wait a second and go on more slowly.")

    static func invalid(_ message: String) -> APIFailure {
        APIFailure(.invalidParameter, message)
    }

    /// The same fields as an answer's and as a failed job's result.
    var body: JSON {
        .object([
            "uuidList": .list([]), "errorcode": .integer(Int64(code.rawValue)),
            "cserrorcode": .integer(Int64(detail)), "errortext": .text(message),
        ])
    }
}

extension APIFailure {
    /// Total: what each error of the service boundary is here.
    init(_ error: ServiceError) {
        self.init(Code(error.code), error.message)
    }

    init(_ failure: RequestFailure) {
        switch failure.reason {
        case .service(let error): self.init(error)
        case .refusal(.tooManyRequests): self.init(.tooManyRequests, failure.message)
        case .refusal(.bodyTooLarge): self.init(.tooLarge, failure.message)
        case .refusal(.noSuchEndpoint): self.init(.noSuchAddress, failure.message)
        case .refusal(.methodNotAllowed): self.init(.methodNotAllowed, failure.message)
        }
    }
}

extension APIFailure.Code {
    init(_ code: ServiceError.Code) {
        self =
            switch code {
            // Every refusal by state is 431 too, and so is what is not there.
            case .invalidInput, .notFound, .nameTaken, .wrongState, .inUse, .badImage: .invalidParameter
            case .notAuthenticated: .unauthorised
            case .notAllowed: .permissionDenied
            case .limitExceeded, .noSpace: .allocationFailed
            case .unavailable: .unavailable
            case .guestFailed, .damaged, .cancelled, .internalError: .internalError
            }
    }
}
