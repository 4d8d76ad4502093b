import Foundation
import HTTPTypes
import Hummingbird
import SnapshotDomain

/// A page that asks before something is done: what will happen, what is needed for it, *Apply* and *Cancel*.
///
/// Where scripts run it opens over the page that led to it.
struct Sheet: PageValue {
    struct Hidden: PageValue {
        let name: String
        let value: String
    }

    /// The list that the thing is in.
    var list: Link
    /// The thing itself, if there is one already.
    var name: String?
    var heading: String
    /// What will happen, in a sentence or two.
    var intro: String?
    var facts: [Fact] = []
    /// What the reader must not miss.
    var warning: String?
    var fields: [FormField] = []
    var hidden: [Hidden] = []
    var problem: Problem?
    /// The address that the form is sent to: its own.
    var address: String
    var cancelAddress: String
    var isDanger = false
    /// Answered with a file instead of a change: the form is a question, and can be sent again.
    var isDownload = false
    /// Other ways to the same end, such as another kind of source.
    var pages: [SubPage] = []
    /// The form carries a file, its last field.
    var isUpload = false
    /// Sent with the form, so that sending it twice does it once.
    var once = UUID().uuidString.lowercased()

    func saying(_ problem: Problem?) -> Sheet {
        var sheet = self
        sheet.problem = problem
        sheet.fields = fields.map { field in
            var field = field
            field.isWrong = field.name == problem?.field
            return field
        }
        return sheet
    }
}

/// One field of a form: of exactly one of the kinds.
struct FormField: PageValue {
    struct Option: PageValue {
        let value: String
        let title: String
        /// Instead of the title, which it is too.
        var moment: Moment?
        var detail: String?
        var isChosen = false
        var isDisabled = false
        /// Of the field, which the option's own input carries too.
        var name = ""
    }

    let name: String
    var label: String
    var hint: String?
    var value = ""
    var placeholder: String?
    var isOptional = false
    var isWrong = false
    var isText = false
    var isNumber = false
    var isArea = false
    var isSelect = false
    var isCheck = false
    var isCards = false
    var isPassword = false
    /// What a browser may fill in.
    var completion = "off"
    var isFile = false
    var isOn = false
    var options: [Option] = []
    var unit: String?
    var least: Int?
    var most: Int?

    static func text(
        _ name: String,
        _ label: String,
        _ value: String = "",
        placeholder: String? = nil,
        hint: String? = nil,
        isOptional: Bool = false
    ) -> FormField {
        var field = FormField(name: name, label: label, hint: hint, value: value, placeholder: placeholder)
        field.isOptional = isOptional
        field.isText = true
        field.most = ResourceName.longest
        return field
    }

    static func area(_ name: String, _ label: String, _ value: String = "", hint: String? = nil) -> FormField {
        var field = FormField(name: name, label: label, hint: hint, value: value)
        field.isOptional = true
        field.isArea = true
        return field
    }

    static func number(
        _ name: String,
        _ label: String,
        _ value: Int,
        in bounds: ClosedRange<Int>,
        unit: String? = nil,
        hint: String? = nil
    ) -> FormField {
        var field = FormField(name: name, label: label, hint: hint, value: String(value))
        field.isNumber = true
        field.unit = unit
        field.least = bounds.lowerBound
        field.most = bounds.upperBound
        return field
    }

    static func select(_ name: String, _ label: String, _ options: [Option], hint: String? = nil) -> FormField {
        var field = FormField(name: name, label: label, hint: hint)
        field.isSelect = true
        field.options = options
        return field
    }

    static func check(_ name: String, _ label: String, isOn: Bool, hint: String? = nil) -> FormField {
        var field = FormField(name: name, label: label, hint: hint)
        field.isCheck = true
        field.isOn = isOn
        return field
    }

    /// Choices that each say what they mean.
    static func cards(_ name: String, _ label: String, _ options: [Option], hint: String? = nil) -> FormField {
        var field = FormField(name: name, label: label, hint: hint)
        field.isCards = true
        field.options = options.map { option in
            var option = option
            option.name = name
            return option
        }
        return field
    }

    /// A file of the reader's machine.
    ///
    /// The last field of its form: see ``FormBody``.
    static func file(_ name: String, _ label: String, hint: String? = nil) -> FormField {
        var field = FormField(name: name, label: label, hint: hint)
        field.isFile = true
        return field
    }

    /// A browser offers to make up a new one, and to fill in the present one.
    static func password(_ name: String, _ label: String, isNew: Bool = true, hint: String? = nil) -> FormField {
        var field = FormField(name: name, label: label, hint: hint)
        field.isPassword = true
        field.completion = isNew ? "new-password" : "current-password"
        return field
    }
}

extension Visit {
    var isPost: Bool { request.method == .post }

    /// What a field shows: what was just sent, else what it begins with.
    func value(_ name: String, _ initial: String = "") -> String {
        isPost ? form.exact(name) ?? "" : query[name] ?? initial
    }

    func isOn(_ name: String, _ initial: Bool = false) -> Bool {
        isPost ? form.isOn(name) : initial
    }

    /// Shows a sheet; or, when its form was sent, acts on it, and shows it again with what is wrong if that fails.
    ///
    /// - Parameters:
    ///   - sheet: What is asked.
    ///   - setting: What is around it.
    ///   - meanings: What errors mean here, where that is more than they mean everywhere.
    ///   - act: What the form asks for.
    /// - Returns: The page, or what the act answers.
    /// - Throws: What making the page throws.
    func sheet(
        _ sheet: Sheet,
        _ setting: Setting,
        explaining meanings: [ServiceError.Code: String] = [:],
        act: () async throws(ServiceError) -> Response
    ) async throws -> Response {
        try await answer(explaining: meanings, act: act) { problem in
            var setting = setting
            if problem != nil { setting.status = .badRequest }
            return try await page("sheet", sheet.saying(problem), setting)
        }
    }

    /// The same for a page of its own.
    func answer(
        explaining meanings: [ServiceError.Code: String] = [:],
        act: () async throws(ServiceError) -> Response,
        show: (Problem?) async throws -> Response
    ) async throws -> Response {
        guard isPost else { return try await show(nil) }
        do {
            return try await act()
        } catch {
            return try await show(Problem(error, texts, meaning: meanings[error.code]))
        }
    }
}
