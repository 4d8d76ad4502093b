import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What is known about the terminal, if there is one.
struct TerminalFacts: Hashable, Sendable {
    var isInput: Bool
    var isOutput: Bool
    var isError: Bool
    /// Columns of the terminal that output goes to; nil when output goes elsewhere and need not fit.
    var width: Int?
    /// Columns of the terminal that progress goes to.
    var errorWidth: Int
    var usesColour: Bool

    /// Neither a person nor a screen: as in a script.
    static let none = TerminalFacts(
        isInput: false,
        isOutput: false,
        isError: false,
        width: nil,
        errorWidth: 80,
        usesColour: false
    )
}

extension TerminalFacts {
    /// Looks at the process's streams.
    ///
    /// `NO_COLOR` and a dumb terminal mean no colour; `COLUMNS` overrides the width.
    init(variables: [String: String]) {
        let columns = variables["COLUMNS"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
        isInput = isatty(STDIN_FILENO) == 1
        isOutput = isatty(STDOUT_FILENO) == 1
        isError = isatty(STDERR_FILENO) == 1
        width = isOutput ? columns ?? Self.columns(of: STDOUT_FILENO) ?? 80 : nil
        errorWidth = columns ?? Self.columns(of: STDERR_FILENO) ?? 80
        let refusesColour = variables["NO_COLOR"].map { !$0.isEmpty } ?? false
        usesColour = isOutput && !refusesColour && variables["TERM"] != "dumb"
    }

    private static func columns(of descriptor: Int32) -> Int? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }
}
