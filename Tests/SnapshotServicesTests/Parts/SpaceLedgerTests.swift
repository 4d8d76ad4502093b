import CatalogSQLite
import SnapshotDomain
import SnapshotPorts
import Testing

@testable import SnapshotServices

@Suite("space ledger")
struct SpaceLedgerTests {
    @Test("a picture is made anew after a change and kept until the next")
    func freshness() async throws {
        try await withTemporaryFolder { folder in
            let catalog = try await SQLiteCatalog.open(at: "\(folder)/catalog.sqlite")
            let ledger = SpaceLedger(catalog: catalog)
            #expect(try await ledger.picture(of: .local).account.total == .zero)
            let layer = Layer(
                id: .random(),
                pool: .local,
                parent: nil,
                size: .mebibytes(64),
                allocated: .mebibytes(3),
                phase: .ready
            )
            try await catalog.write { try $0.insert(layer) }
            #expect(try await ledger.picture(of: .local).account.total == .zero, "nobody said that something changed")
            ledger.invalidate()
            let picture = try await ledger.picture(of: .local)
            #expect(picture.account.collectable == .mebibytes(3))
            #expect(picture.tree.layers.count == 1)
            try await catalog.close()
        }
    }

    @Test("the picture around one layer leaves out what it is not connected with")
    func around() async throws {
        try await withTemporaryFolder { folder in
            let catalog = try await SQLiteCatalog.open(at: "\(folder)/catalog.sqlite")
            let ledger = SpaceLedger(catalog: catalog)
            let layers = (1...2).map { number in
                Layer(
                    id: .random(),
                    pool: .local,
                    parent: nil,
                    size: .mebibytes(64),
                    allocated: .mebibytes(Int64(number)),
                    phase: .ready
                )
            }
            try await catalog.write { writer in
                for layer in layers { try writer.insert(layer) }
            }
            #expect(try await ledger.picture(around: layers[0].id, of: .local).account.total == .mebibytes(1))
            #expect(try await ledger.picture(of: .local).account.total == .mebibytes(3))
            #expect(
                try await ledger.picture(around: layers[0].id, of: .local).account.total == .mebibytes(3),
                "the whole is at hand"
            )
            try await catalog.close()
        }
    }
}
