package import SnapshotDomain
import SnapshotPorts

extension LocalCloud {
    package func restoreInstance(
        _ id: InstanceID,
        to template: TemplateID?,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> Submitted<InstanceView> {
        try authorise(.revert, in: environment, call)
        let submitted = try await engine.submit(in: environment, for: call, rejoin: Self.instances) { _, writer in
            let row = try writer.instance(id, in: environment)
            try row.state.requireAvailable("The instance '\(row.name)'", subject: .instance(id))
            guard let source = template ?? row.template else {
                throw ServiceError(
                    .invalidInput,
                    "The instance '\(row.name)' was made from no template; name one.",
                    subject: .instance(id)
                )
            }
            let origin = try writer.template(source, visibleIn: environment)
            try origin.state.requireAvailable("The template '\(origin.name)'", subject: .template(source))
            guard let root = try writer.volumes(of: id).first(where: { $0.role == .root }) else {
                throw ServiceError(.notFound, "The instance '\(row.name)' has no root volume.", subject: .instance(id))
            }
            return JobEngine.Draft(
                RestoreInstance(
                    revert: RevertVolumes(
                        instance: id,
                        items: [
                            .init(snapshot: nil, template: source, volume: root.id, fresh: .random(), undo: .random())
                        ],
                        restarts: true
                    )
                ),
                title: row.name,
                subjects: [.instance(id), .volume(root.id)],
                reads: [.template(source)],
                value: [row]
            )
        }
        let seen = Submitted(job: submitted.job, resource: try await views(of: submitted.resource, asksGuest: false))
        return try seen.first(else: .instance(id))
    }
}
