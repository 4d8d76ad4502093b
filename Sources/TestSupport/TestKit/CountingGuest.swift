package import Foundation

/// A guest of one sector: it counts, and writes each number to its first disk and then to its second, for ever.
///
/// So at every instant the first disk holds what the second does, or one more. Disks that were frozen at different instants
/// hold something else as soon as the guest wrote in between.
package enum CountingGuest {
    /// Sixteen-bit code for the place where firmware puts a boot sector (0x7C00).
    ///
    /// ```
    ///         cli; xor ax, ax; mov ds, ax; mov es, ax; mov ss, ax; mov sp, 0x7C00; sti; cld
    /// next:   inc dword [0x7E00]
    ///         mov dl, 0x80; call write
    ///         mov dl, 0x81; call write
    ///         jmp next
    /// write:  mov si, packet; mov ax, 0x4300; int 0x13; ret
    /// packet: db 16, 0; dw 1, 0x7E00, 0; dq 64        ; one sector, from 0x7E00, to the disk's sector 64
    /// ```
    private static let code: [UInt8] = [
        0xFA, 0x31, 0xC0, 0x8E, 0xD8, 0x8E, 0xC0, 0x8E, 0xD0, 0xBC, 0x00, 0x7C, 0xFB, 0xFC,
        0x66, 0xFF, 0x06, 0x00, 0x7E,
        0xB2, 0x80, 0xE8, 0x07, 0x00,
        0xB2, 0x81, 0xE8, 0x02, 0x00,
        0xEB, 0xEF,
        0xBE, 0x28, 0x7C, 0xB8, 0x00, 0x43, 0xCD, 0x13, 0xC3,
        0x10, 0x00, 0x01, 0x00, 0x00, 0x7E, 0x00, 0x00, 0x40, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    ]

    /// The first sector of a disk that boots it.
    package static var bootSector: Data {
        var sector = Data(code)
        sector.append(Data(count: 510 - sector.count))
        sector.append(contentsOf: [0x55, 0xAA])
        return sector
    }

    /// Where on either disk the number is, as four bytes, the lowest first.
    package static let place = 64 * 512

    /// The number in the content of a disk, which must reach so far.
    package static func number(in content: Data) -> Int {
        (0..<4).reduce(0) { $0 | Int(content[content.startIndex + place + $1]) << (8 * $1) }
    }
}
