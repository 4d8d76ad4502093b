/// Text as it can be pasted into a shell.
enum ShellWord {
    static func quote(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.unicodeScalars.allSatisfy { scalar in
                scalar.isASCII
                    && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                        || "-_./:@%+=".unicodeScalars.contains(scalar))
            }
        return isPlain ? text : "'\(text.replacing("'", with: "'\\''"))'"
    }
}
