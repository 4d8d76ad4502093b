import ArgumentParser

/// How a command writes its data.
enum OutputFormat: String, Sendable, CaseIterable, ExpressibleByArgument {
    /// For people: words in their language, sizes and dates as they read them.
    case table
    /// For programs: what the service sent.
    ///
    /// Fields may be added and are never taken away.
    case json
    /// The same as `json`, easier to read.
    case yaml
}
