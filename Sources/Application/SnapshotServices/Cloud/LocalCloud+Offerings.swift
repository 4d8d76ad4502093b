import Foundation
package import SnapshotDomain
import SnapshotPorts

extension LocalCloud {
    package func listComputeOfferings(_ call: CallContext) async throws(ServiceError) -> [ComputeOffering] {
        try await read { try $0.computeOfferings() }
    }

    package func listDiskOfferings(_ call: CallContext) async throws(ServiceError) -> [DiskOffering] {
        try await read { try $0.diskOfferings() }
    }

    package func createComputeOffering(
        _ wanted: NewComputeOffering,
        _ call: CallContext
    ) async throws(ServiceError) -> ComputeOffering {
        try requireOperator(call)
        let offering = ComputeOffering(
            id: UUID().uuidString.lowercased(),
            name: try Self.offeringName(wanted.name),
            description: wanted.description,
            cpuCount: wanted.cpuCount,
            memory: wanted.memory
        )
        switch (wanted.cpuCount, wanted.memory) {
        case (nil, nil):
            break
        case (let cpuCount?, let memory?):
            guard ComputeOffering.cpuBounds.contains(cpuCount),
                ComputeOffering.memoryBoundsInMebibytes.contains(Int(memory.bytes >> 20))
            else { throw DeployRequest.wrongHardware }
        default:
            throw ServiceError(
                .invalidInput,
                "An offering has both processors and memory, or leaves both to the caller.",
                subject: .field("cpuCount")
            )
        }
        return try await changeOfferings("offerings.create", offering.id, offering.name, call) { writer in
            guard try !writer.computeOfferings().contains(where: { !$0.isRetired && $0.name == offering.name }) else {
                throw Self.offeringTaken(offering.name)
            }
            try writer.insert(offering)
            return offering
        }
    }

    package func createDiskOffering(
        _ wanted: NewDiskOffering,
        _ call: CallContext
    ) async throws(ServiceError) -> DiskOffering {
        try requireOperator(call)
        let offering = DiskOffering(
            id: UUID().uuidString.lowercased(),
            name: try Self.offeringName(wanted.name),
            description: wanted.description,
            size: wanted.size
        )
        return try await changeOfferings("offerings.create", offering.id, offering.name, call) { writer in
            try offering.size?.requireVolumeSize()
            guard try !writer.diskOfferings().contains(where: { !$0.isRetired && $0.name == offering.name }) else {
                throw Self.offeringTaken(offering.name)
            }
            try writer.insert(offering)
            return offering
        }
    }

    package func retireComputeOffering(_ id: String, _ call: CallContext) async throws(ServiceError) {
        try requireOperator(call)
        let name = try await listComputeOfferings(call).first { $0.id == id }?.name ?? id
        try await changeOfferings("offerings.delete", id, name, call) { writer in
            guard var offering = try writer.computeOfferings().first(where: { $0.id == id && !$0.isRetired }) else {
                throw Self.noOffering(id)
            }
            offering.isRetired = true
            try writer.update(offering)
        }
    }

    package func retireDiskOffering(_ id: String, _ call: CallContext) async throws(ServiceError) {
        try requireOperator(call)
        let name = try await listDiskOfferings(call).first { $0.id == id }?.name ?? id
        try await changeOfferings("offerings.delete", id, name, call) { writer in
            guard var offering = try writer.diskOfferings().first(where: { $0.id == id && !$0.isRetired }) else {
                throw Self.noOffering(id)
            }
            offering.isRetired = true
            try writer.update(offering)
        }
    }

    /// A change with its line in the log, which belongs to no environment.
    private func changeOfferings<Value: Sendable>(
        _ event: String,
        _ id: String,
        _ name: String,
        _ call: CallContext,
        _ body: @escaping @Sendable (any CatalogWriter) throws -> Value
    ) async throws(ServiceError) -> Value {
        let now = world.time.now
        return try await write { writer in
            let value = try body(writer)
            try writer.append(
                ActivityEntry(
                    environment: nil,
                    actor: call.principal.actor,
                    event: event,
                    subjectKind: "offerings",
                    subjectID: id,
                    subjectName: name,
                    job: nil,
                    status: .succeeded,
                    createdAt: now
                )
            )
            return value
        }
    }

    private static func offeringName(_ name: String) throws(ServiceError) -> String {
        try ResourceName(name).description
    }

    private static func offeringTaken(_ name: String) -> ServiceError {
        ServiceError(
            .nameTaken,
            "There is an offering called '\(name)' already; choose another name.",
            subject: .field("name")
        )
    }

    private static func noOffering(_ id: String) -> ServiceError {
        ServiceError(.notFound, "There is no offering '\(id.prefix(64))'; the list of offerings says which there are.")
    }
}
