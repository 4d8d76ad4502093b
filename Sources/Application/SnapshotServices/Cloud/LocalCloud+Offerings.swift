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
        try await changeOfferings("offerings.create", offering.id, call) { writer in
            guard try !writer.computeOfferings().contains(where: { !$0.isRetired && $0.name == offering.name }) else {
                throw Self.offeringTaken(offering.name)
            }
            try writer.insert(offering)
            return offering.name
        }
        return offering
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
        try await changeOfferings("offerings.create", offering.id, call) { writer in
            try offering.size?.requireVolumeSize()
            guard try !writer.diskOfferings().contains(where: { !$0.isRetired && $0.name == offering.name }) else {
                throw Self.offeringTaken(offering.name)
            }
            try writer.insert(offering)
            return offering.name
        }
        return offering
    }

    package func retireComputeOffering(_ id: String, _ call: CallContext) async throws(ServiceError) {
        try requireOperator(call)
        try await changeOfferings("offerings.delete", id, call) { writer in
            guard var offering = try writer.computeOfferings().first(where: { $0.id == id && !$0.isRetired }) else {
                throw Self.noOffering(id)
            }
            offering.isRetired = true
            try writer.update(offering)
            return offering.name
        }
    }

    package func retireDiskOffering(_ id: String, _ call: CallContext) async throws(ServiceError) {
        try requireOperator(call)
        try await changeOfferings("offerings.delete", id, call) { writer in
            guard var offering = try writer.diskOfferings().first(where: { $0.id == id && !$0.isRetired }) else {
                throw Self.noOffering(id)
            }
            offering.isRetired = true
            try writer.update(offering)
            return offering.name
        }
    }

    /// A change with its line in the log, which belongs to no environment; the body tells the offering's name.
    private func changeOfferings(
        _ event: String,
        _ id: String,
        _ call: CallContext,
        _ body: @escaping @Sendable (any CatalogWriter) throws -> String
    ) async throws(ServiceError) {
        let now = world.time.now
        try await write { writer in
            let name = try body(writer)
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
