import Foundation

/// The numbers of the NBD protocol that we use, and its big-endian integers.
///
/// From the protocol's specification, `doc/proto.md` of the NBD project.
enum NBDProtocol {
    static let greetingMagic: UInt64 = 0x4E42_444D_4147_4943  // "NBDMAGIC"
    static let optionMagic: UInt64 = 0x4948_4156_454F_5054  // "IHAVEOPT"
    static let optionReplyMagic: UInt64 = 0x0003_E889_0455_65A9
    static let requestMagic: UInt32 = 0x2560_9513
    static let simpleReplyMagic: UInt32 = 0x6744_6698
    static let structuredReplyMagic: UInt32 = 0x668E_33EF

    /// Fixed newstyle handshake, without the 124 zeros that nobody needs.
    static let handshakeFlags: UInt16 = 0b11

    enum Option: UInt32 {
        case go = 7
        case structuredReply = 8
        case setMetaContext = 10
    }

    enum OptionReply {
        static let acknowledge: UInt32 = 1
        static let info: UInt32 = 3
        static let metaContext: UInt32 = 4
        static let errorBit: UInt32 = 1 << 31
    }

    enum Command: UInt16 {
        case read = 0
        case write = 1
        case disconnect = 2
        case flush = 3
        case trim = 4
        case writeZeroes = 6
        case blockStatus = 7
    }

    enum CommandFlag {
        /// Return once it is on stable storage.
        static let forceUnitAccess: UInt16 = 1 << 0
        /// Zeros that take their space.
        static let noHole: UInt16 = 1 << 1
    }

    enum ChunkType {
        static let none: UInt16 = 0
        static let offsetData: UInt16 = 1
        static let offsetHole: UInt16 = 2
        static let blockStatus: UInt16 = 5
        static let errorBit: UInt16 = 1 << 15
    }

    static let chunkIsLast: UInt16 = 1
    static let allocationContext = "base:allocation"
    /// The most that every server takes or gives in one request.
    static let maximumPayloadBytes = 32 << 20
}

extension [UInt8] {
    /// Appends an integer in network order.
    mutating func append<Number: FixedWidthInteger>(bigEndian number: Number) {
        Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
    }

    /// The integer in network order at `offset`, which the array must contain.
    func bigEndian<Number: FixedWidthInteger>(_ type: Number.Type = Number.self, at offset: Int) -> Number {
        self[offset..<offset + MemoryLayout<Number>.size].reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
    }
}
