import DiskImages
import Foundation
import SnapshotDomain

/// A new, empty layer as bytes: a header and empty tables.
///
/// Cluster 0 is the header, then come the table and the blocks of reference counts, then the L1 table, which is all
/// zeros: nothing is allocated. Only a few kilobytes are written; the rest of the file is a hole.
///
/// The clusters are of 16 KiB and without subclusters: QEMU before 8.2 aborts when it streams into a file with extended
/// L2 entries, and a guest with it. After 4,000 scattered writes of 4 KiB such a layer takes 64 MiB, where clusters of
/// 64 KiB take 250 MiB, and large writes are as fast.
struct BlankLayer: Sendable {
    static let clusterBits = 14
    static let clusterSize = Int64(1) << clusterBits
    /// Features of format version 3 that a layer may come to have: QEMU sets the first when it finds damage.
    static let features = QCOW2Header.Incompatible.corrupt
    /// Sizes of disks are multiples of this.
    static let sectorSize: Int64 = 512
    private static let headerLength = 104
    /// Reference counts of 16 bits.
    private static let refcountOrder: UInt32 = 4
    private static let refcountsPerBlock = clusterSize / 2

    /// What to write where.
    let pieces: [(offset: Int64, bytes: Data)]
    /// The length of the file, in bytes.
    let length: Int64

    /// - Parameters:
    ///   - size: A multiple of ``sectorSize``.
    ///   - backing: The name of the file below, relative to the new file's folder; nil for nothing below.
    init(size: ByteCount, backing: String?) {
        let coveredByL2 = Self.clusterSize / 8 * Self.clusterSize
        let l1Entries = max(1, (size.bytes + coveredByL2 - 1) / coveredByL2)
        let l1Clusters = Self.clusters(for: l1Entries * 8)
        // Blocks and table count themselves too, so their number is found by trying.
        var blocks: Int64 = 1
        while 1 + Self.clusters(for: blocks * 8) + blocks + l1Clusters > blocks * Self.refcountsPerBlock { blocks += 1 }
        let tableClusters = Self.clusters(for: blocks * 8)
        let clusters = 1 + tableClusters + blocks + l1Clusters

        let firstBlock = 1 + tableClusters
        var table = Data()
        for block in 0..<blocks { table.appendBigEndian((firstBlock + block) * Self.clusterSize) }
        var counts = Data()
        for _ in 0..<clusters { counts.appendBigEndian(UInt16(1)) }
        let header = Self.header(
            size: size,
            backing: backing,
            l1Entries: UInt32(l1Entries),
            l1Offset: (firstBlock + blocks) * Self.clusterSize,
            tableClusters: UInt32(tableClusters)
        )
        pieces = [(0, header), (Self.clusterSize, table), (firstBlock * Self.clusterSize, counts)]
        length = clusters * Self.clusterSize
    }

    private static func clusters(for bytes: Int64) -> Int64 {
        (bytes + clusterSize - 1) / clusterSize
    }

    private static func header(
        size: ByteCount,
        backing: String?,
        l1Entries: UInt32,
        l1Offset: Int64,
        tableClusters: UInt32
    ) -> Data {
        var extensions = Data()
        if backing != nil {
            let format = Data("qcow2".utf8)
            extensions.appendBigEndian(QCOW2Header.Extension.backingFormat)
            extensions.appendBigEndian(UInt32(format.count))
            extensions.append(format)
            extensions.append(Data(count: (8 - format.count % 8) % 8))
        }
        extensions.appendBigEndian(QCOW2Header.Extension.end)
        extensions.appendBigEndian(UInt32(0))
        let name = Data((backing ?? "").utf8)

        var data = Data()
        data.appendBigEndian(QCOW2Header.magic)
        data.appendBigEndian(UInt32(3))
        data.appendBigEndian(name.isEmpty ? UInt64(0) : UInt64(headerLength + extensions.count))
        data.appendBigEndian(UInt32(name.count))
        data.appendBigEndian(UInt32(clusterBits))
        data.appendBigEndian(UInt64(size.bytes))
        data.appendBigEndian(UInt32(0))  // encryption
        data.appendBigEndian(l1Entries)
        data.appendBigEndian(UInt64(l1Offset))
        data.appendBigEndian(UInt64(clusterSize))  // table of reference counts
        data.appendBigEndian(tableClusters)
        data.appendBigEndian(UInt32(0))  // internal snapshots
        data.appendBigEndian(UInt64(0))
        data.appendBigEndian(UInt64(0))  // incompatible features
        data.appendBigEndian(UInt64(0))  // compatible features
        data.appendBigEndian(UInt64(0))  // features that an old writer clears
        data.appendBigEndian(refcountOrder)
        data.appendBigEndian(UInt32(headerLength))
        data.append(extensions)
        data.append(name)
        return data
    }
}
