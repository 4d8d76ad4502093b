import Testing

@testable import WebConsole

@Suite("Console: the catalogue of messages")
struct MessagesTests {
    @Test("every language says the same things")
    func parity() {
        let keys = Messages.all.keys(in: .spanish)
        #expect(keys.count > 100)
        for language in Language.allCases { #expect(Messages.all.keys(in: language) == keys) }
    }

    @Test(
        "each language has its own plurals",
        arguments: zip(
            Language.allCases,
            [
                ["0 copias instantáneas", "1 copia instantánea", "2 copias instantáneas"],
                ["0 snapshots", "1 snapshot", "2 snapshots"],
                ["0 instantané", "1 instantané", "2 instantanés"],
            ]
        )
    )
    func plurals(_ language: Language, _ expected: [String]) {
        #expect([0, 1, 2].map { Texts(language).count("snapshot.count", $0) } == expected)
    }

    @Test("a value that looks like a name is not filled in again")
    func values() {
        let messages = Messages(["[greeting]\nen: {a} and {b}, not {c}\n"])
        #expect(Texts(.english, messages)("greeting", ["a": "{b}", "b": "x"]) == "{b} and x, not {c}")
    }
}
