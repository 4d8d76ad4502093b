import Foundation
import SnapshotDomain

extension CommandFailure {
    /// Reads the error of an answer, or of a failed task.
    ///
    /// The body is an object with an `errors` array, as the contract has it. Anything else, such as the page of a proxy in
    /// between, is named by its status alone.
    init(httpStatus: Int, body: JSONValue, requestID: String? = nil) {
        guard let error = body["errors"].elements.first else {
            self.init(
                CommandStatus(httpStatus: httpStatus),
                "The service answered with status \(httpStatus) and without a reason.",
                remedy: httpStatus == 404 ? "Is this the address of the service itself? Look at INSTANTA_URL." : nil,
                requestID: requestID
            )
            return
        }
        let code = error["reason"].string.flatMap(ServiceError.Code.init(rawValue:))
        let status = code.map { CommandStatus($0) } ?? CommandStatus(httpStatus: httpStatus)
        var message = error["message"].string ?? "The service gave no reason (status \(httpStatus))."
        let others = body["errors"].elements.count - 1
        if others > 0 { message += " (and \(others) more)" }
        // Only what is the service's own fault is worth searching its log for.
        let isFault = code == .internalError || (code == nil && httpStatus >= 500)
        let remedy = code == .notAuthenticated ? Self.keyRemedy : nil
        self.init(status, message, remedy: remedy, requestID: isFault ? requestID : nil)
    }

    private static let keyRemedy =
        "Look at INSTANTA_API_KEY, or at what --profile or --credentials name: the service does not know that key."
}
