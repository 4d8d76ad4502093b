import CatalogSQLite
import Foundation
import GRDB
import SnapshotDomain
import SnapshotPorts
import Testing

@Suite("Catalog: transactions")
struct TransactionTests {
    private struct Refusal: Error, Equatable {
        var reason: String
    }

    @Test("a closure that throws changes nothing, and its error passes unchanged")
    func rollback() async throws {
        try await withCatalog { catalog in
            let environment = try Sample.environment()
            await #expect(throws: Refusal(reason: "changed my mind")) {
                try await catalog.write { writer in
                    try writer.insert(environment)
                    throw Refusal(reason: "changed my mind")
                }
            }
            await #expect(throws: Refusal(reason: "seen enough")) {
                try await catalog.read { _ in throw Refusal(reason: "seen enough") }
            }
            let left = try await catalog.read { try $0.listEnvironments() }
            #expect(left.isEmpty)
        }
    }

    @Test("a closure may return nothing, or nil")
    func nilResult() async throws {
        try await withCatalog { catalog in
            let written = try await catalog.write { try $0.findEnvironment(.random()) }
            let read = try await catalog.read { try $0.findEnvironment(.random()) }
            #expect(written == nil)
            #expect(read == nil)
            try await catalog.write { _ in }
        }
    }

    @Test("a refused statement can be caught, and the rest of the transaction stands")
    func refusedStatement() async throws {
        try await withCatalog { catalog in
            let (first, taken) = (try Sample.environment(), try Sample.environment())
            let second = try Sample.environment("second")
            try await catalog.write { writer in
                try writer.insert(first)
                let fault = #expect(throws: CatalogFault.self) { try writer.insert(taken) }
                #expect(fault?.code == .nameTaken)
                #expect(fault?.outcome == .notDone)
                #expect(fault?.cause?.contains("environments.name") == true)
                // The words of the schema are for the log.
                #expect(fault?.message.contains("environments") == false)
                try writer.insert(second)
            }
            let left = try await catalog.read { try $0.listEnvironments() }
            #expect(left == [first, second])
        }
    }

    @Test("an update of a row that is gone is a conflict, not a silent loss")
    func updateOfNothing() async throws {
        try await withCatalog { catalog in
            let environment = try Sample.environment()
            let fault = await #expect(throws: CatalogFault.self) {
                try await catalog.write { try $0.update(environment) }
            }
            #expect(fault?.code == .conflict)
        }
    }

    @Test("what a writer reads is still true when it writes: 200 increments from 8 tasks are 200")
    func writersSerialise() async throws {
        try await withCatalog { catalog in
            var start = try Sample.environment()
            start.description = "0"
            try await catalog.write { [start] in try $0.insert(start) }
            try await withThrowingTaskGroup { group in
                for _ in 0..<8 {
                    group.addTask { [start] in
                        for _ in 0..<25 {
                            try await catalog.write { writer in
                                guard var found = try writer.findEnvironment(start.id) else { return }
                                found.description = "\((Int(found.description) ?? 0) + 1)"
                                try writer.update(found)
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let end = try await catalog.read { [start] in try $0.findEnvironment(start.id) }
            #expect(end?.description == "200")
        }
    }

    @Test("a reader sees one state from its first to its last statement, beside a writer")
    func readersAreIsolated() async throws {
        try await withCatalog { catalog in
            let (first, second) = (try Sample.environment("first"), try Sample.environment("second"))
            try await catalog.write { try $0.insert(first) }
            let (hasRead, hasWritten) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            async let lists = catalog.read { reader in
                let before = try reader.listEnvironments()
                hasRead.signal()
                let writerWasFree = hasWritten.wait(timeout: .now() + 30) == .success
                return (before, try reader.listEnvironments(), writerWasFree)
            }
            try await catalog.write { writer in
                #expect(hasRead.wait(timeout: .now() + 30) == .success)
                try writer.insert(second)
            }
            hasWritten.signal()
            let (before, after, writerWasFree) = try await lists
            #expect(before == [first])
            #expect(after == [first])
            #expect(writerWasFree)
            let now = try await catalog.read { try $0.listEnvironments() }
            #expect(now == [first, second])
        }
    }

    @Test("a cancelled task still records how its work ended")
    func cancellation() async throws {
        try await withCatalog { catalog in
            let environment = try Sample.environment()
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await catalog.write { try $0.insert(environment) }
                return try await catalog.read { try $0.listEnvironments() }
            }
            let found = try await task.value
            #expect(found == [environment])
        }
    }

    @Test("a constraint that is checked at the commit is refused before anything is written")
    func refusedCommit() async throws {
        try await withCatalog { catalog in
            let environment = try Sample.environment()
            let layer = Sample.layer()
            let orphan = try Sample.volume(in: environment.id, on: layer.id, state: .creating(.random()))
            let fault = await #expect(throws: CatalogFault.self) {
                try await catalog.write { writer in
                    try writer.insert(environment)
                    try writer.insert(layer)
                    try writer.insert(orphan)
                }
            }
            #expect(fault?.code == .conflict)
            #expect(fault?.outcome == .notDone)
            let left = try await catalog.read { try $0.listEnvironments() }
            #expect(left.isEmpty)
        }
    }

    @Test("a job may be recorded after what it makes, in the same transaction")
    func jobComesLast() async throws {
        try await withCatalog { catalog in
            let environment = try Sample.environment()
            let layer = Sample.layer()
            let job = Sample.job(in: environment.id)
            let volume = try Sample.volume(in: environment.id, on: layer.id, state: .creating(job.id))
            try await catalog.write { writer in
                try writer.insert(environment)
                try writer.insert(layer)
                try writer.insert(volume)
                try writer.insert(job)
            }
            let found = try await catalog.read { try $0.findVolume(volume.id) }
            #expect(found == volume)
        }
    }

    @Test("a row that is no value of the domain is damage, not a crash")
    func damagedRow() async throws {
        try await withCatalogPath { path in
            try await withCatalog(at: path) { catalog in
                let environment = try Sample.environment()
                try await catalog.write { try $0.insert(environment) }
                try inspect(path) { try $0.execute(sql: "UPDATE environments SET name = '../etc'") }
                let fault = await #expect(throws: CatalogFault.self) {
                    try await catalog.read { try $0.findEnvironment(environment.id) }
                }
                #expect(fault?.code == .damaged)
            }
        }
    }
}
