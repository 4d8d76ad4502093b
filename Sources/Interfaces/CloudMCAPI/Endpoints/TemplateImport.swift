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
        /// **ext**.
        @Lenient var poolId: String?

        init(name: String, description: String?, osTypeId: String?, poolId: String?) {
            self.name = name
            self.description = description
            self.osTypeId = osTypeId
            self.poolId = poolId
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
                ),
                pool: try Input.pool(poolId)
            )
        }
    }

    /// The documented import.
    ///
    /// A remote image is fetched by the job: the answer does not wait for it.
    @Sendable
    static func importImage(_ call: Call) async throws -> Response {
        let environment = try await call.environment()
        let body: Body = try await call.body()
        let format: ImageFormat = try Input.word(body.format, "format") ?? .qcow2
        // What is wrong with the rest is said first.
        _ = try Input.requiredName(body.name)
        let url = try address(body.url)
        guard url.isFileURL else {
            let remote = CreateTemplateRequest.Source.address(url, format: format.rawValue)
            return try await call.answer(try await submit(body, remote, in: environment.id, call))
        }
        guard call.caller.principal.user.isOperator else {
            throw ServiceError(
                .notAllowed,
                "Only an operator can import a file of the service's machine; upload the image instead."
            )
        }
        let file = CreateTemplateRequest.Source.file(path: url.path, format: format.rawValue, isUpload: false)
        return try await call.answer(try await submit(body, file, in: environment.id, call))
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
            osTypeId: call.query["osTypeId"],
            poolId: call.query["poolId"]
        )
        let file = try await UploadedFile.receive(
            call.request,
            at: try await call.cloud.uploadPath(),
            atMost: call.configuration.largestUpload
        )
        let job: JobID
        do {
            let source = CreateTemplateRequest.Source.file(path: file.path, format: format.rawValue, isUpload: true)
            job = try await submit(body, source, in: environment.id, call)
        } catch {
            // Until the service has taken it, it is ours to remove.
            try await UploadedFile.discard(file.path)
            throw error
        }
        return try await call.answer(job)
    }

    /// Nothing is received for somebody who may not keep it; the service itself would only say so afterwards.
    private static func requireRight(in environment: EnvironmentID, _ call: Call) throws(ServiceError) {
        guard call.caller.principal.may(.create, in: environment) else {
            throw ServiceError(.notAllowed, "You may not create templates in this environment.")
        }
    }

    private static func submit(
        _ body: Body,
        _ source: CreateTemplateRequest.Source,
        in environment: EnvironmentID,
        _ call: Call
    ) async throws -> JobID {
        let request = try body.request(source, for: call.caller.principal)
        return try await call.cloud.createTemplate(request, in: environment, call.caller).job
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
}
