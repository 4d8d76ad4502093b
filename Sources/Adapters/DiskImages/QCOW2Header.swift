package import Foundation
import Glibc
import Platform

/// What the header of a qcow2 file says, read without trust.
///
/// Source of the format: QEMU's `docs/interop/qcow2.txt`. Every offset and length is checked against the file before it is
/// used, and nothing that the header names is opened.
package struct QCOW2Header: Hashable, Sendable {
    package static let magic: UInt32 = 0x5146_49FB

    /// Features that a reader must know to read the file at all.
    package enum Incompatible {
        /// Reference counts may be wrong; the content is not.
        package static let dirty: UInt64 = 1 << 0
        package static let corrupt: UInt64 = 1 << 1
        package static let dataFile: UInt64 = 1 << 2
        package static let compressionType: UInt64 = 1 << 3
        package static let extendedL2: UInt64 = 1 << 4
        package static let known: UInt64 = dirty | corrupt | dataFile | compressionType | extendedL2
    }

    /// The header extensions that matter to us.
    package enum Extension {
        package static let end: UInt32 = 0
        package static let backingFormat: UInt32 = 0xE279_2ACA
        package static let dataFileName: UInt32 = 0x4441_5441
    }

    /// The size of the disk, in bytes.
    package var size: Int64
    /// As written: a name, a path, or worse.
    package var backingFile: String?
    package var backingFormat: String?
    package var clusterBits: Int
    package var isEncrypted: Bool
    package var incompatibleFeatures: UInt64
    /// Whether a header extension names a file that holds the data.
    package var namesDataFile: Bool
}

/// Why a file is no qcow2 file that we would open.
///
/// Completes the sentence "the image is damaged: …".
package struct QCOW2Flaw: Error, Hashable {
    package var reason: String

    package init(_ reason: String) {
        self.reason = reason
    }
}

extension QCOW2Header {
    /// The bytes from the start of a file that ``init(start:fileLength:)`` may look at.
    package static let readLength = 64 << 10
    /// QEMU's own bounds (`QCOW_MAX_L1_SIZE`, `QCOW_MAX_REFTABLE_SIZE`, `QCOW_MAX_SNAPSHOTS`).
    private static let longestL1Table: UInt64 = 32 << 20
    private static let longestRefcountTable: UInt64 = 8 << 20
    private static let mostSnapshots: UInt32 = 65_536
    private static let longestBackingName: UInt32 = 1_023

    /// Reads a header.
    ///
    /// - Parameters:
    ///   - start: The first ``readLength`` bytes of the file, or all of a shorter one.
    ///   - fileLength: The length of the whole file: tables that lie beyond it are refused.
    /// - Throws: What is wrong with it.
    package init(start: Data, fileLength: Int64) throws(QCOW2Flaw) {
        let reader = BigEndianReader(start)
        guard reader.uint32(0) == Self.magic else { throw QCOW2Flaw("it does not begin as a qcow2 file does") }
        guard let version = reader.uint32(4), version == 2 || version == 3 else {
            throw QCOW2Flaw("it is not of version 2 or 3 of the format")
        }
        guard let clusterBits = reader.uint32(20), let size = reader.uint64(24), let encryption = reader.uint32(32)
        else {
            throw QCOW2Flaw("it ends within its header")
        }
        guard (9...21).contains(clusterBits) else { throw QCOW2Flaw("its cluster size is out of bounds") }
        guard size <= UInt64(Int64.max) else { throw QCOW2Flaw("its disk size of \(size) bytes is out of bounds") }
        self.size = Int64(size)
        self.clusterBits = Int(clusterBits)
        isEncrypted = encryption != 0
        var headerLength = 72
        incompatibleFeatures = 0
        if version == 3 {
            guard let features = reader.uint64(72), let order = reader.uint32(96), let length = reader.uint32(100)
            else {
                throw QCOW2Flaw("it ends within its header")
            }
            guard (104...(1 << clusterBits)).contains(length), length % 8 == 0 else {
                throw QCOW2Flaw("the length of its header is out of bounds")
            }
            guard order <= 6 else { throw QCOW2Flaw("its reference counts are wider than the format allows") }
            headerLength = Int(length)
            incompatibleFeatures = features
        }
        namesDataFile = false
        let file = File(reader: reader, clusterSize: 1 << clusterBits, length: UInt64(max(0, fileLength)))
        try Self.checkTables(of: file, size: size, hasExtendedL2: incompatibleFeatures & Incompatible.extendedL2 != 0)
        let (name, nameOffset) = try Self.backingName(in: file)
        backingFile = name
        try readExtensions(of: file, from: headerLength, to: nameOffset)
    }

    /// Reads the header of a file.
    ///
    /// Blocks on the disk.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - fileLength: Its length.
    ///   - count: How many bytes of it to look at.
    /// - Throws: ``QCOW2Flaw``, or ``PlatformFault`` when it cannot be read.
    package init(ofFile path: String, length fileLength: Int64, reading count: Int = readLength) throws {
        // One call: a `FileHandle` reads in pieces of 4 KiB, and a start reads the header of every layer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.fault("open \(path)", errno) }
        defer { close(descriptor) }
        var start = Data(count: count)
        let got = start.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard got >= 0 else { throw Self.fault("read \(path)", errno) }
        try self.init(start: start.prefix(got), fileLength: fileLength)
    }

    private static func fault(_ what: String, _ number: Int32) -> PlatformFault {
        PlatformFault(.io, outcome: .notDone, "cannot \(what): \(String(cString: strerror(number)))")
    }

    /// A file whose header is being read.
    private struct File {
        var reader: BigEndianReader
        var clusterSize: UInt64
        var length: UInt64

        func holds(_ length: UInt64, at offset: UInt64) -> Bool {
            offset % clusterSize == 0 && length <= self.length && offset <= self.length - length
        }
    }

    private static func checkTables(of file: File, size: UInt64, hasExtendedL2: Bool) throws(QCOW2Flaw) {
        guard let l1Entries = file.reader.uint32(36), let l1Offset = file.reader.uint64(40),
            let refcountOffset = file.reader.uint64(48), let refcountClusters = file.reader.uint32(56),
            let snapshots = file.reader.uint32(60), let snapshotsOffset = file.reader.uint64(64)
        else { throw QCOW2Flaw("it ends within its header") }
        let coveredByL2 = file.clusterSize / (hasExtendedL2 ? 16 : 8) * file.clusterSize
        let l1Length = UInt64(l1Entries) * 8
        guard l1Length <= longestL1Table, UInt64(l1Entries) >= size / coveredByL2 + (size % coveredByL2 > 0 ? 1 : 0)
        else {
            throw QCOW2Flaw("its table of clusters does not fit its disk size")
        }
        guard l1Entries == 0 || file.holds(l1Length, at: l1Offset) else {
            throw QCOW2Flaw("its table of clusters lies outside of the file, which may be cut short")
        }
        let refcountLength = UInt64(refcountClusters) * file.clusterSize
        guard refcountClusters > 0, refcountLength <= longestRefcountTable,
            file.holds(refcountLength, at: refcountOffset)
        else { throw QCOW2Flaw("its reference counts lie outside of the file, which may be cut short") }
        guard snapshots <= mostSnapshots, snapshots == 0 || file.holds(0, at: snapshotsOffset) else {
            throw QCOW2Flaw("its internal snapshots lie outside of the file")
        }
    }

    /// The name, and where it begins; without one, where it could begin at the latest.
    private static func backingName(in file: File) throws(QCOW2Flaw) -> (name: String?, offset: Int) {
        let end = min(Int(file.clusterSize), file.reader.count)
        guard let offset = file.reader.uint64(8), let length = file.reader.uint32(16) else {
            throw QCOW2Flaw("it ends within its header")
        }
        guard offset != 0, length != 0 else { return (nil, end) }
        guard length <= longestBackingName, offset <= UInt64(end), Int(offset) <= end - Int(length),
            let bytes = file.reader.bytes(Int(offset), Int(length))
        else { throw QCOW2Flaw("the name of its backing file lies outside of its header") }
        return (String(decoding: bytes, as: UTF8.self), Int(offset))
    }

    private mutating func readExtensions(of file: File, from start: Int, to end: Int) throws(QCOW2Flaw) {
        var offset = start
        // Without the ending extension, the area ends with the space.
        while offset <= end - 8, let kind = file.reader.uint32(offset), let length = file.reader.uint32(offset + 4) {
            guard kind != Extension.end else { return }
            guard UInt64(length) <= UInt64(end - offset - 8), let bytes = file.reader.bytes(offset + 8, Int(length))
            else {
                throw QCOW2Flaw("an extension of \(length) bytes does not fit into its header")
            }
            switch kind {
            case Extension.backingFormat: backingFormat = String(decoding: bytes, as: UTF8.self)
            case Extension.dataFileName: namesDataFile = true
            default: break
            }
            offset += 8 + (Int(length) + 7) / 8 * 8
        }
    }
}
