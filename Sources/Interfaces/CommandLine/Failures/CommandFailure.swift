/// Why a command did not do what it was asked to.
///
/// The one error that commands throw on purpose. The message says what failed on which thing; the remedy, what to do.
struct CommandFailure: Error, Hashable {
    var status: CommandStatus
    var message: String
    var remedy: String?
    /// The request may have been served: only its answer was lost.
    var mayBeDone = false
    /// The service's identity for the request, by which its log can be searched.
    var requestID: String?

    init(_ status: CommandStatus, _ message: String, remedy: String? = nil, requestID: String? = nil) {
        self.status = status
        self.message = message
        self.remedy = remedy
        self.requestID = requestID
    }

    /// The failure as lines for the standard error stream, without a newline at the end.
    var report: String {
        var lines = ["error: \(PlainText.oneLine(message))"]
        if let remedy { lines.append("       \(PlainText.oneLine(remedy))") }
        if let requestID { lines.append("       (request \(PlainText.oneLine(requestID)))") }
        return lines.joined(separator: "\n")
    }
}
