package import SnapshotDomain
import SnapshotPorts

extension LocalCloud {
    package func listEnvironments(_ call: CallContext) async throws(ServiceError) -> [Environment] {
        try await read { try $0.listEnvironments() }.filter { call.principal.may(.read, in: $0.id) }
    }

    package func environment(_ reference: String, _ call: CallContext) async throws(ServiceError) -> Environment {
        let found = try await read { reader -> Environment? in
            if let id = EnvironmentID(reference), let byID = try reader.findEnvironment(id) { return byID }
            guard let name = try? EnvironmentName(reference) else { return nil }
            return try reader.findEnvironment(named: name)
        }
        guard let found, call.principal.may(.read, in: found.id) else {
            throw ServiceError(
                .notFound,
                "There is no environment '\(reference)' among those that you can see.",
                subject: ServiceError.Subject(kind: "environments", id: reference)
            )
        }
        return found
    }

    package func createEnvironment(
        name: EnvironmentName,
        description: String,
        _ call: CallContext
    ) async throws(ServiceError) -> Environment {
        try requireOperator(call)
        let environment = Environment(
            id: .random(),
            name: name,
            description: description,
            createdAt: world.time.now
        )
        return try await change(.environment(environment.id), "environments.create", in: environment.id, call) {
            writer in
            guard try writer.findEnvironment(named: name) == nil else {
                throw ServiceError(
                    .nameTaken,
                    "There is an environment called '\(name)' already; choose another name.",
                    subject: .field("name")
                )
            }
            try writer.insert(environment)
            return environment
        }
    }

    package func updateEnvironment(
        _ id: EnvironmentID,
        name: EnvironmentName?,
        description: String?,
        _ call: CallContext
    ) async throws(ServiceError) -> Environment {
        try authorise(.administer, in: id, call)
        return try await change(.environment(id), "environments.update", in: id, call) { writer in
            var environment = try writer.environment(id)
            environment.name = name ?? environment.name
            environment.description = description ?? environment.description
            try writer.update(environment)
            return environment
        }
    }

    package func deleteEnvironment(_ id: EnvironmentID, _ call: CallContext) async throws(ServiceError) -> JobID {
        try authorise(.administer, in: id, call)
        return try await engine.submit(in: id, for: call, rejoin: { _, _ in }) { _, writer in
            let environment = try writer.environment(id)
            let instances = try writer.allInstances(in: id).map(\.id)
            let volumes = try writer.allVolumes(VolumeFilter(environment: id)).map { JobSubject.volume($0.id) }
            let snapshots = try writer.allSnapshots(SnapshotFilter(environment: id)).map { JobSubject.snapshot($0.id) }
            let templates = try writer.allTemplates(of: id).map { JobSubject.template($0.id) }
            return JobEngine.Draft(
                DeleteEnvironment(environment: id, instances: instances),
                title: try ResourceName(environment.name.description),
                subjects: [.environment(id)] + instances.map { .instance($0) } + volumes + snapshots + templates,
                value: ()
            )
        }.job
    }

    package func members(
        of environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> [(user: User, role: Role)] {
        try authorise(.read, in: environment, call)
        return try await read { try $0.members(of: environment) }
    }

    func requireOperator(_ call: CallContext) throws(ServiceError) {
        try call.requireOperator()
    }
}
