import HTTPCommon
import Hummingbird
import SnapshotDomain

/// `{"errors": […]}`: the body of every answer that is no success, and the result of a failed task.
struct ErrorsPayload: Encodable, Sendable {
    let errors: [ErrorPayload]
}

/// One error, with its number twice: documentation and the Go client disagree on name and type.
struct ErrorPayload: Encodable, Sendable {
    let code: Int
    let errorCode: String
    /// **ext**: the number's meaning as a word.
    let reason: String
    let message: String
    let context: ContextPayload

    struct ContextPayload: Encodable, Sendable {
        var id: String?
        var type: String?
        /// The field or parameter of the request that is wrong.
        var field: String?
        var currentState: String?
        var expectedStates: [String]?
        /// **ext**: what an operator finds the request by.
        var requestId: String?
    }

    init(_ error: ServiceError, requestID: String? = nil) {
        code = ErrorNumber.number(of: error.code)
        errorCode = "\(code)"
        reason = error.code.rawValue
        message = error.message
        var context = ContextPayload(requestId: requestID)
        switch error.subject {
        case .some(let subject) where subject.kind == "field": context.field = subject.id
        case .some(let subject): (context.type, context.id) = (subject.kind, subject.id)
        case nil: break
        }
        context.currentState = error.currentState
        context.expectedStates = error.expectedStates.isEmpty ? nil : error.expectedStates
        self.context = context
    }

    init(_ refusal: RequestRefusal, requestID: String) {
        code = ErrorNumber.number(of: refusal)
        errorCode = "\(code)"
        reason = ErrorNumber.word(of: refusal)
        message = refusal.message
        context = ContextPayload(requestId: requestID)
    }

    init(_ failure: RequestFailure) {
        switch failure.reason {
        case .service(let error): self.init(error, requestID: failure.requestID)
        case .refusal(let refusal): self.init(refusal, requestID: failure.requestID)
        }
    }
}

extension ErrorsPayload {
    /// The answer to a failed request.
    @Sendable
    static func response(_ failure: RequestFailure) -> Response {
        do {
            return try .json(ErrorsPayload(errors: [ErrorPayload(failure)]), status: failure.status)
        } catch {
            // Strings and integers can always be encoded; still a caller must never be left without an answer.
            return .text(#"{"errors":[]}"#, type: "application/json", status: failure.status)
        }
    }
}
