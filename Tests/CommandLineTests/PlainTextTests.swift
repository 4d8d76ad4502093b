import Testing

@testable import CommandLine

@Suite("text from elsewhere")
struct PlainTextTests {
    @Test("control characters and marks that reorder text become visible")
    func oneLine() {
        #expect(PlainText.oneLine("a\u{1B}]0;x\u{07}b\nc") == "a\\u{1B}]0;x\\u{07}b\\nc")
        #expect(PlainText.oneLine("file\u{202E}gpj.exe") == "file\\u{202E}gpj.exe")
        #expect(PlainText.oneLine("größe 日本") == "größe 日本")
    }

    @Test("a guest's console keeps its text and colours and loses everything else")
    func console() {
        var filter = ConsoleFilter()
        let text =
            "ok\r\n\t\u{1B}[1;32mgreen\u{1B}[0m\u{1B}[2J\u{1B}]0;title\u{07}\u{1B}P…\u{1B}\\\u{1B}[6n\u{7F}\u{9B}end"
        #expect(filter.pass(text) == "ok\r\n\t\u{1B}[1;32mgreen\u{1B}[0mend")
    }

    @Test("it makes no difference where the text is cut")
    func cuts() {
        let text = "a\u{1B}[31mb\u{1B}]0;t\u{1B}\\c\u{1B}[1Ad"
        for cut in 0...text.unicodeScalars.count {
            var filter = ConsoleFilter()
            let scalars = Array(text.unicodeScalars)
            let first = String(String.UnicodeScalarView(scalars[..<cut]))
            let second = String(String.UnicodeScalarView(scalars[cut...]))
            #expect(filter.pass(first) + filter.pass(second) == "a\u{1B}[31mbcd")
        }
    }

    @Test("a sequence without an end does not grow for ever")
    func endless() {
        var filter = ConsoleFilter()
        #expect(filter.pass("\u{1B}[" + String(repeating: "1", count: 1_000_000)) == "")
        #expect(filter.pass("m").utf8.count < 100)
    }
}
