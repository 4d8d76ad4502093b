import Foundation
import Testing

@testable import CommandLine

@Suite("SHA-256")
struct SHA256Tests {
    private func hex(_ hash: SHA256) -> String {
        hash.digest().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private func hash(_ data: Data, pieces: Int) -> SHA256 {
        var hash = SHA256()
        var rest = data[...]
        while !rest.isEmpty {
            rest.prefix(pieces).withUnsafeBytes { hash.update($0) }
            rest = rest.dropFirst(pieces)
        }
        return hash
    }

    @Test(
        "the standard's examples come out, in pieces of any size",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ]
    )
    func examples(_ text: String, _ expected: String) {
        for pieces in [1, 3, 63, 64, 65, 1_000] {
            #expect(hex(hash(Data(text.utf8), pieces: pieces)) == expected)
        }
    }

    @Test("every length around a block is padded right")
    func lengths() {
        #expect(
            hex(hash(Data(repeating: 0x61, count: 100_000), pieces: 4_096))
                == "6d1cf22d7cc09b085dfc25ee1a1f3ae0265804c607bc2074ad253bcc82fd81ee"
        )
        for length in 50...130 {
            let data = Data(repeating: 0x5A, count: length)
            #expect(hash(data, pieces: 7).digest() == hash(data, pieces: 1_000).digest())
        }
    }
}
