import HTTPCommon
import SnapshotDomain
import SnapshotServices

/// How a snapshot is to be taken: what the three calls that take one have in common.
///
/// `rapid` is read and does not matter: as long as there is one kind of storage, every snapshot is a rapid one.
struct SnapshotBody: Decodable {
    @Lenient var volumeId: VolumeID?
    @Lenient var name: String?
    /// **ext**, as are the rest.
    @Lenient var description: String?
    @Lenient var consistency: String?
    @Lenient var maxFreezeMilliseconds: Int?
    @Lenient var onMiss: String?

    init() {}

    func request(_ target: TakeSnapshotRequest.Target) throws(ServiceError) -> TakeSnapshotRequest {
        TakeSnapshotRequest(
            target: target,
            name: try Input.name(name),
            description: description ?? "",
            consistency: ConsistencyRequest(
                mode: try Input.word(consistency, "consistency") ?? .crash,
                maxFreezeMilliseconds: maxFreezeMilliseconds ?? ConsistencyRequest.defaultFreezeMilliseconds,
                onMiss: try Input.word(onMiss, "onMiss") ?? .settle
            )
        )
    }
}
