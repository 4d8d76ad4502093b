import Platform

extension QMPClient {
    /// Exports a node over NBD for as long as `body` runs; the program's NBD server must be running.
    ///
    /// - Parameters:
    ///   - node: The node to export. It may be in use by a guest if it is only read.
    ///   - writable: Whether `body` may write.
    ///   - server: The socket of the program's NBD server.
    ///   - body: Gets a connection to the export.
    /// - Returns: What `body` returned, once the program has let go of the export.
    /// - Throws: ``QMPFault``, ``NBDFault``, or what `body` throws.
    package func withExport<T: Sendable>(
        node: String,
        writable: Bool,
        server: String,
        _ body: @Sendable (NBDClient) async throws -> T
    ) async throws -> T {
        let export = "export-\(RandomName.make())"
        let isGone = Eventual<Void>()
        let observation = observe { event in
            if event.name == "BLOCK_EXPORT_DELETED", event.data["id"]?.string == export { isGone.settle(()) }
        } onEnd: {
            isGone.settle(())
        }
        try await execute(
            "block-export-add",
            [
                "type": "nbd", "id": .string(export), "node-name": .string(node), "name": .string(export),
                "writable": .bool(writable),
            ]
        )
        let result: Result<T, any Error>
        do {
            let client = try await NBDClient.connect(server, export: export)
            defer { client.close() }
            result = .success(try await body(client))
        } catch {
            result = .failure(error)
        }
        do {
            try await execute("block-export-del", ["id": .string(export), "mode": "hard"], evenCancelled: true)
            // The answer comes before the node is free; the event does not.
            guard await isGone.value(within: .seconds(30), evenCancelled: true) != nil else {
                throw QMPFault(.timedOut, outcome: .unknown, "the export of \(node) does not end")
            }
        } catch {
            // The first failure is the one to report.
            _ = try result.get()
            throw error
        }
        withExtendedLifetime(observation) {}
        return try result.get()
    }
}
