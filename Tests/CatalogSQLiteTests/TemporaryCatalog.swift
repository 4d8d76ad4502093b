import CatalogSQLite
import Foundation

/// Gives `body` a folder of its own, and removes it whatever happens.
func withTemporaryFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let folder = NSTemporaryDirectory() + "/catalog-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer {
        do {
            try FileManager.default.removeItem(atPath: folder)
        } catch {
            print("cannot remove \(folder): \(error)")
        }
    }
    return try await body(folder)
}

/// Gives `body` the path of a catalog that is not there yet.
func withCatalogPath<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    try await withTemporaryFolder { try await body("\($0)/catalog.sqlite") }
}

/// Opens a catalog for as long as `body` runs.
func withCatalog<Result>(at path: String, _ body: (SQLiteCatalog) async throws -> Result) async throws -> Result {
    let catalog = try await SQLiteCatalog.open(at: path)
    let result: Result
    do {
        result = try await body(catalog)
    } catch {
        try? await catalog.close()
        throw error
    }
    try await catalog.close()
    return result
}

/// Gives `body` an empty catalog.
func withCatalog<Result>(_ body: (SQLiteCatalog) async throws -> Result) async throws -> Result {
    try await withCatalogPath { path in try await withCatalog(at: path, body) }
}
