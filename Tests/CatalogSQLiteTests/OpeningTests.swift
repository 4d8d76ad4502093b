import Foundation
import GRDB
import SnapshotDomain
import SnapshotPorts
import Testing

@testable import CatalogSQLite

@Suite("Catalog: opening and closing")
struct OpeningTests {
    @Test("a new catalog is made with the whole schema, for its owner only")
    func new() async throws {
        try await withCatalogPath { path in
            try await withCatalog(at: path) { catalog in
                let environments = try await catalog.read { try $0.listEnvironments() }
                #expect(environments.isEmpty)
            }
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            let applied = try inspect(path) { try CatalogSchema.migrator.appliedMigrations($0) }
            #expect(applied == CatalogSchema.migrations.map(\.name))
        }
    }

    @Test("an empty file becomes a catalog: a crash may have left it before the schema")
    func emptyFile() async throws {
        try await withCatalogPath { path in
            #expect(FileManager.default.createFile(atPath: path, contents: Data()))
            try await withCatalog(at: path) { catalog in
                let environment = try Sample.environment()
                try await catalog.write { try $0.insert(environment) }
            }
        }
    }

    @Test("what was written is there when it is opened again")
    func reopen() async throws {
        try await withCatalogPath { path in
            let environment = try Sample.environment()
            try await withCatalog(at: path) { catalog in try await catalog.write { try $0.insert(environment) } }
            let found = try await withCatalog(at: path) { catalog in
                try await catalog.read { try $0.listEnvironments() }
            }
            #expect(found == [environment])
        }
    }

    @Test("people and keys of the version before labels and shutting out are as they were")
    func beforePeople() async throws {
        try await withCatalogPath { path in
            let user = Sample.user()
            try inspect(path) { database in
                try database.execute(sql: "PRAGMA application_id = \(CatalogSchema.applicationID)")
            }
            let queue = try DatabaseQueue(path: path)
            try CatalogSchema.migrator.migrate(queue, upTo: "0002_sessions")
            try await queue.write { database in
                try database.execute(
                    sql: "INSERT INTO users VALUES (?, 'ada', 0, 'scrypt$1', ?)",
                    arguments: [user.id.stored, Sample.instant.stored]
                )
                try database.execute(
                    sql: "INSERT INTO api_keys VALUES (?, 'rest', ?, NULL, NULL, ?)",
                    arguments: [Data(repeating: 7, count: 32), user.id.stored, Sample.instant.stored]
                )
            }
            try queue.close()
            try await withCatalog(at: path) { catalog in
                try await catalog.read { reader in
                    #expect(try reader.findUser(user.id) == user)
                    #expect(try reader.passwordVerifier(of: user.id) == "scrypt$1")
                    let key = try #require(try reader.keys(of: user.id).first)
                    #expect((key.label, key.hint) == ("", ""))
                    #expect(key.lastUsedAt == nil)
                    #expect(key.createdAt == Sample.instant)
                }
            }
        }
    }

    @Test(
        "instances and volumes of the version before they could be put aside are as they were, with all that holds them"
    )
    func beforeDestroyed() async throws {
        try await withCatalogPath { path in
            try inspect(path) { database in
                try database.execute(sql: "PRAGMA application_id = \(CatalogSchema.applicationID)")
            }
            let queue = try DatabaseQueue(path: path)
            try CatalogSchema.migrator.migrate(queue, upTo: "0007_damage")
            let ids = (0..<4).map { _ in UUID() }
            let instant = Sample.instant.stored
            try await queue.write { database in
                try database.execute(
                    sql: """
                        INSERT INTO environments VALUES (:place, 'production', '', :instant);
                        INSERT INTO layers VALUES (:layer, 'local', NULL, 1024, 512, 'ready');
                        INSERT INTO instances VALUES
                            (:instance, :place, 'web01', 'tiny', 1, 1024, 'user', 'running', NULL, 'available', NULL, NULL, :instant);
                        INSERT INTO volumes VALUES
                            (:volume, :place, 'ROOT-web01', 'root', 'local', 1024, :layer, :instance, 0, NULL, NULL, 'failed',
                            NULL, 'lost', :instant, 'root-web01');
                        INSERT INTO tags VALUES (:volume, 'a', 'b', 'volume', :place);
                        INSERT INTO policies VALUES
                            (:volume, :place, :volume, 'hourly', 5, NULL, NULL, 'UTC', 3, 1, :instant);
                        """,
                    arguments: [
                        "place": ids[0], "layer": ids[1], "instance": ids[2], "volume": ids[3], "instant": instant,
                    ]
                )
            }
            try queue.close()
            try await withCatalog(at: path) { catalog in
                let (place, instanceID, volumeID) = (
                    EnvironmentID(ids[0]), InstanceID(ids[2]), VolumeID(ids[3])
                )
                try await catalog.read { reader in
                    let instance = try #require(try reader.findInstance(instanceID))
                    #expect(instance.power == .running && instance.state == .available)
                    #expect(instance.createdAt == Sample.instant)
                    let volume = try #require(try reader.volumes(of: instanceID).first)
                    #expect(volume.id == volumeID && volume.state == .failed(reason: "lost"))
                    #expect(try reader.policies(of: volumeID).count == 1)
                    #expect(try reader.tags(of: [.volume(volumeID)]).count == 1)
                    #expect(try reader.computeOfferings() == ComputeOffering.builtIn)
                    #expect(try reader.diskOfferings() == DiskOffering.builtIn)
                }
                // The counts, references and memories that hang on the tables hang on the new ones.
                try await catalog.write { writer in
                    var volume = try #require(try writer.findVolume(volumeID))
                    volume.state = .destroyed(at: Sample.instant)
                    volume.attachment = nil
                    try writer.update(volume)
                    #expect(try writer.census(of: place).volumes == [.destroyed: 1])
                    #expect(
                        try writer.listVolumes(VolumeFilter(environment: place), order: .byName, page: .all).total == 0
                    )
                    #expect(try writer.findVolume(named: volume.name, in: place) == nil)
                    try writer.deleteInstance(instanceID)
                    try writer.deleteVolume(volumeID)
                    #expect(try writer.environment(holding: .volume(volumeID)) == place)
                    #expect(try writer.tags(of: [.volume(volumeID)]).isEmpty)
                    #expect(try writer.policies(of: volumeID).isEmpty)
                    #expect(try writer.census(of: place).instances.values.reduce(0, +) == 0)
                }
                await #expect(throws: CatalogFault.self) {
                    try await catalog.write { writer in
                        try writer.insert(try Sample.instance("one", in: place))
                        try writer.insert(try Sample.instance("one", in: place))
                    }
                }
            }
        }
    }

    @Test("the connection that writes waits for the disk at every commit, and heeds foreign keys")
    func settings() async throws {
        try await withCatalogPath { path in
            let pool = try SQLiteCatalog.openPool(at: path)
            defer { try? pool.close() }
            let (synchronous, foreignKeys) = try await pool.write { database in
                (
                    try Int.fetchOne(database, sql: "PRAGMA synchronous"),
                    try Int.fetchOne(database, sql: "PRAGMA foreign_keys")
                )
            }
            #expect(synchronous == 2)
            #expect(foreignKeys == 1)
            let (mode, readerKeys) = try await pool.read { database in
                (
                    try String.fetchOne(database, sql: "PRAGMA journal_mode"),
                    try Int.fetchOne(database, sql: "PRAGMA foreign_keys")
                )
            }
            #expect(mode == "wal")
            #expect(readerKeys == 1)
        }
    }

    @Test("a file that is no database is damaged, and stays as it was")
    func garbage() async throws {
        try await withCatalogPath { path in
            let garbage = Data((0..<8_192).map { UInt8(truncatingIfNeeded: $0 * 31 + 7) })
            try garbage.write(to: URL(fileURLWithPath: path))
            try await expectFault(.damaged, opening: path)
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == garbage)
        }
    }

    @Test("a catalog that was cut short is damaged")
    func truncated() async throws {
        try await withCatalogPath { path in
            try await withCatalog(at: path) { _ in }
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try file.truncate(atOffset: 6_000)
            try file.close()
            try await expectFault(.damaged, opening: path)
        }
    }

    @Test("a catalog of a newer program is refused, and stays as it was")
    func newer() async throws {
        try await withCatalogPath { path in
            try await withCatalog(at: path) { _ in }
            try inspect(path) { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('9999_from_the_future')") }
            let before = try Data(contentsOf: URL(fileURLWithPath: path))
            try await expectFault(.unsupported, opening: path)
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
        }
    }

    @Test("another program's database is refused, and stays as it was")
    func foreign() async throws {
        try await withCatalogPath { path in
            try inspect(path) { try $0.execute(sql: "CREATE TABLE cookies (host TEXT)") }
            let before = try Data(contentsOf: URL(fileURLWithPath: path))
            try await expectFault(.unsupported, opening: path)
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
        }
    }

    @Test("a folder that is not there is an error of the file system, in words")
    func missingFolder() async throws {
        try await withTemporaryFolder { folder in
            try await expectFault(.io, opening: "\(folder)/missing/catalog.sqlite")
        }
    }

    @Test("after closing, every call fails with a fault")
    func closed() async throws {
        try await withCatalogPath { path in
            let catalog = try await SQLiteCatalog.open(at: path)
            try await catalog.close()
            try await catalog.close()
            await #expect(throws: CatalogFault.self) { try await catalog.read { try $0.listEnvironments() } }
            await #expect(throws: CatalogFault.self) { try await catalog.write { try $0.listEnvironments() } }
        }
    }

    @Test("a cancelled task can open a catalog and close it")
    func cancelled() async throws {
        try await withCatalogPath { path in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await SQLiteCatalog.open(at: path).close()
            }
            try await task.value
            // What a catalog leaves behind only while it is open.
            #expect(!FileManager.default.fileExists(atPath: "\(path)-wal"))
        }
    }

    private func expectFault(_ code: CatalogFault.Code, opening path: String) async throws {
        let fault = await #expect(throws: CatalogFault.self) { try await SQLiteCatalog.open(at: path).close() }
        #expect(fault?.code == code)
        #expect(fault?.outcome == .notDone)
    }
}

/// Opens a database beside the catalog, without any of its rules.
func inspect<Value>(_ path: String, _ body: (Database) throws -> Value) throws -> Value {
    let queue = try DatabaseQueue(path: path)
    let value = try queue.inDatabase(body)
    try queue.close()
    return value
}
