import Foundation
package import SnapshotDomain
package import SnapshotPorts

extension LocalCloud {
    package func listTemplates(
        _ filter: TemplateFilter,
        order: ListOrder,
        page: PageRequest,
        _ call: CallContext
    ) async throws(ServiceError) -> CatalogPage<TemplateView> {
        try authorise(.read, in: filter.visibleIn, call)
        let rows = try await read { try $0.listTemplates(filter, order: order, page: page) }
        return CatalogPage(rows: try await each(rows.rows, view), total: rows.total)
    }

    package func template(
        _ id: TemplateID,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> TemplateView {
        try authorise(.read, in: environment, call)
        return try await view(try await read { try $0.template(id, visibleIn: environment) }, for: call.principal)
    }

    package func createTemplate(
        _ request: CreateTemplateRequest,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> Submitted<TemplateView> {
        try authorise(.create, in: environment, call)
        guard OSType.all.contains(where: { $0.id == request.options.osType }) else {
            throw ServiceError(
                .invalidInput,
                "There is no OS type '\(request.options.osType)'; choose one of "
                    + OSType.all.map(\.id).joined(separator: ", ") + ".",
                subject: .field("osTypeId")
            )
        }
        let pool = try world.pool(named: request.pool)
        let content = try await content(of: request.source, call)
        let now = world.time.now
        let submitted = try await engine.submit(in: environment, for: call, rejoin: Self.templates) { job, writer in
            try writer.requireFreeTemplateName(request.name, in: environment)
            var row = Template(
                id: .random(),
                environment: environment,
                name: request.name,
                description: request.description,
                pool: pool,
                layer: .random(),
                size: .zero,
                options: request.options,
                state: .creating(job),
                createdAt: now
            )
            switch content {
            case .snapshot(let id, let isFull):
                let snapshot = try writer.snapshot(id, in: environment)
                try snapshot.requireTemplateSource()
                guard request.pool == nil || request.pool == snapshot.pool else {
                    throw ServiceError(
                        .invalidInput,
                        """
                        A template of a snapshot is made in the snapshot's pool, '\(snapshot.pool)', and copied to another one when \
                        something is deployed there.
                        """,
                        subject: .field("pool")
                    )
                }
                row.pool = snapshot.pool
                row.size = snapshot.size
                if isFull {
                    try writer.insert(Layer(building: row.layer, pool: row.pool, size: row.size))
                } else {
                    row.layer = snapshot.layer
                }
                try writer.insert(row)
                return JobEngine.Draft(
                    CreateTemplate(template: row.id, snapshot: id, copy: isFull ? row.layer : nil),
                    title: row.name,
                    subjects: [.template(row.id)],
                    reads: [.snapshot(id)],
                    value: [row]
                )
            case .image(let image):
                try writer.insert(Layer(building: row.layer, pool: row.pool, size: .zero))
                try writer.insert(row)
                return JobEngine.Draft(
                    ImportTemplate(
                        template: row.id,
                        layer: row.layer,
                        pool: row.pool,
                        path: image.path,
                        format: image.format,
                        isUpload: image.isUpload,
                        origin: image.origin
                    ),
                    title: row.name,
                    subjects: [.template(row.id)],
                    value: [row]
                )
            }
        }
        let seen = Submitted(job: submitted.job, resource: try await each(submitted.resource, view))
        return try seen.first(else: .environment(environment))
    }

    package func updateTemplate(
        _ id: TemplateID,
        name: ResourceName?,
        description: String?,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> TemplateView {
        try authorise(.change, in: environment, call)
        let row = try await change(.template(id), "templates.update", in: environment, call) { writer in
            var row = try writer.ownTemplate(id, in: environment)
            if let name, name != row.name {
                try writer.requireFreeTemplateName(name, in: environment)
                row.name = name
            }
            row.description = description ?? row.description
            try writer.update(row)
            return row
        }
        return try await view(row)
    }

    package func setTemplate(
        _ id: TemplateID,
        isPublic: Bool,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> TemplateView {
        try requireOperator(call)
        let row = try await change(.template(id), "templates.update", in: environment, call) { writer in
            var row = try writer.ownTemplate(id, in: environment)
            row.options.isPublic = isPublic
            try writer.update(row)
            return row
        }
        return try await view(row)
    }

    package func deleteTemplate(
        _ id: TemplateID,
        in environment: EnvironmentID,
        _ call: CallContext
    ) async throws(ServiceError) -> JobID {
        try authorise(.change, in: environment, call)
        return try await engine.submit(in: environment, for: call, rejoin: { _, _ in }) { job, writer in
            var row = try writer.ownTemplate(id, in: environment)
            if case .deleting = row.state {
                throw ServiceError(
                    .wrongState,
                    "The template '\(row.name)' is being deleted already.",
                    subject: .template(id)
                )
            }
            row.state = .deleting(job)
            try writer.update(row)
            return JobEngine.Draft(
                DeleteTemplate(template: id),
                title: row.name,
                subjects: [.template(id)],
                value: ()
            )
        }.job
    }

    private static func templates(_ job: Job, _ reader: any CatalogReader) throws -> [Template] {
        try job.subjects.compactMap { subject in
            guard case .template(let id) = subject else { return nil }
            return try reader.findTemplate(id)
        }
    }
}

extension CatalogReader {
    fileprivate func ownTemplate(_ id: TemplateID, in environment: EnvironmentID) throws(ServiceError) -> Template {
        let template = try template(id, visibleIn: environment)
        guard template.environment == environment else {
            throw ServiceError(
                .notAllowed,
                "The template '\(template.name)' belongs to another environment; change it there.",
                subject: .template(id)
            )
        }
        return template
    }
}

/// What a template will hold.
private enum TemplateContent: Sendable {
    case snapshot(SnapshotID, isFull: Bool)
    case image(ForeignImage)
}

/// A stranger's image, in a file that is there or that will be.
private struct ForeignImage: Sendable {
    var path: String
    var format: ImageFormat
    var isUpload: Bool
    var origin: RemoteImage?
}

extension LocalCloud {
    /// Longer ones are refused by many servers, and none of ours has to store them.
    private static let longestAddress = 2_048

    private func content(
        of source: CreateTemplateRequest.Source,
        _ call: CallContext
    ) async throws(ServiceError) -> TemplateContent {
        switch source {
        case .snapshot(let id, let isFull):
            return .snapshot(id, isFull: isFull)
        case .file(let path, let format, let isUpload):
            let format = try Self.imageFormat(format)
            return .image(ForeignImage(path: path, format: format, isUpload: isUpload))
        case .address(let url, let format):
            let format = try Self.imageFormat(format)
            let origin = RemoteImage(url: url, reach: call.principal.user.isOperator ? .anywhere : .publicOnly)
            try Self.requireAddress(origin)
            // Chosen once, so that a repeat after a restart goes on with what is there.
            return .image(ForeignImage(path: try await uploadPath(), format: format, isUpload: true, origin: origin))
        }
    }

    private static func imageFormat(_ text: String) throws(ServiceError) -> ImageFormat {
        guard let format = ImageFormat(rawValue: text.lowercased()) else {
            throw ServiceError(
                .invalidInput,
                "'\(text)' is no format that can be imported; it is qcow2 or raw.",
                subject: .field("format")
            )
        }
        return format
    }

    /// Refuses at once what can be seen without asking anybody; the job asks, and refuses the rest.
    private static func requireAddress(_ image: RemoteImage) throws(ServiceError) {
        let schemes =
            switch image.reach {
            case .anywhere: ["http", "https"]
            case .publicOnly: ["https"]
            }
        guard let scheme = image.url.scheme?.lowercased(), schemes.contains(scheme), image.url.host?.isEmpty == false,
            image.url.absoluteString.utf8.count <= longestAddress
        else {
            throw ServiceError(
                .invalidInput,
                """
                The address must begin with \(schemes.map { "\($0)://" }.joined(separator: " or ")), name a host, and have at \
                most \(longestAddress) characters.
                """,
                subject: .field("url")
            )
        }
    }
}

extension Snapshot {
    fileprivate func requireTemplateSource() throws(ServiceError) {
        try state.requireAvailable("The snapshot '\(name)'", subject: .snapshot(id))
        guard source.role == .root else {
            throw ServiceError(
                .invalidInput,
                "'\(name)' is a snapshot of a data volume; a template is made from a snapshot of a root volume.",
                subject: .snapshot(id)
            )
        }
    }
}

extension Layer {
    /// The intent of a layer that will depend on nothing.
    fileprivate init(building id: LayerID, pool: PoolID, size: ByteCount) {
        self.init(id: id, pool: pool, parent: nil, size: size, allocated: .zero, phase: .building)
    }
}
