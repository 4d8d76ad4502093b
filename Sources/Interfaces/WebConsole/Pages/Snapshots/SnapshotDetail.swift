import Foundation
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// The page of one snapshot.
enum SnapshotDetail {
    struct DetailPage: PageValue {
        let head: DetailHead
        /// Why it could not be taken, for one that failed; what is wrong with it, for one that is damaged.
        let failure: Problem?
        /// For what a revert kept: until when.
        let keptUntil: Moment?
        let facts: [Fact]
        /// Nil for one without content: it is not taken yet, or could not be.
        let content: Content?
        let group: Group?
        let timeline: Timeline
    }

    /// What only a snapshot with content has.
    struct Content: PageValue {
        let consistency: Consistency
        let space: [Fact]
        let integrity: Integrity
        let losses: [Loss]
        let dependents: Dependents
        let history: HistoryTree?
        /// Why there is no history to show.
        let noHistory: String?
    }

    struct Consistency: PageValue {
        let mark: ConsistencyMark
        let facts: [Fact]
        /// Who or what it is that says so.
        let speaker: String
        /// As the guest's agent said it, or why the memory was not saved.
        let answer: String?
    }

    struct Integrity: PageValue {
        let digest: String?
        let verifiedAt: Moment?
        let verify: Link?
    }

    /// Something that can be lost, and whether the snapshot outlives it.
    struct Loss: PageValue {
        let text: String
        let isSurvived: Bool
    }

    struct Dependents: PageValue {
        let names: [HistoryName]
        /// Those that the visitor cannot see.
        let others: String?
        let isEmpty: Bool
    }

    /// The snapshots of an instance's other volumes, of the same instant.
    struct Group: PageValue {
        let snapshots: [SnapshotRow]
        let revert: Link?
    }

    /// The snapshots of one volume in the order in which they were taken, newest first.
    struct Timeline: PageValue {
        struct Entry: PageValue {
            let name: String
            let address: String?
            let state: Badge
            let created: Moment
            let isUndo: Bool
        }

        /// The volume as it is now, if it is still there.
        let present: Link?
        let entries: [Entry]
        let all: Link?
    }

    static func show(_ visit: Visit) async throws -> Response {
        let place = try await visit.place()
        let view = try await visit.cloud.snapshot(try visit.id(of: "snapshots"), in: place.id, visit.caller)
        let snapshot = view.snapshot
        let volume = try await visit.volume(of: snapshot, place)
        let hasContent = view.shownState == .completed || view.shownState == .destroying
        let page = DetailPage(
            head: head(view, volume, place, visit),
            failure: problem(view, visit),
            keptUntil: keptUntil(snapshot, visit),
            facts: facts(snapshot, volume, place, visit),
            content: hasContent ? try await content(view, volume, place, visit) : nil,
            group: try await group(snapshot, volume, place, visit),
            timeline: try await timeline(around: snapshot, volume, place, visit)
        )
        return try await visit.page(
            "snapshot",
            page,
            Visit.Setting(
                title: page.head.name,
                place: place,
                tab: .snapshots,
                isBusy: page.head.state.isBusy,
                commandLine: "snapshot show \(snapshot.id)",
                apiCall: ("GET", "/snapshots/\(snapshot.id)")
            )
        )
    }

    private static func problem(_ view: SnapshotView, _ visit: Visit) -> Problem? {
        guard let failure = view.failure else { return nil }
        guard view.snapshot.state != .available || view.snapshot.damage != nil else {
            return Problem(visit.texts("pool.unavailable"), detail: failure.message)
        }
        guard let damage = view.snapshot.damage else {
            return Problem(visit.texts("snapshot.failed_text"), detail: failure.message)
        }
        let found = visit.formats.instant(damage.foundAt)
        return Problem(visit.texts("snapshot.damaged_text", ["date": found]), detail: failure.message)
    }

    private static func head(_ view: SnapshotView, _ volume: VolumeView?, _ place: Place, _ visit: Visit) -> DetailHead
    {
        // Why it failed or is damaged has a place of its own below.
        var plain = view
        plain.failure = nil
        var head = DetailHead(
            list: Link(visit.texts("tab.snapshots"), place.address("snapshots")),
            name: view.snapshot.name.description,
            state: Badge(plain, visit)
        )
        // What a revert kept is described by the service, in English; the page says it in the reader's language.
        let isDescribed = view.snapshot.origin == .manual && !view.snapshot.description.isEmpty
        head.text = isDescribed ? view.snapshot.description : nil
        // Without its volume there is nothing to put back.
        head.menu = SnapshotRow.menu(view, place, visit)
            .filter { volume != nil || !$0.address.hasSuffix("/revert") }
        return head
    }

    private static func keptUntil(_ snapshot: Snapshot, _ visit: Visit) -> Moment? {
        guard case .undo(_, let expiresAt) = snapshot.origin else { return nil }
        return Moment(expiresAt, visit)
    }

    private static func facts(_ snapshot: Snapshot, _ volume: VolumeView?, _ place: Place, _ visit: Visit) -> [Fact] {
        let (texts, source) = (visit.texts, snapshot.source)
        var facts = [
            Fact(
                texts("volume.volume"),
                volume == nil ? texts("snapshot.gone", ["name": "\(source.volumeName)"]) : "\(source.volumeName)",
                at: volume.map { place.address("volumes", $0.volume.id.description) }
            ),
            Fact(texts("volume.type"), texts(source.role == .root ? "volume.root" : "volume.data")),
        ]
        if let id = source.instance, let name = source.instanceName {
            // Whether the instance is still there is known for certain only where the volume is still its own.
            let isThere = volume?.volume.attachment?.instance == id
            facts.append(
                Fact(
                    texts("volume.instance"),
                    name,
                    at: isThere ? place.address("instances", id.description) : nil
                )
            )
        }
        facts.append(Fact(texts("list.created"), Moment(snapshot.createdAt, visit)))
        let isBeside = volume.map { $0.volume.pool == snapshot.pool } ?? true
        facts.append(
            Fact(
                texts("snapshot.rapid"),
                texts(isBeside ? "snapshot.rapid_text" : "snapshot.moved_text", ["pool": "\(snapshot.pool)"])
            )
        )
        return facts
    }

    // MARK: Content

    private static func content(
        _ view: SnapshotView,
        _ volume: VolumeView?,
        _ place: Place,
        _ visit: Visit
    ) async throws -> Content {
        let (texts, snapshot) = (visit.texts, view.snapshot)
        var history: HistoryTree?
        if let volume {
            let nodes = try await visit.cloud.tree(of: volume.volume.id, in: place.id, visit.caller)
            // A volume that was made independent has a history without what went before.
            if nodes.contains(where: { $0.pins.contains { $0.pin == .snapshot(snapshot.id) } }) {
                history = try await HistoryTree(nodes, about: .snapshot(snapshot.id), place, visit)
            }
        }
        return Content(
            consistency: consistency(snapshot.consistency, view.memory, visit),
            space: [
                Fact(texts("snapshot.restores_to_size"), visit.formats.size(snapshot.size)),
                Fact(texts("snapshot.space"), visit.formats.size(view.space.exclusive)),
                Fact(texts("snapshot.shared"), visit.formats.size(view.space.shared)),
            ],
            integrity: Integrity(
                digest: snapshot.verification?.digest.description,
                verifiedAt: snapshot.verification.map { Moment($0.verifiedAt, visit) },
                verify: place.may(.create) && view.shownState == .completed
                    ? Link(texts("action.verify"), place.address("snapshots", snapshot.id.description, "verify")) : nil
            ),
            losses: [
                Loss(text: texts("survival.files"), isSurvived: true),
                Loss(text: texts("survival.volume"), isSurvived: true),
                Loss(text: texts("survival.instance"), isSurvived: true),
                Loss(text: texts("survival.template"), isSurvived: true),
                Loss(text: texts("survival.machine"), isSurvived: false),
            ],
            dependents: try await dependents(view, place, visit),
            history: history,
            noHistory: history == nil ? texts(volume == nil ? "snapshot.history_gone" : "snapshot.history_apart") : nil
        )
    }

    private static func consistency(
        _ record: ConsistencyRecord,
        _ memory: MemoryImage?,
        _ visit: Visit
    ) -> Consistency {
        let texts = visit.texts
        var facts = [Fact(texts("consistency.asked"), texts("consistency.\(record.requested.rawValue)"))]
        if let memory { facts.append(Fact(texts("consistency.memory_size"), visit.formats.size(memory.size))) }
        return Consistency(
            mark: ConsistencyMark(record, visit),
            facts: facts,
            speaker: texts(record.requested == .memory ? "consistency.reason" : "consistency.answer"),
            answer: record.agentAnswer
        )
    }

    private static func dependents(_ view: SnapshotView, _ place: Place, _ visit: Visit) async throws -> Dependents {
        guard !view.dependents.isEmpty else { return Dependents(names: [], others: nil, isEmpty: true) }
        let plan = try await visit.cloud.planDeletion(of: [view.snapshot.id], in: place.id, visit.caller)
        let environments = try await visit.environments()
        let names = plan.dependents.map { HistoryName($0, environments, place, visit) }
        let others = view.dependents.count - names.count
        return Dependents(
            names: names,
            others: others > 0 ? visit.texts.count("snapshot.dependents_elsewhere", others) : nil,
            isEmpty: false
        )
    }

    // MARK: Around it

    private static func group(
        _ snapshot: Snapshot,
        _ volume: VolumeView?,
        _ place: Place,
        _ visit: Visit
    ) async throws -> Group? {
        guard let group = snapshot.group else { return nil }
        let all = try await visit.cloud.listSnapshots(
            SnapshotFilter(environment: place.id, group: group),
            order: .byName,
            page: .all,
            visit.caller
        ).rows
        let others = all.filter { $0.snapshot.id != snapshot.id }
        guard !others.isEmpty else { return nil }
        let isWhole = all.allSatisfy { $0.shownState == .completed }
        let hasInstance =
            snapshot.source.instance != nil
            && volume?.volume.attachment?.instance == snapshot.source.instance
        return Group(
            snapshots: others.map { SnapshotRow($0, place, visit) },
            revert: isWhole && hasInstance && place.may(.revert)
                ? Link(
                    visit.texts("action.revert_instance"),
                    place.address("snapshots", snapshot.id.description, "revert") + "?scope=group"
                ) : nil
        )
    }

    /// How many snapshots before and after this one are shown.
    private static let neighbours = 6

    private static func timeline(
        around snapshot: Snapshot,
        _ volume: VolumeView?,
        _ place: Place,
        _ visit: Visit
    ) async throws -> Timeline {
        let found = try await visit.cloud.listSnapshots(
            SnapshotFilter(environment: place.id, volume: snapshot.source.volume),
            order: .newestFirst,
            page: PageRequest(limit: 250),
            visit.caller
        )
        let position = found.rows.firstIndex { $0.snapshot.id == snapshot.id } ?? 0
        let shown = found.rows.dropFirst(max(0, position - neighbours)).prefix(2 * neighbours + 1)
        return Timeline(
            present: volume.map {
                Link($0.volume.name, place.address("volumes", $0.volume.id.description))
            },
            entries: shown.map { view in
                let row = SnapshotRow(view, place, visit)
                return Timeline.Entry(
                    name: row.name,
                    address: view.snapshot.id == snapshot.id ? nil : row.address,
                    state: row.state,
                    created: row.created,
                    isUndo: row.isUndo
                )
            },
            all: found.total > shown.count
                ? Link(
                    visit.texts.count("snapshot.all_of_volume", found.total),
                    place.address("snapshots") + "?volume=\(snapshot.source.volume)"
                ) : nil
        )
    }
}

extension Visit {
    /// The volume that a snapshot was taken of; nil when it is gone.
    func volume(of snapshot: Snapshot, _ place: Place) async throws(ServiceError) -> VolumeView? {
        do {
            return try await cloud.volume(snapshot.source.volume, in: place.id, caller)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    /// The environments that the visitor can see, by their ids.
    func environments() async throws(ServiceError) -> [EnvironmentID: SnapshotDomain.Environment] {
        let all = try await cloud.listEnvironments(caller)
        return Dictionary(all.map { ($0.id, $0) }) { first, _ in first }
    }
}
