import Foundation

/// What a check may change.
package enum ImageRepair: Sendable {
    case nothing
    /// Clusters that nothing refers to: waste, without harm to data. A crash in the middle of writing leaves some.
    case leaks
}

/// What `qemu-img check` found.
package struct ImageCheck: Sendable, Equatable, Decodable {
    package let corruptions: Int64
    package let leakedClusters: Int64
    /// Errors that kept the check from seeing everything.
    package let checkErrors: Int64
    package let allocatedClusters: Int64?
    package let totalClusters: Int64?
    package let imageEndOffset: Int64?

    package var isSound: Bool { corruptions == 0 && checkErrors == 0 }

    private enum CodingKeys: String, CodingKey {
        case corruptions
        case leaks
        case checkErrors = "check-errors"
        case allocatedClusters = "allocated-clusters"
        case totalClusters = "total-clusters"
        case imageEndOffset = "image-end-offset"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        // Counts of zero are left out, except this one.
        checkErrors = try container.decode(Int64.self, forKey: .checkErrors)
        corruptions = try container.decodeIfPresent(Int64.self, forKey: .corruptions) ?? 0
        leakedClusters = try container.decodeIfPresent(Int64.self, forKey: .leaks) ?? 0
        allocatedClusters = try container.decodeIfPresent(Int64.self, forKey: .allocatedClusters)
        totalClusters = try container.decodeIfPresent(Int64.self, forKey: .totalClusters)
        imageEndOffset = try container.decodeIfPresent(Int64.self, forKey: .imageEndOffset)
    }
}

/// What `qemu-img info` read from an image's header.
package struct ImageDescription: Sendable, Equatable {
    package let format: String
    /// The size of the disk, in bytes.
    package let virtualSizeBytes: Int64
    /// The space the file takes, in bytes.
    package let actualSizeBytes: Int64
    package let clusterSizeBytes: Int64?
    /// As written in the header: relative to the image, or absolute, or a protocol's address.
    package let backingFile: String?
    package let backingFormat: String?
    /// Another file that holds the data.
    package let dataFile: String?
    package let isEncrypted: Bool
    package let isCorrupt: Bool
    package let hasExtendedL2: Bool
    package let internalSnapshotCount: Int
    /// Further files of a format that may have several (vmdk).
    package let extentFiles: [String]
    /// All of it.
    package let json: JSONValue

    /// Whether opening the image would open another file.
    package var refersToOtherFiles: Bool {
        backingFile != nil || dataFile != nil || extentFiles.contains { $0 != json["filename"]?.string }
    }

    init(_ json: JSONValue) {
        let specific = json["format-specific"]?["data"]
        self.json = json
        format = json["format"]?.string ?? ""
        virtualSizeBytes = json["virtual-size"]?.integer ?? 0
        actualSizeBytes = json["actual-size"]?.integer ?? 0
        clusterSizeBytes = json["cluster-size"]?.integer
        backingFile = json["backing-filename"]?.string ?? json["full-backing-filename"]?.string
        backingFormat = json["backing-filename-format"]?.string
        dataFile = specific?["data-file"]?.string
        isEncrypted = json["encrypted"]?.bool == true || specific?["encrypt"] != nil
        isCorrupt = specific?["corrupt"]?.bool == true
        hasExtendedL2 = specific?["extended-l2"]?.bool == true
        internalSnapshotCount = json["snapshots"]?.array?.count ?? 0
        extentFiles = (specific?["extents"]?.array ?? []).compactMap { $0["filename"]?.string }
    }
}

/// What `qemu-img measure` computed.
package struct ImageMeasure: Sendable, Equatable, Decodable {
    /// The size of a file with the present content.
    package let requiredBytes: Int64
    /// The size of a file with everything written.
    package let fullyAllocatedBytes: Int64

    private enum CodingKeys: String, CodingKey {
        case requiredBytes = "required"
        case fullyAllocatedBytes = "fully-allocated"
    }
}

/// A part of an image, as `qemu-img map` lists it.
package struct ImageExtent: Sendable, Equatable, Decodable {
    package let start: Int64
    package let length: Int64
    /// How many layers down it was found; 0 is the top.
    package let depth: Int
    /// Whether some layer has something for it.
    package let present: Bool
    /// Whether it reads as zeros.
    package let zero: Bool
    /// Whether there are bytes in a file.
    package let data: Bool
    /// Where in the file of its layer, when that is a plain range of it.
    package let offset: Int64?
}
