import HTTPCommon
import Hummingbird
import SnapshotDomain
import SnapshotServices

/// `POST …/instances`, and instances from snapshots.
enum InstanceCreation {
    /// What both have in common.
    struct Body: Decodable {
        @Lenient var name: String?
        @Lenient var templateId: TemplateID?
        /// The documented answer calls it so; some callers send back what they got.
        @Lenient var imageId: TemplateID?
        @Lenient var computeOfferingId: String?
        @Lenient var cpuCount: Int?
        @Lenient var memoryInMB: Int?
        @Lenient var rootVolumeSizeInGb: Int?
        @Lenient var diskOfferingId: String?
        @Lenient var additionalDiskSizeInGb: Int?
        @Lenient var volumeIdToAttach: VolumeID?
        @Lenient var networkId: String?
        /// Whether there is a network at all.
        ///
        /// This and the rest are **ext**.
        @Lenient var network: Bool?
        @Lenient var count: Int?
        @Lenient var startInstance: Bool?
        /// The name or id of the environment that gets the instances.
        @Lenient var environment: String?
        /// Where its volumes are made.
        @Lenient var poolId: String?

        func request(
            _ source: DeploymentSource,
            network mode: NetworkMode,
            _ disks: [DiskOffering]
        ) throws(ServiceError) -> DeployRequest {
            DeployRequest(
                source: source,
                name: try Input.requiredName(name),
                count: count ?? 1,
                computeOffering: computeOfferingId ?? ComputeOffering.standard,
                cpuCount: cpuCount,
                memory: try Input.mebibytes(memoryInMB, "memoryInMB"),
                network: mode,
                rootVolumeSize: try Input.gibibytes(rootVolumeSizeInGb, "rootVolumeSizeInGb"),
                dataVolumeSize: try dataVolumeSize(disks),
                attaching: volumeIdToAttach,
                startsInstances: startInstance ?? true,
                pool: try Input.pool(poolId)
            )
        }

        /// An offering of a fixed size says it; for the custom one, or without any, the caller does.
        private func dataVolumeSize(_ disks: [DiskOffering]) throws(ServiceError) -> ByteCount? {
            let asked = try Input.gibibytes(additionalDiskSizeInGb, "additionalDiskSizeInGb")
            guard let diskOfferingId else { return asked }
            return try disks.size(of: diskOfferingId, asked: asked, "additionalDiskSizeInGb")
        }

        /// `network` decides; else a `networkId` that is one of our modes; else the default.
        func networkMode(default standard: NetworkMode) -> NetworkMode {
            if let network { return network ? .user : .isolated }
            return networkId.flatMap { NetworkMode(rawValue: $0) } ?? standard
        }
    }

    @Sendable
    static func create(_ call: Call) async throws -> Response {
        let home = try await call.environment()
        let body: Body = try await call.body()
        let template = try Input.required(body.templateId ?? body.imageId, "templateId")
        let target = try await call.environment(named: body.environment) ?? home
        let request = try body.request(
            .template(template),
            network: body.networkMode(default: .user),
            try await call.diskOfferings()
        )
        let submitted = try await call.cloud.deploy(request, in: target.id, call.caller)
        return try await call.answer(submitted.job)
    }

    /// From a snapshot, isolated by default: what it is a copy of may still be at work.
    @Sendable
    static func createFromSnapshot(_ call: Call) async throws -> Response {
        let home = try await call.environment()
        let body: Body = try await call.body()
        let id: SnapshotID = try call.id("snapshots")
        // The address names the snapshot's environment, and the service looks for it everywhere.
        _ = try await call.cloud.snapshot(id, in: home.id, call.caller)
        let target = try await call.environment(named: body.environment) ?? home
        let request = try body.request(
            .snapshot(id),
            network: body.networkMode(default: .isolated),
            try await call.diskOfferings()
        )
        let submitted = try await call.cloud.deploy(request, in: target.id, call.caller)
        return try await call.answer(submitted.job)
    }
}

extension [DiskOffering] {
    /// The size of a disk of an offering.
    func size(of id: String, asked: ByteCount?, _ field: String) throws(ServiceError) -> ByteCount {
        guard let offering = first(where: { $0.id == id }) else {
            throw ServiceError(
                .invalidInput,
                "There is no disk offering '\(id.prefix(64))'; the list is at diskofferings.",
                subject: .field("diskOfferingId")
            )
        }
        guard let size = offering.size ?? asked else {
            throw ServiceError(
                .invalidInput,
                "The disk offering '\(id)' has no size of its own; give one in '\(field)'.",
                subject: .field(field)
            )
        }
        return size
    }
}
