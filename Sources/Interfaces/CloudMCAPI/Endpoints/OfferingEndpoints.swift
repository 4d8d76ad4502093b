import HTTPCommon
import Hummingbird
import SnapshotDomain
import SnapshotServices

/// What can be chosen, and the kinds of resource that CloudMC has and this service does not.
enum OfferingEndpoints {
    static let all: [Endpoint] =
        [
            .get(environmentRoot + "/computeofferings") { call in
                try await list(call, try await call.computeOfferings().map { ComputeOfferingPayload($0) })
            },
            .get(environmentRoot + "/computeofferings/:id") { call in
                try await show(
                    call,
                    try await call.computeOfferings().first { $0.id == call.part("id") }.map(
                        ComputeOfferingPayload.init
                    )
                )
            },
            .get(environmentRoot + "/diskofferings") { call in
                try await list(call, try await call.diskOfferings().map { DiskOfferingPayload($0) })
            },
            .get(environmentRoot + "/diskofferings/:id") { call in
                try await show(
                    call,
                    try await call.diskOfferings().first { $0.id == call.part("id") }.map(DiskOfferingPayload.init)
                )
            },
            .get(environmentRoot + "/zones") { call in
                try await list(call, [ZonePayload(call.configuration)])
            },
            .get(environmentRoot + "/zones/:id") { call in
                try await show(
                    call,
                    call.part("id") == call.configuration.zoneID ? ZonePayload(call.configuration) : nil
                )
            },
        ]
        + absent.map { kind in
            .get("\(environmentRoot)/\(kind)") { call in try await list(call, [IdentityPayload]()) }
        }

    /// Kinds of CloudMC that there are none of here.
    ///
    /// Clients list them without being asked to.
    static let absent = ["networks", "vpcs", "publicipaddresses", "sshkeys", "isos", "affinitygroups"]

    private static func list(_ call: Call, _ rows: [some Encodable & Sendable]) async throws -> Response {
        _ = try await call.environment()
        return try .json(ListPayload(rows))
    }

    private static func show(_ call: Call, _ row: (some Encodable & Sendable)?) async throws -> Response {
        _ = try await call.environment()
        guard let row else { throw ServiceError(.notFound, "There is nothing of that id in this list.") }
        return try .json(DataPayload(row))
    }
}

extension Call {
    /// Those that can be chosen.
    func computeOfferings() async throws(ServiceError) -> [ComputeOffering] {
        try await cloud.listComputeOfferings(caller).filter { !$0.isRetired }
    }

    /// Those that can be chosen.
    func diskOfferings() async throws(ServiceError) -> [DiskOffering] {
        try await cloud.listDiskOfferings(caller).filter { !$0.isRetired }
    }
}

struct ComputeOfferingPayload: Encodable, Sendable {
    let id: String
    let name: String
    let custom: Bool
    let cpuCount: Int?
    let memoryInMB: Int64?
    let availableCpuCountValues: [Int]?
    let availableMemoryInMBValues: [Int]?
    let maxMemoryInMBToCpuRatio: Int?

    init(_ offering: ComputeOffering) {
        id = offering.id
        name = offering.name
        custom = offering.isCustom
        cpuCount = offering.cpuCount
        memoryInMB = offering.memory.map { $0.bytes >> 20 }
        // Every number within the bounds is allowed; a list for choosing from shows the usual ones.
        availableCpuCountValues = offering.isCustom ? Self.doublings(of: ComputeOffering.cpuBounds) : nil
        availableMemoryInMBValues =
            offering.isCustom ? Self.doublings(of: ComputeOffering.memoryBoundsInMebibytes) : nil
        maxMemoryInMBToCpuRatio = offering.isCustom ? ComputeOffering.memoryBoundsInMebibytes.upperBound : nil
    }

    private static func doublings(of bounds: ClosedRange<Int>) -> [Int] {
        Array(sequence(first: bounds.lowerBound) { $0 * 2 <= bounds.upperBound ? $0 * 2 : nil })
    }
}

struct DiskOfferingPayload: Encodable, Sendable {
    let id: String
    let name: String
    let gbSize: Int64?
    let customSize: Bool
    let customIops = false

    init(_ offering: DiskOffering) {
        id = offering.id
        name = offering.name
        gbSize = offering.size?.wholeGibibytes
        customSize = offering.isCustom
    }
}

struct ZonePayload: Encodable, Sendable {
    let id: String
    let name: String

    init(_ configuration: CloudMCConfiguration) {
        id = configuration.zoneID
        name = configuration.zoneName
    }
}
