import CatalogSQLite
import Foundation
import SnapshotDomain
import SnapshotPorts
import Testing

@Suite("Catalog: a process that is killed")
struct DurabilityTests {
    @Test("keeps what it was told is written")
    func killedAfterTheAnswer() async throws {
        try await withCatalogPath { path in
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
                let catalog = try await SQLiteCatalog.open(at: path)
                for name in ["one", "two"] {
                    let environment = try Sample.environment(name)
                    try await catalog.write { try $0.insert(environment) }
                }
                kill(getpid(), SIGKILL)
            }
            try await withCatalog(at: path) { catalog in
                let names = try await catalog.read { try $0.listEnvironments().map(\.name.description) }
                #expect(names == ["one", "two"])
            }
        }
    }

    @Test("leaves nothing of a transaction that it was in the middle of")
    func killedInTheMiddle() async throws {
        try await withCatalogPath { path in
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
                let catalog = try await SQLiteCatalog.open(at: path)
                let environments = try (0..<500).map { try Sample.environment("environment-\($0)") }
                try await catalog.write { writer in
                    for environment in environments { try writer.insert(environment) }
                    kill(getpid(), SIGKILL)
                }
            }
            try await withCatalog(at: path) { catalog in
                let left = try await catalog.read { try $0.listEnvironments() }
                #expect(left.isEmpty)
                let environment = try Sample.environment()
                try await catalog.write { try $0.insert(environment) }
            }
        }
    }
}
