/// Where images that come in wait for the job that imports them, on the same medium as the default pool.
///
/// Files beside an upload, whose names continue its name after a dot, belong to it.
package protocol UploadArea: Sendable {
    /// A new path that only the service can read, where nothing is yet.
    func makePath() async throws -> String

    /// Removes an upload and what belongs to it. Harmless for what is gone, and for paths that are not of this area.
    func discard(_ path: String) async

    /// Removes what a former run of the service left, except the uploads that open jobs still need.
    ///
    /// Call before anything is uploaded.
    func sweep(keeping paths: Set<String>) async throws
}
