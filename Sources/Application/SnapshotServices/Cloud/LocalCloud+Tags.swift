package import SnapshotDomain
package import SnapshotPorts

extension LocalCloud {
    package func environment(
        holding resource: ResourceReference,
        _ call: CallContext
    ) async throws(ServiceError) -> EnvironmentID? {
        try await read { reader in
            guard let environment = try reader.environment(holding: resource) else { return nil }
            if call.principal.may(.read, in: environment) { return environment }
            guard case .template(let id) = resource, try reader.findTemplate(id)?.options.isPublic == true else {
                return nil
            }
            return environment
        }
    }

    package func listTags(
        _ filter: TagFilter,
        page: PageRequest,
        _ call: CallContext
    ) async throws(ServiceError) -> CatalogPage<ResourceTag> {
        try authorise(.read, in: filter.environment, call)
        return try await read { try $0.listTags(filter, page: page) }
    }

    package func tags(
        of resources: [ResourceReference],
        _ call: CallContext
    ) async throws(ServiceError) -> [ResourceReference: [ResourceTag]] {
        try await read { try $0.tags(of: resources) }
            .filter { $0.value.allSatisfy { call.principal.may(.read, in: $0.environment) } }
    }

    package func addTags(
        _ tags: [ResourceTag],
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> ActivityEntry.ID {
        try authorise(.change, in: environment, call)
        return try await changeTags(of: tags.map(\.resource), "tags.create", in: environment, call) { writer in
            for tag in tags {
                let present = try writer.tags(of: [tag.resource])[tag.resource] ?? []
                guard !present.contains(where: { $0.key == tag.key }) else {
                    throw ServiceError(
                        .nameTaken,
                        "The resource \(tag.resource.id) has a tag '\(tag.key)' already; delete it first.",
                        subject: .field("key")
                    )
                }
                guard present.count < ResourceTag.mostOnOne else {
                    throw ServiceError(
                        .limitExceeded,
                        "The resource \(tag.resource.id) has \(ResourceTag.mostOnOne) tags already; delete one first.",
                        subject: .field("tags")
                    )
                }
                try writer.insert(tag)
            }
        }
    }

    package func removeTags(
        _ conditions: [TagCondition]?,
        of resources: [ResourceReference],
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> ActivityEntry.ID {
        try authorise(.change, in: environment, call)
        return try await changeTags(of: resources, "tags.delete", in: environment, call) { writer in
            let present = try writer.tags(of: resources)
            for resource in resources {
                let all = (present[resource] ?? []).map { TagCondition(key: $0.key) }
                for condition in conditions ?? all { try writer.deleteTag(of: resource, condition) }
            }
        }
    }

    /// A change to the tags of some resources that are there, with a line in the log for each; returns the last one.
    private func changeTags(
        of resources: [ResourceReference],
        _ event: String,
        in environment: EnvironmentID,
        _ call: CallContext,
        _ body: @escaping @Sendable (any CatalogWriter) throws -> Void
    ) async throws(ServiceError) -> ActivityEntry.ID {
        let now = world.time.now
        let (line, subjects) = try await write { writer in
            var line: ActivityEntry.ID = 0
            var subjects: Set<JobSubject> = []
            for resource in resources {
                for subject in try writer.subjects(of: resource, in: environment)
                where subjects.insert(subject).inserted {
                    line = try writer.append(
                        ActivityEntry(
                            environment: environment,
                            actor: call.principal.actor,
                            event: event,
                            subjectKind: subject.kind,
                            subjectID: subject.id,
                            subjectName: try subject.name(writer) ?? subject.id,
                            job: nil,
                            status: .succeeded,
                            createdAt: now
                        )
                    )
                }
            }
            try body(writer)
            return (line, subjects)
        }
        world.feed.publish(Array(subjects), in: environment)
        return line
    }
}

extension CatalogReader {
    /// The things that a reference names, which are in the environment: one, or all of a group.
    fileprivate func subjects(of resource: ResourceReference, in environment: EnvironmentID) throws -> [JobSubject] {
        switch resource {
        case .volume(let id):
            return [.volume(try volume(id, in: environment).id)]
        case .snapshot(let id):
            return [.snapshot(try snapshot(id, in: environment).id)]
        case .template(let id):
            let template = try template(id, visibleIn: environment)
            guard template.environment == environment else {
                throw ServiceError(
                    .notAllowed,
                    "The template '\(template.name)' belongs to another environment; tag it there.",
                    subject: .template(id)
                )
            }
            return [.template(id)]
        case .instance(let id):
            return [.instance(try instance(id, in: environment).id)]
        case .snapshotGroup(let group):
            let snapshots = try allSnapshots(SnapshotFilter(environment: environment, group: group))
            guard !snapshots.isEmpty else {
                throw ServiceError(.notFound, "There is no group of snapshots \(group) in this environment.")
            }
            return snapshots.map { .snapshot($0.id) }
        }
    }
}
