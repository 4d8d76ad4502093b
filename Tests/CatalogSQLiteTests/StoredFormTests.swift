import Foundation
import GRDB
import SnapshotDomain
import SnapshotPorts
import Testing

@testable import CatalogSQLite

/// What is in files already: a test that fails here says that a migration is missing, not that the test is old.
@Suite("Catalog: stored forms are frozen")
struct StoredFormTests {
    @Test("released migrations are never edited")
    func migrations() {
        let digests = CatalogSchema.migrations.map { "\($0.name) \(Self.digest($0.sql))" }
        #expect(
            digests == [
                "0001_first_light 44471a294fd5e3d0",
                "0002_sessions 469bd14a436a5a0f",
                "0003_people 9c72c369f74e541a",
                "0004_tags b2b62226d6f4db89",
                "0005_group_names 83bfca0e882db663",
                "0006_policies ba3b621a80869393",
                "0007_damage 80ea1d8493d2a53a",
                "0008_memory fcd225a0c50d6438",
                "0009_destroyed 54d46e89c9d4fec7",
                "0010_offerings 88d008fbdddd9e87",
                "0011_template_copies e967146bab5c2c87",
            ]
        )
    }

    @Test("a row of each table, as SQLite shows it")
    func rows() async throws {
        try await withCatalogPath { path in
            let environmentID = EnvironmentID(try #require(UUID(uuidString: "00000000-0000-0000-0000-0000000000E0")))
            try await withCatalog(at: path) { catalog in
                let ids = try (1...9).map { try #require(UUID(uuidString: "00000000-0000-0000-0000-00000000000\($0)")) }
                let environment = Environment(
                    id: environmentID,
                    name: try EnvironmentName("production"),
                    description: "",
                    createdAt: Sample.instant
                )
                let base = Sample.layer(id: Identifier(ids[1]))
                let layer = Sample.layer(on: base.id, id: Identifier(ids[2]))
                let failure = ServiceError(.noSpace, "The pool is full.", subject: .pool(.local))
                let job = Job(
                    id: Identifier(ids[3]),
                    kind: .createSnapshots,
                    title: "web",
                    environment: environment.id,
                    actor: Actor(user: Identifier(ids[4]), name: "ada", address: "192.0.2.7"),
                    subjects: [.volume(Identifier(ids[5])), .snapshot(Identifier(ids[6]))],
                    reads: [
                        .template(Identifier(ids[5])), .instance(Identifier(ids[6])), .environment(environment.id),
                    ],
                    program: Data("{}".utf8),
                    phase: .ended(.failed(failure), at: Sample.instant),
                    createdAt: Sample.instant
                )
                let consistency = ConsistencyRecord(
                    requested: .filesystem,
                    achieved: .crash,
                    freezeMilliseconds: 12,
                    agentAnswer: "no"
                )
                let snapshot = Snapshot(
                    id: Identifier(ids[6]),
                    environment: environment.id,
                    name: try Sample.name("Before"),
                    description: "d",
                    source: Snapshot.Source(
                        volume: Identifier(ids[5]),
                        volumeName: try Sample.name("ROOT"),
                        role: .root,
                        instance: nil,
                        instanceName: nil
                    ),
                    pool: .local,
                    layer: layer.id,
                    size: .gibibytes(1),
                    origin: .undo(of: Identifier(ids[5]), expiresAt: Sample.instant + 1),
                    consistency: consistency,
                    verification: Verification(digest: ContentDigest("tree-sha256:00"), verifiedAt: Sample.instant),
                    damage: Damage(reason: "Other bytes.", foundAt: Sample.instant),
                    state: .creating(job.id),
                    createdAt: Sample.instant
                )
                try await catalog.write { writer in
                    try writer.insert(environment)
                    try writer.insert(base)
                    try writer.insert(layer)
                    try writer.insert(job)
                    try writer.insert(snapshot)
                }
            }
            func line(_ sql: String) throws -> String {
                try inspect(path) { database in
                    let row = try #require(try Row.fetchOne(database, sql: sql))
                    return row.databaseValues
                        .map { value in String.fromDatabaseValue(value).map { "'\($0)'" } ?? value.description }
                        .joined(separator: " ")
                }
            }
            let instant = "1763821801250000000"
            #expect(
                try line("SELECT lower(hex(id)), name, created_at FROM environments")
                    == "'000000000000000000000000000000e0' 'production' \(instant)"
            )
            #expect(
                try line("SELECT lower(hex(id)), pool, parent_id IS NULL, size, allocated, phase FROM layers")
                    == "'00000000000000000000000000000002' 'local' 1 10737418240 3145728 'ready'"
            )
            #expect(
                try line("SELECT kind, title, phase, outcome, ended_at FROM jobs")
                    == "'create_snapshots' 'web' 'ended' 'failed' \(instant)"
            )
            #expect(
                try line("SELECT error FROM jobs") == #"""
                    '{"code":"no_space","expectedStates":[],"message":"The pool is full.",\#
                    "subject":{"id":"local","kind":"pools"}}'
                    """#
            )
            #expect(
                try line("SELECT subjects FROM jobs") == #"""
                    '[{"id":"00000000-0000-0000-0000-000000000006","kind":"volume"},\#
                    {"id":"00000000-0000-0000-0000-000000000007","kind":"snapshot"}]'
                    """#
            )
            #expect(
                try line("SELECT reads FROM jobs") == #"""
                    '[{"id":"00000000-0000-0000-0000-000000000006","kind":"template"},\#
                    {"id":"00000000-0000-0000-0000-000000000007","kind":"instance"},\#
                    {"id":"00000000-0000-0000-0000-0000000000e0","kind":"environment"}]'
                    """#
            )
            #expect(
                try line("SELECT name, source_role, origin, undo_expires_at, state, failure FROM snapshots")
                    == "'Before' 'root' 'undo' 1763821802250000000 'creating' NULL"
            )
            #expect(
                try line("SELECT consistency FROM snapshots") == #"""
                    '{"achieved":"crash","agentAnswer":"no","freezeMilliseconds":12,"requested":"filesystem"}'
                    """#
            )
            #expect(
                try line("SELECT digest, verified_at, search_text FROM snapshots")
                    == "'tree-sha256:00' \(instant) 'before\nroot'"
            )
            #expect(try line("SELECT damage, damage_found_at FROM snapshots") == "'Other bytes.' \(instant)")
        }
    }

    @Test("words of the ports")
    func words() {
        #expect(StoredKey.Kind.allCases.map(\.rawValue) == ["rest", "query"])
        #expect(ImageFormat.allCases.map(\.rawValue) == ["qcow2", "raw"])
    }

    @Test("every word of the domain is one that the schema takes")
    func wordsOfTheDomain() async throws {
        try await withCatalog { catalog in
            let environment = try Sample.environment()
            let job = Sample.job(in: environment.id)
            try await catalog.write { writer in
                try writer.insert(environment)
                try writer.insert(job)
                for (index, kind) in Job.Kind.allCases.enumerated() {
                    try writer.insert(
                        Job(
                            id: .random(),
                            kind: kind,
                            title: "\(index)",
                            environment: environment.id,
                            actor: Actor(user: nil, name: "instanta"),
                            subjects: [],
                            program: Data(),
                            createdAt: Sample.instant
                        )
                    )
                }
                for power in Instance.Power.allCases {
                    for network in NetworkMode.allCases {
                        var instance = try Sample.instance("\(power) \(network)", in: environment.id)
                        instance.power = power
                        instance.network = network
                        try writer.insert(instance)
                        #expect(try writer.findInstance(instance.id) == instance)
                    }
                }
                let states: [ResourceState] = [
                    .creating(job.id), .available, .deleting(job.id), .failed(reason: "no"),
                    .destroyed(at: Sample.instant),
                ]
                #expect(Set(states.map(\.word)) == Set(ResourceState.Word.allCases))
                for (index, state) in states.enumerated() {
                    for role in Volume.Role.allCases {
                        let layer = Sample.layer()
                        try writer.insert(layer)
                        var volume = try Sample.volume("\(index) \(role)", in: environment.id, on: layer.id)
                        volume.role = role
                        volume.state = state
                        try writer.insert(volume)
                        #expect(try writer.findVolume(volume.id) == volume)
                        // Only volumes and instances are put aside.
                        guard state.destroyedAt == nil else { continue }
                        var template = try Sample.template("\(index) \(role)", in: environment.id, on: layer.id)
                        template.state = state
                        try writer.insert(template)
                        #expect(try writer.findTemplate(template.id) == template)
                        var snapshot = try Sample.snapshot("\(index) \(role)", in: environment.id, on: layer.id)
                        snapshot.source.role = role
                        snapshot.state = state
                        try writer.insert(snapshot)
                        #expect(try writer.findSnapshot(snapshot.id) == snapshot)
                    }
                }
                for status in ActivityEntry.Status.allCases {
                    try writer.append(Sample.activity(in: environment.id, status: status))
                }
                for role in Role.allCases {
                    let user = Sample.user(role.rawValue)
                    try writer.insert(user, passwordVerifier: "")
                    try writer.setRole(role, of: user.id, in: environment.id)
                    #expect(try writer.roles(of: user.id) == [environment.id: role])
                }
            }
        }
    }

    @Test("instants of this century are exact, and those that cannot be written become the nearest that can")
    func instants() {
        var random = SeededGenerator(seed: 5)
        for _ in 0..<10_000 {
            // From 2002 to 2100, with every bit that a Date has.
            let date = Date(timeIntervalSinceReferenceDate: Double.random(in: 3e7...3.1e9, using: &random))
            #expect(Date(stored: date.stored) == date)
        }
        let known: [(Double, Int64)] = [
            (-9e9, -9_000_000_000_000_000_000), (-1.5, -1_500_000_000), (-0.25, -250_000_000), (0, 0),
            (0.125, 125_000_000), (1_763_821_801.25, 1_763_821_801_250_000_000),
        ]
        for (seconds, nanoseconds) in known {
            let date = Date(timeIntervalSince1970: seconds)
            #expect(date.stored == nanoseconds)
            #expect(Date(stored: nanoseconds) == date)
        }
        for bound in [
            Date.distantFuture, Date(timeIntervalSince1970: 1e30), Date(timeIntervalSinceReferenceDate: 1e18),
        ] {
            #expect(bound.stored == .max)
        }
        for bound in [
            Date.distantPast, Date(timeIntervalSince1970: -1e30), Date(timeIntervalSinceReferenceDate: -1e18),
        ] {
            #expect(bound.stored == .min)
        }
        #expect(abs(Date(stored: .max).timeIntervalSince1970 - 9_223_372_036.85) < 0.01)
        #expect(abs(Date(stored: .min).timeIntervalSince1970 + 9_223_372_036.85) < 0.01)
    }

    /// FNV-1a, enough to notice an edit.
    private static func digest(_ text: String) -> String {
        let hash = text.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return String(hash, radix: 16)
    }
}
