import Foundation
import Testing

@testable import CommandLine

@Suite("JSON and YAML")
struct TextFormatTests {
    private let value: JSONValue = [
        "zone": "a", "name": "web01", "id": "1", "tags": ["x", "yes", []], "none": .null, "size": 5,
        "nested": ["deep": [["b": 1, "a": true], "12"]], "empty": [:], "text": "a: b\n\"c\"",
    ]

    @Test("JSON is what any reader reads, with what identifies first")
    func json() throws {
        let text = JSONText.json(value)
        #expect(try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) == value)
        #expect(text.hasPrefix("{\n  \"id\": \"1\",\n  \"name\": \"web01\",\n  \"empty\": {},"))
    }

    @Test("YAML is a block for everything that is not empty, and quotes what could be read otherwise")
    func yaml() {
        #expect(
            YAMLText.yaml(value) == """
                id: "1"
                name: web01
                empty: {}
                nested:
                  deep:
                    - a: true
                      b: 1
                    - "12"
                none: null
                size: 5
                tags:
                  - x
                  - "yes"
                  - []
                text: "a: b\\n\\"c\\""
                zone: a
                """
        )
    }

    @Test(
        "text that YAML would take for something else is quoted",
        arguments: [
            "", "no", "Null", "1e3", "0x10", "- a", "a: b", "a #b", "*a", "&a", "!a", "é", "~", "a ", "{a}",
            "2026-11-22",
        ]
    )
    func quoting(_ text: String) {
        #expect(YAMLText.yaml(.text(text)) == JSONText.quoted(text))
    }

    @Test("lists and numbers are kept exactly")
    func numbers() throws {
        let text = #"[9007199254740993, 1.5, true, null, "1"]"#
        let value = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        #expect(value == [9_007_199_254_740_993, .number(1.5), true, .null, "1"])
        #expect(value.elements[4].int64 == 1)
    }

    @Test(
        "instants are read in every form of the wire",
        arguments: [
            ("2026-11-22T14:30:01.250Z", 1_795_357_801.25), ("2026-11-22T14:30:01Z", 1_795_357_801),
            ("2026-11-22T10:30:01-0400", 1_795_357_801), ("2026-11-22T16:30:01+02:00", 1_795_357_801),
        ]
    )
    func instants(_ text: String, _ seconds: Double) {
        #expect(WireDate.parse(text) == Date(timeIntervalSince1970: seconds))
    }

    @Test(
        "what is no instant is none",
        arguments: ["", "2026", "2026-11-22", "2026-11-22T14:30:01", "x", "2026-11-22T14:30:01Zz"]
    )
    func noInstants(_ text: String) {
        #expect(WireDate.parse(text) == nil)
    }

    @Test(
        "durations and sizes read well",
        arguments: [
            (0.0121, "12 ms"), (1, "1.0 s"), (42.4, "42 s"), (60, "1 min"), (125, "2 min 5 s"), (3_600, "1 h"),
            (7_500, "2 h 5 min"),
        ]
    )
    func durations(_ seconds: Double, _ expected: String) {
        #expect(HumanText.duration(seconds: seconds) == expected)
    }

    @Test("instants are shown in the reader's time zone")
    func zones() throws {
        let zone = try #require(TimeZone(secondsFromGMT: 3_600))
        #expect(HumanText.instant(Date(timeIntervalSince1970: 1_795_357_801), in: zone) == "2026-11-22 15:30:01")
    }

    @Test("words for a shell are quoted when they must be")
    func shellWords() {
        #expect(ShellWord.quote("ROOT-web01") == "ROOT-web01")
        #expect(ShellWord.quote("it's 5 o'clock") == #"'it'\''s 5 o'\''clock'"#)
        #expect(ShellWord.quote("") == "''")
    }
}
