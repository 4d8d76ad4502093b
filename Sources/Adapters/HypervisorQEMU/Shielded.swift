/// Runs work to its end even if the calling task is cancelled, for clean-up that must have its time.
///
/// A task of its own is the only way to be out of reach of a cancellation that has happened; the caller waits for it,
/// so nothing outlives the call.
func shielded<T: Sendable>(_ body: @escaping @Sendable () async -> T) async -> T {
    await Task { await body() }.value
}
