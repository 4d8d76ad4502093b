import Platform
import Testing

@Suite("Settings as text")
struct SettingsTextTests {
    private func settings(_ text: String) throws -> [String] {
        try SettingsText(text).settings.map { "\($0.line) \($0.key) \($0.value)" }
    }

    @Test("settings, tables, comments and every kind of value")
    func all() throws {
        let text = """
            # How the service is run.
            listen = "127.0.0.1:8420"   # with a comment
            path='C:\\no # escapes'

            yes = true
            \tno\t=\tfalse
            [prices]
            whole = 1_000
            less = -0.000_03
            small = 3e-5
            zero = 0
            text = "a \\"quoted\\" \\u00e9\\n\\\\ # no comment"
            [prices-2]
            whole = 2
            """
        #expect(
            try settings(text) == [
                #"2 listen text("127.0.0.1:8420")"#,
                #"3 path text("C:\\no # escapes")"#,
                "5 yes flag(true)",
                "6 no flag(false)",
                "8 prices.whole integer(1000)",
                "9 prices.less decimal(-3e-05)",
                "10 prices.small decimal(3e-05)",
                "11 prices.zero integer(0)",
                #"12 prices.text text("a \"quoted\" é\n\\ # no comment")"#,
                "14 prices-2.whole integer(2)",
            ]
        )
        #expect(try settings("") == [])
        #expect(try settings("a = 1\r\nb = 2\r\n") == ["1 a integer(1)", "2 b integer(2)"])
    }

    @Test("tables of an array are told apart, also those without settings")
    func arrays() throws {
        let text = """
            [[pools]]
            name = "a"
            [[pools]]
            [service]
            name = "b"
            [[pools]]  # the third
            name = "c"
            """
        let settings = try SettingsText(text)
        #expect(
            settings.settings.map { "\($0.key) \($0.element ?? -1)" } == [
                "pools.name 0", "service.name -1", "pools.name 2",
            ]
        )
        #expect(
            settings.elements.map { "\($0.table) \($0.number) \($0.line)" } == ["pools 0 1", "pools 1 3", "pools 2 6"]
        )
    }

    @Test(
        "what is not understood is refused by its line, and not read as something else",
        arguments: [
            ("\na", 2, "needs '='"), ("a = ", 1, "needs a text"), ("a = b", 1, "needs a text"),
            ("a = 01", 1, "needs a text"), ("a = 1__0", 1, "needs a text"), ("a = 1.", 1, "needs a text"),
            ("a = .5", 1, "needs a text"), ("a = inf", 1, "needs a text"), ("a = 1 2", 1, "after the end"),
            ("a = 99999999999999999999", 1, "needs a text"), ("a = 2026-11-22", 1, "needs a text"),
            ("a = [1]", 1, "needs a text"), ("a.b = 1", 1, "needs '='"), ("a = \"x", 1, "no end"),
            ("a = 'x", 1, "no end"), ("a = \"x\" y", 1, "after the end"), ("a = \"\\q\"", 1, "means nothing"),
            ("a = \"\\u12\"", 1, "four hexadecimal"), ("a = \"\\ud800\"", 1, "four hexadecimal"),
            ("a = 1\n\na = 2", 3, "set twice"), ("[t]\n[t]", 2, "there twice"), ("[t", 1, "must end"),
            ("[]", 1, "has a name"), ("[[t]", 1, "must end with ']]'"), ("[[]]", 1, "has a name"),
            ("[ [t]]", 1, "has a name"), ("[t]\n[[t]]", 2, "single table"), ("[[t]]\n[t]", 2, "several tables"),
            ("[[t]]\na = 1\na = 2", 3, "set twice"), ("[t.u]", 1, "must end"), ("= 1", 1, "has a name"),
            ("é = 1", 1, "has a name"),
        ]
    )
    func refused(_ text: String, _ line: Int, _ reason: String) throws {
        let fault = #expect(throws: SettingsText.Fault.self) { try SettingsText(text) }
        #expect(fault?.line == line)
        #expect(fault?.reason.contains(reason) == true, "\(String(describing: fault))")
    }
}
