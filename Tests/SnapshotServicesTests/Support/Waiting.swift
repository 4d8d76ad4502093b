import Foundation
import Platform
import Testing

/// Every wait of these tests ends by then.
let patience = Duration.seconds(60)

/// Gives others their turn until something is so.
func until(_ what: Comment, _ isSo: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + patience
    while try await !isSo() {
        try #require(ContinuousClock.now < deadline, what)
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// Lends a new folder with a short path, for sockets, and removes it with all its content, also after a failure.
func withTemporaryFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let path = "\(NSTemporaryDirectory())/is-\(RandomName.make(length: 8))".replacing("//", with: "/")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}
