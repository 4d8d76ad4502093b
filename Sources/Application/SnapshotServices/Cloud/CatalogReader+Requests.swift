import SnapshotDomain
import SnapshotPorts

/// Finds what a request names, in the environment that it names, in a state that allows the request.
extension CatalogReader {
    func volume(_ id: VolumeID, in environment: EnvironmentID) throws(ServiceError) -> Volume {
        guard let volume = try found({ try findVolume(id) }), volume.environment == environment else {
            throw ServiceError(
                .notFound,
                "There is no volume \(id) in this environment; list its volumes to see what there is.",
                subject: .volume(id)
            )
        }
        return volume
    }

    func snapshot(_ id: SnapshotID, in environment: EnvironmentID) throws(ServiceError) -> Snapshot {
        guard let snapshot = try found({ try findSnapshot(id) }), snapshot.environment == environment else {
            throw ServiceError(
                .notFound,
                "There is no snapshot \(id) in this environment; list its snapshots to see what there is.",
                subject: .snapshot(id)
            )
        }
        return snapshot
    }

    func instance(_ id: InstanceID, in environment: EnvironmentID) throws(ServiceError) -> Instance {
        guard let instance = try found({ try findInstance(id) }), instance.environment == environment else {
            throw ServiceError(
                .notFound,
                "There is no instance \(id) in this environment; list its instances to see what there is.",
                subject: .instance(id)
            )
        }
        return instance
    }

    /// One of the environment's own, or a public one.
    func template(_ id: TemplateID, visibleIn environment: EnvironmentID) throws(ServiceError) -> Template {
        guard let template = try found({ try findTemplate(id) }),
            template.environment == environment || template.options.isPublic
        else {
            throw ServiceError(
                .notFound,
                "There is no template \(id) in this environment; list its templates to see what there is.",
                subject: .template(id)
            )
        }
        return template
    }

    func environment(_ id: EnvironmentID) throws(ServiceError) -> Environment {
        guard let environment = try found({ try findEnvironment(id) }) else {
            throw ServiceError(.notFound, "There is no such environment.", subject: .environment(id))
        }
        return environment
    }

    private func found<Row>(_ find: () throws -> Row?) throws(ServiceError) -> Row? {
        do {
            return try find()
        } catch {
            throw ServiceError(reporting: error)
        }
    }
}

extension ResourceState {
    /// Refuses what needs a resource that is there and stays.
    func requireAvailable(_ what: String, subject: ServiceError.Subject) throws(ServiceError) {
        guard self != .available else { return }
        let reason =
            switch self {
            case .creating: "is still being made; wait until it is ready"
            case .deleting: "is being deleted"
            case .failed(let reason): "has failed and can only be deleted (\(reason))"
            case .destroyed: "has been destroyed; recover it first"
            case .available: "is ready"
            }
        throw ServiceError(
            .wrongState,
            "\(what) \(reason).",
            subject: subject,
            currentState: word.rawValue,
            expectedStates: [Word.available.rawValue]
        )
    }

    /// Refuses what is for things that were put aside.
    ///
    /// - Parameters:
    ///   - what: The thing, as the sentence begins.
    ///   - remedy: How the sentence ends: why that is the end of it, or what to do.
    ///   - subject: The thing.
    /// - Throws: `wrongState`.
    func requireDestroyed(_ what: String, _ remedy: String, subject: ServiceError.Subject) throws(ServiceError) {
        guard destroyedAt == nil else { return }
        throw ServiceError(
            .wrongState,
            "\(what) is not destroyed; \(remedy).",
            subject: subject,
            currentState: word.rawValue,
            expectedStates: [Word.destroyed.rawValue]
        )
    }
}

extension CatalogReader {
    func requireFreeVolumeName(_ name: ResourceName, in environment: EnvironmentID) throws {
        guard try findVolume(named: name, in: environment) == nil else { throw ServiceError.nameTaken("volume", name) }
    }

    func requireFreeSnapshotName(_ name: ResourceName, in environment: EnvironmentID) throws {
        guard try findSnapshot(named: name, in: environment) == nil else {
            throw ServiceError.nameTaken("snapshot", name)
        }
    }

    func requireFreeTemplateName(_ name: ResourceName, in environment: EnvironmentID) throws {
        guard try findTemplate(named: name, in: environment) == nil else {
            throw ServiceError.nameTaken("template", name)
        }
    }

    func requireFreeInstanceName(_ name: ResourceName, in environment: EnvironmentID) throws {
        guard try findInstance(named: name, in: environment) == nil else {
            throw ServiceError.nameTaken("instance", name)
        }
    }
}

extension CatalogReader {
    /// Refuses what must not meet a job on the same thing.
    func requireIdle(_ subject: JobSubject, _ what: String, _ about: ServiceError.Subject) throws {
        guard let job = try openJobs().first(where: { $0.subjects.contains(subject) }) else { return }
        throw ServiceError(
            .wrongState,
            "\(what) is in use by the task \(job.id); try again when it has ended.",
            subject: about
        )
    }

    /// Refuses new work in an environment that is being deleted: what it made would be in the way.
    func requireLasting(_ id: EnvironmentID) throws {
        guard let end = try openJobs().first(where: { $0.kind == .deleteEnvironment && $0.environment == id }) else {
            return
        }
        throw ServiceError(
            .wrongState,
            "The environment '\(end.title)' is being deleted; nothing new can be done in it.",
            subject: .environment(id),
            currentState: ResourceState.Word.deleting.rawValue
        )
    }
}

extension ServiceError {
    /// What was put aside cannot come back beside its successor.
    static func nameReused(_ what: String, _ name: ResourceName) -> ServiceError {
        ServiceError(
            .nameTaken,
            "Another \(what) is called '\(name)' by now; rename or delete that one, and recover again.",
            subject: .field("name")
        )
    }

    static func nameTaken(_ what: String, _ name: ResourceName) -> ServiceError {
        ServiceError(
            .nameTaken,
            "This environment has a \(what) called '\(name)' already; choose another name.",
            subject: .field("name")
        )
    }
}
