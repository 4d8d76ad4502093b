import Foundation
package import SnapshotDomain
import SnapshotPorts

/// What a check of a pool found.
package struct PoolCheck: Sendable {
    /// Stable, append-only.
    package enum Step: String, Sendable, CaseIterable {
        case answer
        case create
        case write
        case read
        case delete
    }

    package struct Finding: Sendable {
        package var step: Step
        package var duration: Duration
        /// It took longer than it does where machines are well off.
        package var isSlow: Bool
        package var failure: ServiceError?
    }

    package var pool: PoolID
    /// In the order in which they were done; ends with the first that failed, and the deletion of what it had made.
    package var findings: [Finding]
    /// What was written and read.
    package var bytes: ByteCount

    package var isGood: Bool { findings.allSatisfy { $0.failure == nil } }
}

/// Tries a pool by what every snapshot and copy does there: writes a small layer, reads it back, deletes it.
///
/// The layer has a row from before it is made, so one that a crash leaves is taken away when the pool is next examined.
struct PoolProbe {
    private static let bytes = ByteCount.mebibytes(4)
    /// Longer is slow, far longer counts as a failure: the probe waits for nothing that hangs.
    private static let patience = Duration.seconds(20)

    let world: World
    let pool: PoolID

    func run() async -> PoolCheck {
        var check = PoolCheck(pool: pool, findings: [], bytes: Self.bytes)
        let scratch = Layer(
            id: .random(),
            pool: pool,
            parent: nil,
            size: Self.bytes,
            allocated: .zero,
            phase: .building
        )
        let blank = Layer(
            id: .random(),
            pool: pool,
            parent: nil,
            size: Self.bytes,
            allocated: .zero,
            phase: .building
        )
        let noise = Noise(Self.bytes)
        let store: any BlockStore
        do {
            store = try world.store(pool)
        } catch {
            check.findings.append(.init(step: .answer, duration: .zero, isSlow: false, failure: error))
            return check
        }
        guard await attempt(.answer, .milliseconds(500), &check, { _ = try await store.capacity() }) else {
            return check
        }
        let isRecorded = await attempt(.create, .milliseconds(500), &check) {
            try await world.catalog.write { writer in
                try writer.insert(scratch)
                try writer.insert(blank)
            }
            try await store.createLayer(blank.id, size: Self.bytes)
        }
        if isRecorded {
            let isWritten = await attempt(.write, .seconds(2), &check) {
                try await store.importContent(noise.stream, to: scratch.id) { _, _ in }
            }
            if isWritten {
                _ = await attempt(.read, .seconds(2), &check) {
                    let content = try await store.export(scratch.id, as: .raw) { _, _ in }
                    var read = Data()
                    for try await chunk in content.chunks { read += chunk }
                    guard read == noise.bytes else {
                        throw ServiceError(
                            .damaged,
                            "The pool '\(pool)' reads other bytes than were written; look at the disk below it.",
                            subject: .pool(pool)
                        )
                    }
                }
            }
        }
        _ = await attempt(.delete, .milliseconds(500), &check) {
            for layer in [scratch, blank] {
                try await store.deleteLayer(layer.id)
                try await world.catalog.write { try $0.deleteLayer(layer.id) }
            }
        }
        return check
    }

    private func attempt(
        _ step: PoolCheck.Step,
        _ usual: Duration,
        _ check: inout PoolCheck,
        _ body: @escaping @Sendable () async throws -> Void
    ) async -> Bool {
        let started = ContinuousClock.now
        var failure: ServiceError?
        do {
            let isDone = try await promptly(within: Self.patience) {
                try await body()
                return true
            }
            if isDone == nil {
                failure = ServiceError(
                    .unavailable,
                    "The pool '\(pool)' did not do this within \(Self.patience.components.seconds) seconds.",
                    subject: .pool(pool)
                )
            }
        } catch {
            failure = ServiceError(reporting: error)
        }
        let duration = ContinuousClock.now - started
        check.findings.append(.init(step: step, duration: duration, isSlow: duration > usual, failure: failure))
        return failure == nil
    }
}

/// Bytes that no pool can keep in less than they are, and that no earlier check wrote.
private struct Noise: Sendable {
    let bytes: Data

    init(_ count: ByteCount) {
        var generator = SystemRandomNumberGenerator()
        let words = (0..<Int(count.bytes) / 8).map { _ in generator.next() | 1 }
        bytes = words.withUnsafeBytes { Data($0) }
    }

    var stream: ImageStream {
        let chunk = 1 << 20
        let pieces = stride(from: 0, to: bytes.count, by: chunk).map { bytes[$0..<min($0 + chunk, bytes.count)] }
        return ImageStream(
            length: ByteCount(Int64(bytes.count)),
            sha256: nil,
            chunks: AsyncThrowingStream { continuation in
                for piece in pieces { continuation.yield(Data(piece)) }
                continuation.finish()
            }
        )
    }
}
