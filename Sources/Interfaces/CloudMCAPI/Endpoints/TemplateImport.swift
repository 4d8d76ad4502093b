import Foundation
import HTTPCommon
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// Templates from images that come from elsewhere: uploaded, in a file, or behind an address.
enum TemplateImport {
    struct Body: Decodable {
        @Lenient var name: String?
        @Lenient var description: String?
        @Lenient var url: String?
        @Lenient var format: String?
        @Lenient var osTypeId: String?
        @Lenient var dynamicallyScalable: Bool?
        @Lenient var passwordEnabled: Bool?
        @Lenient var sshEnabled: Bool?
        @Lenient var availablePublicly: Bool?

        init(name: String, description: String?, osTypeId: String?) {
            self.name = name
            self.description = description
            self.osTypeId = osTypeId
        }

        /// Only an operator's templates can be for everybody; as in CloudMC, the wish of others is read and not granted.
        func request(
            _ source: CreateTemplateRequest.Source,
            for principal: Principal
        ) throws(ServiceError) -> CreateTemplateRequest {
            CreateTemplateRequest(
                source: source,
                name: try Input.requiredName(name),
                description: description ?? "",
                options: TemplateOptions(
                    osType: osTypeId ?? OSType.otherLinux.id,
                    isSSHKeyEnabled: sshEnabled ?? false,
                    isPasswordEnabled: passwordEnabled ?? false,
                    isDynamicallyScalable: dynamicallyScalable ?? false,
                    isPublic: (availablePublicly ?? false) && principal.user.isOperator
                )
            )
        }
    }

    /// The documented import.
    ///
    /// A remote image is fetched before the answer: the caller waits for it.
    @Sendable
    static func importImage(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let body: Body = try await call.body()
        let format: ImageFormat = try Input.word(body.format, "format") ?? .qcow2
        // What is wrong with the rest is said before anything is fetched.
        _ = try Input.requiredName(body.name)
        let url = try address(body.url)
        guard url.isFileURL else {
            try requireRight(in: environment.id, call)
            let path = try await call.cloud.uploadPath()
            try await fetch(url, to: path, call)
            return try await submit(body, path, format, isUpload: true, in: environment.id, call)
        }
        guard call.caller.principal.user.isOperator else {
            throw ServiceError(
                .notAllowed,
                "Only an operator can import a file of the service's machine; upload the image instead."
            )
        }
        return try await submit(body, url.path, format, isUpload: false, in: environment.id, call)
    }

    /// The body is the image; what else there is to say stands in the query.
    @Sendable
    static func upload(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        try requireRight(in: environment.id, call)
        let format: ImageFormat = try Input.word(call.query["format"], "format") ?? .qcow2
        let body = Body(
            name: try Input.requiredName(call.query["name"]).description,
            description: call.query["description"],
            osTypeId: call.query["osTypeId"]
        )
        let file = try await UploadedFile.receive(
            call.request,
            at: try await call.cloud.uploadPath(),
            atMost: call.configuration.largestUpload
        )
        return try await submit(body, file.path, format, isUpload: true, in: environment.id, call)
    }

    /// Nothing is received or fetched for somebody who may not keep it; the service itself would only say so afterwards.
    private static func requireRight(in environment: EnvironmentID, _ call: Call) throws(ServiceError) {
        guard call.caller.principal.may(.create, in: environment) else {
            throw ServiceError(.notAllowed, "You may not create templates in this environment.")
        }
    }

    /// Hands a file to the service.
    ///
    /// Until the service has taken it, it is ours to remove.
    private static func submit(
        _ body: Body,
        _ path: String,
        _ format: ImageFormat,
        isUpload: Bool,
        in environment: EnvironmentID,
        _ call: Call
    ) async throws -> Response {
        let job: JobID
        do {
            let request = try body.request(
                .file(path: path, format: format.rawValue, isUpload: isUpload),
                for: call.caller.principal
            )
            job = try await call.cloud.createTemplate(request, in: environment, call.caller).job
        } catch {
            if isUpload { try await UploadedFile.discard(path) }
            throw error
        }
        return try await call.answer(job)
    }

    private static func address(_ text: String?) throws(ServiceError) -> URL {
        let text = try Input.required(text, "url")
        guard let url = URL(string: text), let scheme = url.scheme?.lowercased(),
            ["file", "http", "https"].contains(scheme)
        else {
            throw ServiceError(
                .invalidInput,
                "The field 'url' must be an address of scheme http, https or file.",
                subject: .field("url")
            )
        }
        return url
    }

    private static func fetch(_ url: URL, to path: String, _ call: Call) async throws(ServiceError) {
        guard let fetcher = call.configuration.imageFetcher else {
            throw ServiceError(
                .invalidInput,
                "This service does not fetch images from the network; download it and use templates?operation=upload.",
                subject: .field("url")
            )
        }
        let isOperator = call.caller.principal.user.isOperator
        try await fetcher(
            RemoteImage(
                url: url,
                path: path,
                limit: call.configuration.largestUpload,
                reach: isOperator ? .anywhere : .publicOnly
            )
        )
    }
}
