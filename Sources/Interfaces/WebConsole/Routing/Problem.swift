import HTTPTypes
import SnapshotDomain

/// Why a form was not accepted, or a page cannot be shown.
struct Problem: PageValue {
    /// What it means and what to do, in the reader's language.
    let text: String
    /// What exactly: in English, as the service says it to everyone and as the log has it.
    let detail: String?
    /// The name of the form's field that it speaks of.
    let field: String?

    init(_ error: ServiceError, _ texts: Texts, meaning: String? = nil) {
        text = meaning ?? texts("error.\(error.code.rawValue)")
        detail = error.message
        field = error.subject.flatMap { $0.kind == "field" ? $0.id : nil }
    }

    init(_ text: String, detail: String? = nil) {
        self.text = text
        self.detail = detail
        field = nil
    }
}
