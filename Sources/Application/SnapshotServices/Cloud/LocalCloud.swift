package import SnapshotDomain
package import SnapshotPorts

/// The product over our own engine: one service connection on this machine's catalog, stores and hypervisor.
///
/// A call authorises, checks the request against one catalog state, reserves rows and records a job, all in one transaction;
/// what takes time happens in the job. Reading calls put rows, open jobs and machines together into views.
package struct LocalCloud: CloudService {
    let world: World
    let engine: JobEngine
    let secrets: any Secrets
    let version: String

    /// - Parameters:
    ///   - world: The ports.
    ///   - engine: What runs the jobs.
    ///   - secrets: What keys are looked up with.
    ///   - version: What `status` says of the program.
    package init(world: World, engine: JobEngine, secrets: any Secrets, version: String) {
        self.world = world
        self.engine = engine
        self.secrets = secrets
        self.version = version
    }

    package func principal(restKey: String, address: String?) async throws(ServiceError) -> Principal? {
        try await KeyRing(world: world, secrets: secrets).principal(restKey: restKey, address: address)
    }

    package func uploadPath() async throws(ServiceError) -> String {
        do {
            return try await world.uploads.makePath()
        } catch {
            throw ServiceError(reporting: error)
        }
    }

    package func changes(after last: Int64?, _ call: CallContext) async -> ChangeStream {
        let changes = world.feed.listen(after: last)
        let (stream, continuation) = AsyncStream.makeStream(
            of: ChangeEvent.self,
            bufferingPolicy: .bufferingNewest(2 * ChangeFeed.keptEvents)
        )
        let relay = Task {
            for await event in changes.events where call.principal.may(.read, in: event.environment) {
                continuation.yield(event)
            }
            continuation.finish()
        }
        continuation.onTermination = { _ in relay.cancel() }
        return ChangeStream(events: stream, hasGap: changes.hasGap)
    }

    // MARK: What every call begins with

    func authorise(_ permission: Permission, in environment: EnvironmentID, _ call: CallContext) throws(ServiceError) {
        try call.require(permission, in: environment)
    }

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (any CatalogReader) throws -> Value
    ) async throws(ServiceError) -> Value {
        do {
            return try await world.catalog.read(body)
        } catch {
            throw ServiceError(reporting: error)
        }
    }

    func write<Value: Sendable>(
        _ body: @escaping @Sendable (any CatalogWriter) throws -> Value
    ) async throws(ServiceError) -> Value {
        do {
            return try await world.catalog.write(body)
        } catch {
            throw ServiceError(reporting: error)
        }
    }

    /// A change that needs no job, with its line in the log.
    func change<Value: Sendable>(
        _ subject: JobSubject,
        _ event: String,
        in environment: EnvironmentID,
        _ call: CallContext,
        _ body: @escaping @Sendable (any CatalogWriter) throws -> Value
    ) async throws(ServiceError) -> Value {
        let now = world.time.now
        let value = try await write { writer in
            let value = try body(writer)
            try writer.append(
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
            return value
        }
        world.feed.publish([subject], in: environment)
        return value
    }
}
