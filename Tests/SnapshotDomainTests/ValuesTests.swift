import Foundation
import SnapshotDomain
import Testing

@Suite("Identifiers and byte counts")
struct ValuesTests {
    @Test("an identifier is read in any letter case and written in lower case")
    func identifier() throws {
        let text = "0a1b2c3d-4e5f-6789-abcd-ef0123456789"
        for form in [text, text.uppercased(), "0A1b2C3d-4e5F-6789-aBcD-eF0123456789"] {
            #expect(try #require(VolumeID(form)).description == text)
        }
        let id = SnapshotID.random()
        #expect(SnapshotID(id.description) == id)
        #expect(
            String(decoding: try JSONEncoder().encode([try #require(VolumeID(text))]), as: UTF8.self)
                == #"["\#(text)"]"#
        )
    }

    @Test(
        "what is no identifier is refused",
        arguments: [
            "", "0a1b2c3d", "0a1b2c3d4e5f6789abcdef0123456789", "{0a1b2c3d-4e5f-6789-abcd-ef0123456789}",
            "0a1b2c3d-4e5f-6789-abcd-ef0123456789 ", " 0a1b2c3d-4e5f-6789-abcd-ef0123456789",
            "0a1b2c3d-4e5f-6789-abcd-ef012345678", "0a1b2c3d-4e5f-6789-abcd-ef01234567890",
            "0a1b2c3d-4e5f-6789-abcd-ef012345678g", "0a1b2c3d-4e5f-6789-abcd-ef0123456789\0",
            "../../../../../../../../../../etc/passwd", "0a1b2c3d/4e5f/6789/abcd/ef0123456789",
            "٠a1b2c3d-4e5f-6789-abcd-ef0123456789",
        ]
    )
    func noIdentifier(text: String) {
        #expect(LayerID(text) == nil)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([LayerID].self, from: JSONEncoder().encode([text]))
        }
    }

    @Test("identifiers have the order of their texts")
    func order() {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<2_000 {
            // Few different bytes, so that many halves are equal.
            let (left, right) = (Self.identifier(&random), Self.identifier(&random))
            if (left < right) != (left.description < right.description) { Issue.record("\(left), \(right)") }
        }
    }

    @Test("byte counts for people")
    func byteCounts() {
        let texts: [(Int64, String)] = [
            (0, "0 B"), (1_023, "1023 B"), (1_024, "1 KiB"), (1_536, "1.5 KiB"), (-2_048, "-2 KiB"),
            (12 << 20 | 1 << 19, "12.5 MiB"), (1 << 30, "1 GiB"), (.max, "8192 PiB"),
        ]
        for (bytes, text) in texts { #expect(ByteCount(bytes).description == text) }
        #expect(ByteCount(0).wholeGibibytes == 0)
        #expect(ByteCount(1).wholeGibibytes == 1)
        #expect(ByteCount.gibibytes(7).wholeGibibytes == 7)
        #expect(ByteCount(1).rounded(upTo: 512) == ByteCount(512))
        #expect(ByteCount(512).rounded(upTo: 512) == ByteCount(512))
    }

    private static func identifier(_ random: inout SeededGenerator) -> LayerID {
        func byte() -> UInt8 { [0, 1, 0x7F, 0x80, 0xFF][Int.random(in: 0...4, using: &random)] }
        let high = byte()
        return LayerID(UUID(uuid: (high, 0, 0, 0, 0, 0, 0, byte(), byte(), 0, 0, 0, 0, 0, 0, byte())))
    }
}
