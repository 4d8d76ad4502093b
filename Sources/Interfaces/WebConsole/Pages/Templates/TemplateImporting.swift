import Foundation
import HTTPCommon
import HTTPTypes
import Hummingbird
import Logging
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// *Import template*: a disk image behind an address, or in a file of the reader's machine.
///
/// Either way the image is a stranger's: the job that imports it looks at it in confinement. What is behind an address the job
/// fetches first. What it refuses is said on the form if it is known soon, else on the list.
enum TemplateImporting {
    static let all: [ConsoleRoute] = [
        .get(ConsoleRoute.within("/templates/import")) { visit in try await fromAddress(visit) },
        .post(ConsoleRoute.within("/templates/import")) { visit in try await fromAddress(visit) },
        .get(ConsoleRoute.within("/templates/upload")) { visit in
            try await fromFile(visit) { () throws(ServiceError) in throw noFile }
        },
        .upload(ConsoleRoute.within("/templates/upload")) { visit, rest in
            try await fromFile(visit) { () async throws(ServiceError) in try await receive(&rest, visit) }
        },
    ]

    private static let longestAddress = 2_048

    private static func fromAddress(_ visit: Visit) async throws -> Response {
        var field = FormField.text(
            "url",
            visit.texts("template.address"),
            visit.value("url"),
            placeholder: "https://",
            hint: visit.texts("template.address_hint")
        )
        field.most = longestAddress
        return try await ask(visit, "import", field) { () throws(ServiceError) in
            .address(try address(visit.form["url"]))
        }
    }

    /// The file is received when everything else is known to be right.
    private static func fromFile(
        _ visit: Visit,
        receive: () async throws(ServiceError) -> String
    ) async throws -> Response {
        let field = FormField.file("file", visit.texts("template.file"), hint: visit.texts("template.file_hint"))
        return try await ask(visit, "upload", field) { () async throws(ServiceError) in .upload(try await receive()) }
    }

    private static func ask(
        _ visit: Visit,
        _ way: String,
        _ source: FormField,
        _ image: () async throws(ServiceError) -> TemplateForm.Image
    ) async throws -> Response {
        let place = try await visit.place(for: .create)
        let texts = visit.texts
        let list = place.address("templates")
        var sheet = Sheet(
            list: Link(texts("tab.templates"), list),
            heading: texts("action.import_template"),
            intro: texts("template.import_intro"),
            fields: TemplateForm.fields(visit) + [source],
            address: visit.path,
            cancelAddress: list
        )
        sheet.isUpload = source.isFile
        sheet.pages = ["import", "upload"].map { each in
            SubPage(
                title: texts("template.from_\(each)"),
                address: place.address("templates", each),
                isCurrent: each == way
            )
        }
        let setting = Visit.Setting(
            title: sheet.heading,
            place: place,
            tab: .templates,
            commandLine: "template import " + (source.isFile ? "disk.qcow2" : "https://images.example.org/disk.qcow2"),
            apiCall: ("POST", source.isFile ? "/templates?operation=upload" : "/templates")
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            let view = try await submit(visit, place, image)
            let address = place.address("templates", view.template.id.description)
            let notice = Notice(.templateImported, view.template.name.description, at: address)
            return visit.sent(to: list, saying: notice)
        }
    }

    /// How long the form waits for the job's first look at the image.
    private static let patience = Duration.milliseconds(500)

    /// Everything else on the form is read before the image is taken.
    private static func submit(
        _ visit: Visit,
        _ place: Place,
        _ image: () async throws(ServiceError) -> TemplateForm.Image
    ) async throws(ServiceError) -> TemplateView {
        let announced = try TemplateForm.read(visit)
        let image = try await image()
        let submitted: Submitted<TemplateView>
        do {
            submitted = try await visit.cloud.createTemplate(announced.request(image), in: place.id, visit.caller)
        } catch {
            // Until the service has taken the file, it is ours to remove.
            if case .upload(let path) = image { await drop(path) }
            throw error
        }
        let task = try await visit.cloud.awaitTask(submitted.job, atMost: patience, visit.caller)
        if let failure = task.failure { throw failure }
        return submitted.resource
    }

    private static func receive(_ reader: inout MultipartReader, _ visit: Visit) async throws(ServiceError) -> String {
        guard reader.present?.isFile == true else { throw noFile }
        let path = try await visit.cloud.uploadPath()
        do {
            let file = try await UploadedFile.receive(
                &reader,
                at: path,
                atMost: visit.console.configuration.largestUpload
            )
            // Browsers send an empty file where none was chosen.
            guard file.length > .zero else {
                await drop(path)
                throw noFile
            }
            return path
        } catch let error as ServiceError {
            throw error
        } catch let refusal as RequestRefusal {
            throw ServiceError(.limitExceeded, refusal.message, subject: .field("file"))
        } catch {
            throw ServiceError(.invalidInput, "The upload broke off; send it again.", subject: .field("file"))
        }
    }

    /// Removes a file that nobody took; what cannot be removed now is swept when the service starts.
    private static func drop(_ path: String) async {
        do {
            try await UploadedFile.discard(path)
        } catch {
            Logger.current.warning("an unused upload stays", metadata: ["error": "\(error)"])
        }
    }

    private static let noFile = ServiceError(
        .invalidInput,
        "No file was chosen; choose the image to import.",
        subject: .field("file")
    )

    private static func address(_ text: String?) throws(ServiceError) -> URL {
        guard let text, let url = URL(string: text), let scheme = url.scheme?.lowercased(),
            ["http", "https"].contains(scheme), url.host?.isEmpty == false
        else {
            throw ServiceError(
                .invalidInput,
                "The address must begin with http:// or https:// and name a host.",
                subject: .field("url")
            )
        }
        return url
    }
}

extension Visit {
    /// Leads on after a form with a file.
    ///
    /// A script that sends it to show how far it is asks for a short answer (RFC 7240): it goes to the next page itself, where
    /// the notice is said. A redirect it would follow without showing it.
    fileprivate func sent(to address: String, saying notice: Notice) -> Response {
        var response = redirect(to: address, saying: notice)
        if request.headers[.prefer]?.lowercased().contains("return=minimal") == true { response.status = .created }
        return response
    }
}
