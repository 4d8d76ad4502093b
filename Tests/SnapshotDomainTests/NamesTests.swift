import Foundation
import SnapshotDomain
import Testing

@Suite("Names")
struct NamesTests {
    @Test(
        "people's names are taken as they are",
        arguments: [
            "a", "web-01", "Copia de Ñandú", "übergröße", "日本語 スナップ", "x.y (2) #1 & co; 'q' \"d\" <b> %20 $HOME `id`",
            ".", "..", "-rf", "null", "~", "été", "e\u{301}", "👍", String(repeating: "n", count: 255),
            String(repeating: "👍", count: 255),
        ]
    )
    func taken(text: String) throws {
        #expect(try ResourceName(text).description == text)
    }

    @Test(
        "names that would become paths, lines or invisible are refused",
        arguments: [
            "", " ", " a", "a ", "\u{A0}a", "a\u{3000}", "a/b", "../../etc/passwd", "a\\b", "/", "a\nb", "a\r", "a\tb",
            "a\0b", "\u{1B}[31m", "a\u{7F}", "a\u{85}b", "a\u{2028}b", "a\u{2029}b", "a\u{200B}b", "a\u{202E}gnp.exe",
            "\u{FEFF}a", "a\u{AD}b", "a\u{E000}", "a\u{E0041}", "a\u{FFFF}", String(repeating: "n", count: 256),
            String(repeating: "n", count: 300), "z" + String(repeating: "\u{301}", count: 600),
        ]
    )
    func refused(text: String) {
        let error = #expect(throws: ServiceError.self) { try ResourceName(text, field: "title") }
        #expect(error?.code == .invalidInput)
        #expect(error?.subject == .field("title"))
        #expect(error?.message.contains("title") == true)
    }

    @Test("a name is the same after a trip through JSON, and a bad one is refused there too")
    func coding() throws {
        let name = try ResourceName("Ñ \"1\"")
        #expect(try JSONDecoder().decode([ResourceName].self, from: JSONEncoder().encode([name])) == [name])
        #expect(throws: ServiceError.self) {
            try JSONDecoder().decode([ResourceName].self, from: Data(#"["a/b"]"#.utf8))
        }
        #expect(throws: ServiceError.self) {
            try JSONDecoder().decode([EnvironmentName].self, from: Data(#"["A"]"#.utf8))
        }
    }

    @Test("a suffix is always kept, and the name before it shortened to what fits")
    func appending() throws {
        #expect(try ResourceName("web").appending("-2").description == "web-2")
        let long = try ResourceName(String(repeating: "n", count: 255)).appending("-100").description
        #expect(long == String(repeating: "n", count: 251) + "-100")
        // One character of many bytes, and many of four.
        for heavy in ["z" + String(repeating: "\u{301}", count: 400), String(repeating: "👍", count: 255)] {
            let name = try ResourceName(heavy).appending("-2")
            #expect(name.description.hasSuffix("-2"))
        }
        let tail = String(repeating: "x", count: 300)
        #expect(throws: ServiceError.self) { try ResourceName("a").appending(tail) }
    }

    @Test("environments have names that are safe in an address")
    func environmentNames() throws {
        for text in ["a", "production", "a-b_c-9", "-", String(repeating: "x", count: 63)] {
            #expect(try EnvironmentName(text).description == text)
        }
        for text in ["", "A", "a b", "a/b", "..", "é", "a.b", "a%2f", "a\0", String(repeating: "x", count: 64)] {
            let error = #expect(throws: ServiceError.self) { try EnvironmentName(text) }
            #expect(error?.code == .invalidInput)
        }
    }

    @Test("users have names that can be told apart, and may be addresses")
    func userNames() throws {
        for text in ["a", "ana", "ana.b-c_d+e@example.org", "7", String(repeating: "x", count: 64)] {
            #expect(try UserName(text).description == text)
        }
        for text in ["", "Ana", "a b", "a/b", "é", "a\0", "а", "a\u{200B}", String(repeating: "x", count: 65)] {
            let error = #expect(throws: ServiceError.self) { try UserName(text) }
            #expect(error?.code == .invalidInput)
        }
    }

    @Test("passwords are long, of anything that can be typed, and printed nowhere")
    func passwords() throws {
        for text in ["correct horse battery", "ñandúñandúña", String(repeating: "x", count: 1_024)] {
            #expect(try NewPassword(text).text == text)
            #expect("\(try NewPassword(text))" == "a password")
        }
        for text in ["", "elevenchars", String(repeating: "x", count: 1_025), String(repeating: "👍", count: 300)] {
            let error = #expect(throws: ServiceError.self) { try NewPassword(text) }
            #expect(error?.subject == .field("password"))
        }
    }

    @Test("pools have names that are safe as folders")
    func poolNames() {
        for text in ["a", "local", "ssd-2", String(repeating: "x", count: 32)] {
            #expect(PoolID(text)?.description == text)
        }
        for text in ["", "A", "a_b", "..", ".", "a/b", "a b", "é", "a\n", String(repeating: "x", count: 33)] {
            #expect(PoolID(text) == nil)
        }
        #expect(PoolID("local") == .local)
    }
}

@Suite("Generated names")
struct GeneratedNameTests {
    private let instant = Date(timeIntervalSince1970: 1_763_821_801.25)

    @Test("an unnamed snapshot is called after its instance, its volume and the second in UTC")
    func snapshot() throws {
        let (web, root) = (try ResourceName("web01"), try ResourceName("ROOT-web01"))
        #expect(
            try GeneratedName.snapshot(instance: web, volume: root, at: instant).description
                == "web01_ROOT-web01_20251122143001"
        )
        #expect(
            try GeneratedName.snapshot(instance: nil, volume: root, at: instant).description
                == "detached_ROOT-web01_20251122143001"
        )
        #expect(
            try GeneratedName.snapshot(instance: web, volume: root, at: instant, ordinal: 3).description
                == "web01_ROOT-web01_20251122143001_3"
        )
    }

    @Test("names of every allowed length and weight make a name that is allowed, and end in the stamp")
    func lengths() throws {
        for character in ["n", "é", "👍", "z\u{301}\u{302}\u{303}\u{304}"] {
            for count in [1, 100, 119, 120, 121, 255] {
                guard let name = try? ResourceName(String(repeating: character, count: count)) else { continue }
                for instance in [name, nil] {
                    let made = try GeneratedName.snapshot(instance: instance, volume: name, at: instant, ordinal: 12)
                    #expect(made.description.hasSuffix("_20251122143001_12"))
                    #expect(made.description.hasPrefix(instance == nil ? "detached_" : character))
                }
            }
        }
    }
}
