import Foundation
import Testing

@testable import Platform

/// Lends a new directory and removes it with all its content, also after a failure.
func withTemporaryDirectory<T>(_ body: (String) async throws -> T) async throws -> T {
    let path = "\(NSTemporaryDirectory())/instanta-test-\(RandomName.make())".replacing("//", with: "/")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

/// Gives others their turn until something is so; fails after ten seconds.
func until(_ what: Comment, _ isSo: () -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(10)
    while !isSo() {
        try #require(ContinuousClock.now < deadline, what)
        await Task.yield()
    }
}

/// The fault that `body` must throw.
func fault(_ body: () async throws -> Void) async throws -> PlatformFault {
    let error = await #expect(throws: PlatformFault.self) { try await body() }
    return try #require(error)
}

/// Whether a process of this number exists, a zombie included.
func exists(_ pid: Int32) -> Bool {
    kill(pid, 0) == 0
}
