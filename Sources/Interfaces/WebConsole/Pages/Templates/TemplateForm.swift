import Foundation
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// What a form says about a new template, wherever its content comes from.
enum TemplateForm {
    static func fields(_ visit: Visit) -> [FormField] {
        let texts = visit.texts
        let format = visit.value("format", ImageFormat.qcow2.rawValue)
        var fields: [FormField] =
            [
                .text("name", texts("list.name"), visit.value("name")),
                .area("description", texts("list.description"), visit.value("description")),
                .select(
                    "format",
                    texts("template.format"),
                    ImageFormat.allCases.map { each in
                        FormField.Option(value: each.rawValue, title: each.rawValue, isChosen: each.rawValue == format)
                    },
                    hint: texts("template.format_hint")
                ),
            ] + optionFields(visit)
        // Only an operator's templates can be for everybody.
        if visit.session.principal.user.isOperator {
            fields.append(
                .check(
                    "public",
                    texts("template.make_public"),
                    isOn: visit.isOn("public"),
                    hint: texts("template.make_public_hint")
                )
            )
        }
        return fields
    }

    /// Where a template's image is.
    enum Image {
        /// In a file that was uploaded.
        case upload(String)
        case address(URL)
    }

    /// A template to be, whose image is still to come.
    struct Announcement {
        let name: ResourceName
        let description: String
        let format: ImageFormat
        let options: TemplateOptions

        /// The request, now that the image is known.
        func request(_ image: Image) -> CreateTemplateRequest {
            let source: CreateTemplateRequest.Source =
                switch image {
                case .upload(let path): .file(path: path, format: format.rawValue, isUpload: true)
                case .address(let url): .address(url, format: format.rawValue)
                }
            return CreateTemplateRequest(
                source: source,
                name: name,
                description: description,
                options: options
            )
        }
    }

    /// - Throws: ``ServiceError`` with `invalidInput` that names the field.
    static func read(_ visit: Visit) throws(ServiceError) -> Announcement {
        let form = visit.form
        guard let format = ImageFormat(rawValue: form["format"] ?? "") else {
            throw ServiceError(
                .invalidInput,
                "There is no such format; an image is qcow2 or raw.",
                subject: .field("format")
            )
        }
        var options = try options(form)
        options.isPublic = form.isOn("public") && visit.session.principal.user.isOperator
        return Announcement(
            name: try ResourceName(form["name"] ?? ""),
            description: form["description"] ?? "",
            format: format,
            options: options
        )
    }

    /// What it says about the system on it.
    static func optionFields(_ visit: Visit) -> [FormField] {
        let texts = visit.texts
        let osType = visit.value("osTypeId", OSType.otherLinux.id)
        return [
            // Its name is the one by which the service speaks of it.
            .select(
                "osTypeId",
                texts("template.os"),
                OSType.all.map { FormField.Option(value: $0.id, title: $0.name, isChosen: $0.id == osType) }
            ),
            .check("sshKey", texts("template.supports_ssh_key"), isOn: visit.isOn("sshKey")),
            .check("password", texts("template.supports_password"), isOn: visit.isOn("password")),
            .check("scaling", texts("template.supports_scaling"), isOn: visit.isOn("scaling")),
        ]
    }

    /// - Throws: ``ServiceError`` with `invalidInput` that names the field.
    static func options(_ form: Fields) throws(ServiceError) -> TemplateOptions {
        let osType = form["osTypeId"] ?? OSType.otherLinux.id
        guard OSType.all.contains(where: { $0.id == osType }) else {
            throw ServiceError(
                .invalidInput,
                "There is no such operating system; choose one from the list.",
                subject: .field("osTypeId")
            )
        }
        return TemplateOptions(
            osType: osType,
            isSSHKeyEnabled: form.isOn("sshKey"),
            isPasswordEnabled: form.isOn("password"),
            isDynamicallyScalable: form.isOn("scaling")
        )
    }
}
