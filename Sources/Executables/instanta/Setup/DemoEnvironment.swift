import Logging
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// A first environment to try things in: a template, and a machine that counts.
///
/// Made through the same calls that people use, and only where there is nothing yet.
struct DemoEnvironment: Sendable {
    static let instance = "web01"
    static let template = "demo-guest"
    /// Where the troubleshooting clone goes.
    static let laboratory = "lab"

    let cloud: any CloudService
    let disk: String

    /// Makes what is missing; a failure is logged and harms nothing.
    func ensure(logger: Logger) async {
        do {
            try await make(logger)
        } catch {
            logger.error("the demo environment could not be made", metadata: ["error": .string(error.message)])
        }
    }

    private func make(_ logger: Logger) async throws(ServiceError) {
        let call = CallContext(principal: .service, requestID: "demo")
        let environment = try await cloud.environment("demo", call)
        let names = try await cloud.listEnvironments(call).map(\.name.description)
        if !names.contains(Self.laboratory) {
            _ = try await cloud.createEnvironment(
                name: try EnvironmentName(Self.laboratory),
                description: "Outside production: clones come here to be looked at.",
                call
            )
        }
        let templates = try await cloud.listTemplates(
            TemplateFilter(visibleIn: environment.id),
            order: .byName,
            page: .all,
            call
        )
        guard templates.total == 0 else { return }
        logger.notice("making the demo environment")
        let template = try await cloud.createTemplate(
            CreateTemplateRequest(
                source: .file(path: disk, format: ImageFormat.qcow2.rawValue, isUpload: false),
                name: try ResourceName(Self.template),
                description: "A small Linux that counts on its disks five times a second.",
                options: TemplateOptions(isPublic: true)
            ),
            in: environment.id,
            call
        )
        try await done(template.job, call)
        let deployed = try await cloud.deploy(
            DeployRequest(
                source: .template(template.resource.template.id),
                name: try ResourceName(Self.instance),
                dataVolumeSize: .gibibytes(1)
            ),
            in: environment.id,
            call
        )
        try await done(deployed.job, call)
        logger.notice("the demo machine runs", metadata: ["instance": .string(Self.instance)])
    }

    private func done(_ job: JobID, _ call: CallContext) async throws(ServiceError) {
        let task = try await cloud.awaitTask(job, atMost: .seconds(300), call)
        if let failure = task.failure { throw failure }
    }
}
