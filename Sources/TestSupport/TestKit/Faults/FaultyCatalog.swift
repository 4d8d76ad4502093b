package import SnapshotPorts

/// A catalog whose calls can be made to fail.
///
/// Reading cannot lose an answer that matters, and fails as an I/O error.
package struct FaultyCatalog: Catalog {
    private let real: any Catalog
    private let faults: CallFaults

    package init(_ real: any Catalog, _ faults: CallFaults) {
        self.real = real
        self.faults = faults
    }

    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (any CatalogReader) throws -> Value
    ) async throws -> Value {
        if await faults.enter("catalog.read") != nil {
            throw CatalogFault(.io, .notDone, "An injected fault: the catalog cannot be read.")
        }
        return try await real.read(body)
    }

    package func write<Value: Sendable>(
        _ body: @escaping @Sendable (any CatalogWriter) throws -> Value
    ) async throws -> Value {
        let moment = await faults.enter("catalog.write")
        if moment == .before { throw CatalogFault(.io, .notDone, "An injected fault: the catalog cannot be written.") }
        let value = try await real.write(body)
        if moment == .after || moment == .dying {
            throw CatalogFault(.io, .unknown, "An injected fault: the end of a transaction is unknown.")
        }
        return value
    }
}
