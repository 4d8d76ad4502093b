/// Where images that come in wait for the job that imports them, on the same medium as the default pool.
package protocol UploadArea: Sendable {
    /// A new path that only the service can read, where nothing is yet.
    func makePath() async throws -> String

    /// Removes an upload. Harmless for what is gone, and for paths that are not of this area.
    func discard(_ path: String) async
}
