import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// Finding, listing and showing resources.
extension Call {
    func volume(_ id: VolumeID, in environment: EnvironmentID) async throws(ServiceError) -> VolumeView {
        try await cloud.volume(id, in: environment, caller)
    }

    func snapshot(_ id: SnapshotID, in environment: EnvironmentID) async throws(ServiceError) -> SnapshotView {
        try await cloud.snapshot(id, in: environment, caller)
    }

    func template(_ id: TemplateID, in environment: EnvironmentID) async throws(ServiceError) -> TemplateView {
        try await cloud.template(id, in: environment, caller)
    }

    func instance(_ id: InstanceID, in environment: EnvironmentID) async throws(ServiceError) -> InstanceView {
        try await cloud.instance(id, in: environment, caller)
    }

    /// A view with what objects say around it.
    func owned<View: Referable>(_ view: View) async throws(ServiceError) -> Owned<View> {
        let tags = try await cloud.tags(of: [view.reference], caller)[view.reference] ?? []
        return Owned(view, owner: owner(of: view.home), tags: tags, zone: configuration.zoneName)
    }

    /// One object as the answer of a command.
    func answer<View: Referable>(_ view: View, _ shape: Shape<Owned<View>>) async throws -> Answer {
        .object(shape.json(try await owned(view)), named: shape.name)
    }

    /// A page of a list, over all environments that it is about: one after the other, each in its order.
    ///
    /// - Parameters:
    ///   - shape: The objects' form.
    ///   - isWanted: Which rows count, where the catalog cannot tell; nil for all. Then the whole list is read.
    ///   - rows: Reads a part of one environment's list.
    /// - Returns: The answer.
    /// - Throws: What reading throws, and ``APIFailure`` for a page that cannot be.
    func list<View: Referable>(
        _ shape: Shape<Owned<View>>,
        where isWanted: ((View) -> Bool)? = nil,
        _ rows: (EnvironmentID, PageRequest) async throws(ServiceError) -> CatalogPage<View>
    ) async throws -> Answer {
        let page = try Page(arguments)
        var found: [View] = []
        var total = 0
        if let isWanted {
            for environment in environments.map(\.id) {
                found += try await Self.everything(from: 0) { page throws(ServiceError) in
                    try await rows(environment, page)
                }.rows.filter(isWanted)
            }
            total = found.count
            found = page.cut(found)
        } else {
            for environment in environments.map(\.id) {
                let (offset, room) = (max(0, page.offset - total), (page.limit ?? .max) - found.count)
                let part = try await Self.everything(from: offset, atMost: room) { page throws(ServiceError) in
                    try await rows(environment, page)
                }
                found += part.rows
                total += part.total
            }
        }
        let tags = try await cloud.tags(of: found.map(\.reference), caller)
        let objects = found.map { view in
            Owned(view, owner: owner(of: view.home), tags: tags[view.reference] ?? [], zone: configuration.zoneName)
        }
        return .rows(objects.map(shape.json), total: total, named: shape.name)
    }

    /// As many rows as there are from an offset on, up to a number, in as many pages as that takes.
    private static func everything<View>(
        from offset: Int,
        atMost room: Int = .max,
        _ rows: (PageRequest) async throws(ServiceError) -> CatalogPage<View>
    ) async throws(ServiceError) -> CatalogPage<View> {
        var found: [View] = []
        while true {
            let wanted = min(room - found.count, PageRequest.largest)
            let page = try await rows(PageRequest(offset: offset + found.count, limit: wanted))
            found += page.rows.prefix(max(0, wanted))
            if found.count >= room || offset + found.count >= page.total || page.rows.isEmpty {
                return CatalogPage(rows: found, total: page.total)
            }
        }
    }

    /// The identities that `id` or `ids` ask for; nil when none is asked for.
    func wantedIDs<Subject>() throws(APIFailure) -> Set<Identifier<Subject>>? {
        let (one, many) = (arguments.text("id"), arguments.list("ids"))
        guard one == nil || many.isEmpty else {
            throw .invalid("The parameters id and ids cannot be given together.")
        }
        if let one { return Identifier<Subject>(one).map { [$0] } ?? [] }
        return many.isEmpty ? nil : Set(arguments.ids("ids"))
    }

    /// The exact name that is asked for; nil when none is, and no name at all fits what cannot be a name.
    func wantedName() throws(NoSuchRow) -> ResourceName? {
        guard let text = arguments.text("name") else { return nil }
        do {
            return try ResourceName(text)
        } catch {
            throw NoSuchRow()
        }
    }

    /// The tags that are asked for; nil when none is.
    var wantedTags: [TagCondition]? {
        let pairs = arguments.pairs("tags").map { TagCondition(key: $0.key, value: $0.value) }
        return pairs.isEmpty ? nil : pairs
    }

    /// A value that the registry has checked to be there and to be an id.
    func requiredID<Subject>(_ name: String) throws(APIFailure) -> Identifier<Subject> {
        guard let id: Identifier<Subject> = arguments.id(name) else {
            throw refuse("the parameter \(name) is missing or no id.")
        }
        return id
    }

    func newName(_ parameter: String = "name") throws -> ResourceName? {
        try arguments.text(parameter).map { text throws(ServiceError) in try ResourceName(text, field: parameter) }
    }

    func gibibytes(_ name: String) throws(APIFailure) -> ByteCount? {
        guard let count = arguments.integer(name) else { return nil }
        let largest = VolumeLimits.largest.wholeGibibytes
        guard (1...largest).contains(Int64(count)) else {
            throw refuse("\(name) is from 1 to \(largest) GiB, not \(count).")
        }
        return .gibibytes(Int64(count))
    }

    /// Hangs tags on what was just made.
    func tag(_ resource: ResourceReference) async throws {
        var tags: [ResourceTag] = []
        for pair in arguments.pairs("tags") {
            tags.append(try ResourceTag(on: resource, in: try environment, key: pair.key, value: pair.value ?? ""))
        }
        if !tags.isEmpty { _ = try await cloud.addTags(tags, in: try environment, caller) }
    }

    /// The id of the job that an act would have had: that of the line which was just written of it.
    func receipt(_ event: String, _ subject: String, in place: EnvironmentID?? = nil) async throws -> Receipt {
        let filter = ActivityFilter(environment: try place ?? environment, event: event, subject: subject)
        let lines = try await cloud.listActivity(filter, page: PageRequest(limit: 1), caller)
        return Receipt(line: lines.rows.first?.id ?? 0)
    }

    /// Makes something of a volume as it is now, by a snapshot that goes when it has served.
    ///
    /// A service that dies in between leaves the snapshot, which its owner sees and can delete.
    func passing<Made>(
        _ volume: VolumeID,
        _ make: (SnapshotID) async throws -> Submitted<Made>
    ) async throws -> Submitted<Made> {
        // The key of a repeated request belongs to what is made, and to none of the steps to it.
        var steps = caller
        steps.idempotencyKey = nil
        let place = try environment
        let taken = try await cloud.takeSnapshots(TakeSnapshotRequest(target: .volume(volume)), in: place, steps)
        guard let snapshot = taken.resource.first?.snapshot.id else { throw refuse("the volume cannot be read.") }
        try await finish(taken.job)
        do {
            let made = try await make(snapshot)
            // After what reads it, which is before it in the queue.
            _ = try await cloud.deleteSnapshot(snapshot, in: place, steps)
            return made
        } catch {
            _ = try? await cloud.deleteSnapshot(snapshot, in: place, steps)
            throw error
        }
    }

    /// Waits for a job that the protocol has no job for.
    func finish(_ job: JobID) async throws {
        let task = try await cloud.awaitTask(job, atMost: configuration.patience, caller)
        if let failure = task.failure { throw failure }
        guard task.job.phase.isEnded else {
            throw APIFailure(.internalError, "It still goes on, as job \(job); ask queryAsyncJobResult for it.")
        }
    }
}

/// Nothing can fit what a list asks for: it is empty.
struct NoSuchRow: Error {}
