import Platform

/// What asking costs by itself.
struct OverheadCase {
    let service: MeasuredService

    func run(rounds: Int) async throws -> [Row] {
        var (alive, show) = (Series(.milliseconds), Series(.milliseconds))
        var (version, command) = (Series(.milliseconds), Series(.milliseconds))
        let volume = try await service.id(of: "web01_data", among: "volumes")
        for _ in 0..<rounds {
            alive.add(try await timed { _ = try await service.client.send("GET", "/healthz") })
            show.add(try await timed { _ = try await service.ask("volumes/\(volume)") })
            version.add(try await timed { try await program(["--version"]) })
            command.add(try await timed { try await program(["volume", "show", "web01_data"]) })
        }
        return [
            Row("HTTP: GET /healthz", alive.description),
            Row("HTTP: GET one volume", show.description),
            Row("CLI: volume show", command.description, beside: "--version: \(version)"),
        ]
    }

    private func program(_ words: [String]) async throws {
        let environment = [
            "INSTANTA_URL": service.url, "INSTANTA_API_KEY": service.key, "INSTANTA_ENVIRONMENT": service.environment,
            "HOME": "/nonexistent",
        ]
        let run = try await ChildProcess.run(
            Spawn(
                MeasuredService.program,
                words,
                environment: Spawn.minimalEnvironment.merging(environment) { $1 }
            ),
            timeout: .seconds(30)
        )
        guard run.status.isSuccess else {
            throw BenchFault("instanta \(words.joined(separator: " ")): \(run.errorsText)")
        }
    }

    private func timed(_ body: () async throws -> Void) async throws -> Duration {
        let start = ContinuousClock.now
        try await body()
        return ContinuousClock.now - start
    }
}
