/// A size of machine that can be chosen.
package struct ComputeOffering: Hashable, Sendable, Identifiable {
    package let id: String
    package var name: String
    package var description: String
    /// Nil for a custom offering, where the caller names both.
    package var cpuCount: Int?
    package var memory: ByteCount?
    /// It can no longer be chosen; what was made of it keeps its name.
    package var isRetired: Bool

    package init(
        id: String,
        name: String,
        description: String = "",
        cpuCount: Int?,
        memory: ByteCount?,
        isRetired: Bool = false
    ) {
        self.id = id
        self.name = name
        self.description = description
        self.cpuCount = cpuCount
        self.memory = memory
        self.isRetired = isRetired
    }

    package var isCustom: Bool { cpuCount == nil }

    package static let cpuBounds = 1...32
    package static let memoryBoundsInMebibytes = 64...262_144

    /// Those that every catalog begins with, in the order in which they are shown.
    ///
    /// Append-only: their identities are stored, and wire formats number them by their place.
    package static let builtIn: [ComputeOffering] = [
        ComputeOffering(id: "tiny", name: "1 vCPU, 256 MiB", cpuCount: 1, memory: .mebibytes(256)),
        ComputeOffering(id: "small", name: "1 vCPU, 1 GiB", cpuCount: 1, memory: .gibibytes(1)),
        ComputeOffering(id: "medium", name: "2 vCPU, 4 GiB", cpuCount: 2, memory: .gibibytes(4)),
        ComputeOffering(id: "large", name: "4 vCPU, 8 GiB", cpuCount: 4, memory: .gibibytes(8)),
        ComputeOffering(id: "custom", name: "Custom", cpuCount: nil, memory: nil),
    ]

    package static let standard = "tiny"
}

/// A size of data disk that can be chosen.
package struct DiskOffering: Hashable, Sendable, Identifiable {
    package let id: String
    package var name: String
    package var description: String
    /// Nil for a custom offering, where the caller names the size.
    package var size: ByteCount?
    /// It can no longer be chosen; what was made of it keeps its name.
    package var isRetired: Bool

    package init(id: String, name: String, description: String = "", size: ByteCount?, isRetired: Bool = false) {
        self.id = id
        self.name = name
        self.description = description
        self.size = size
        self.isRetired = isRetired
    }

    package var isCustom: Bool { size == nil }

    /// Those that every catalog begins with, in the order in which they are shown; append-only.
    package static let builtIn: [DiskOffering] = [
        DiskOffering(id: "disk-1", name: "1 GiB", size: .gibibytes(1)),
        DiskOffering(id: "disk-10", name: "10 GiB", size: .gibibytes(10)),
        DiskOffering(id: "disk-100", name: "100 GiB", size: .gibibytes(100)),
        DiskOffering(id: "custom", name: "Custom size", size: nil),
    ]
}

/// What one disk may be.
package enum VolumeLimits {
    package static let smallest = ByteCount.mebibytes(1)
    package static let largest = ByteCount.gibibytes(16 * 1_024)
    /// The data disks that one instance can have beside its root disk.
    package static let dataVolumesPerInstance = 14
    package static let instancesPerDeployment = 1...100
}
