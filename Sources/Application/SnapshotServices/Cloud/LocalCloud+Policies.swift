import Foundation
package import SnapshotDomain
import SnapshotPorts

/// What a caller wants of a policy; nil leaves it as it is.
package struct PolicyChange: Sendable {
    package var schedule: SnapshotPolicy.Schedule?
    package var timeZone: String?
    package var kept: Int?
    package var isActive: Bool?

    package init(
        schedule: SnapshotPolicy.Schedule? = nil,
        timeZone: String? = nil,
        kept: Int? = nil,
        isActive: Bool? = nil
    ) {
        self.schedule = schedule
        self.timeZone = timeZone
        self.kept = kept
        self.isActive = isActive
    }
}

extension LocalCloud {
    package func listPolicies(
        of volume: VolumeID,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> [SnapshotPolicy] {
        try authorise(.read, in: environment, call)
        return try await read { try $0.policies(of: volume) }.filter { $0.environment == environment }
    }

    package func policy(_ id: PolicyID, _ call: CallContext) async throws(ServiceError) -> SnapshotPolicy {
        guard let policy = try await read({ try $0.findPolicy(id) }), call.principal.may(.read, in: policy.environment)
        else { throw .noSuchPolicy(id) }
        return policy
    }

    package func setPolicy(
        _ interval: SnapshotPolicy.Interval,
        _ wanted: PolicyChange,
        of id: VolumeID,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> SnapshotPolicy {
        try authorise(.change, in: environment, call)
        let now = world.time.now
        return try await changePolicy(in: environment, call) { writer in
            let volume = try writer.volume(id, in: environment)
            if let known = try writer.policies(of: id).first(where: { $0.interval == interval }) {
                let policy = try known.changed(by: wanted)
                try writer.update(policy)
                return (policy, "policies.update")
            }
            guard let schedule = wanted.schedule, let kept = wanted.kept else {
                throw ServiceError(.invalidInput, "A new policy needs a schedule and how many snapshots it keeps.")
            }
            // One that does nothing can wait for its volume.
            if wanted.isActive ?? true {
                try volume.state.requireAvailable("The volume '\(volume.name)'", subject: .volume(id))
            }
            let policy = try SnapshotPolicy(
                id: .random(),
                environment: environment,
                volume: id,
                interval: interval,
                schedule: schedule,
                timeZone: wanted.timeZone ?? "GMT",
                kept: kept,
                isActive: wanted.isActive ?? true,
                createdAt: now
            )
            try writer.insert(policy)
            return (policy, "policies.create")
        }.policy
    }

    package func updatePolicy(
        _ id: PolicyID,
        _ wanted: PolicyChange,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> (policy: SnapshotPolicy, line: ActivityEntry.ID) {
        try authorise(.change, in: environment, call)
        return try await changePolicy(in: environment, call) { writer in
            let policy = try writer.policy(id, in: environment).changed(by: wanted)
            try writer.update(policy)
            return (policy, "policies.update")
        }
    }

    package func deletePolicies(
        _ ids: [PolicyID],
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) {
        try authorise(.change, in: environment, call)
        let now = world.time.now
        let volumes = try await write { writer in
            var volumes: Set<JobSubject> = []
            // All of them or none.
            for id in ids {
                let policy = try writer.policy(id, in: environment)
                try writer.deletePolicy(id)
                try writer.append(try writer.entry("policies.delete", policy, call, at: now))
                volumes.insert(.volume(policy.volume))
            }
            return volumes
        }
        world.feed.publish(Array(volumes), in: environment)
    }

    private func changePolicy(
        in environment: EnvironmentID,
        _ call: CallContext,
        _ body: @escaping @Sendable (any CatalogWriter) throws -> (SnapshotPolicy, event: String)
    ) async throws(ServiceError) -> (policy: SnapshotPolicy, line: ActivityEntry.ID) {
        let now = world.time.now
        let done = try await write { writer in
            let (policy, event) = try body(writer)
            return (policy: policy, line: try writer.append(try writer.entry(event, policy, call, at: now)))
        }
        world.feed.publish([.volume(done.policy.volume)], in: environment)
        return done
    }
}

extension CatalogReader {
    fileprivate func policy(_ id: PolicyID, in environment: EnvironmentID) throws -> SnapshotPolicy {
        guard let policy = try findPolicy(id), policy.environment == environment else {
            throw ServiceError.noSuchPolicy(id)
        }
        return policy
    }

    fileprivate func entry(
        _ event: String,
        _ policy: SnapshotPolicy,
        _ call: CallContext,
        at instant: Date
    ) throws -> ActivityEntry {
        ActivityEntry(
            environment: policy.environment,
            actor: call.principal.actor,
            event: event,
            subjectKind: "policies",
            subjectID: policy.id.description,
            subjectName: try findVolume(policy.volume)?.name.description ?? policy.volume.description,
            job: nil,
            status: .succeeded,
            message: policy.interval.rawValue,
            createdAt: instant
        )
    }
}

extension SnapshotPolicy {
    fileprivate func changed(by wanted: PolicyChange) throws(ServiceError) -> SnapshotPolicy {
        try SnapshotPolicy(
            id: id,
            environment: environment,
            volume: volume,
            interval: interval,
            schedule: wanted.schedule ?? schedule,
            timeZone: wanted.timeZone ?? timeZone,
            kept: wanted.kept ?? kept,
            isActive: wanted.isActive ?? isActive,
            createdAt: createdAt
        )
    }
}

extension ServiceError {
    fileprivate static func noSuchPolicy(_ id: PolicyID) -> ServiceError {
        ServiceError(
            .notFound,
            "There is no policy \(id) that you can see; list those of the volume.",
            subject: Subject(kind: "policies", id: id.description)
        )
    }
}
