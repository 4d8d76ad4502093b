import Foundation
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

extension InstanceDetail {
    struct SnapshotsPage: PageValue {
        let head: DetailHead
        let take: Link?
        let moments: [SnapshotMoment]
        let controls: ListControls
        let empty: EmptyState?
    }

    /// The snapshots of one instant, or several that were each taken for themselves.
    struct SnapshotMoment: PageValue {
        let heading: String
        /// Nil for snapshots that were each taken for themselves.
        let instant: Moment?
        let revert: Link?
        let columns: [Column]
        let rows: [SnapshotRow]
        /// What the table asks for: it is never empty here, and has no ticks.
        let empty: EmptyState?
        let deletion: String?
    }

    static func snapshots(_ visit: Visit) async throws -> Response {
        let subject = try await InstanceSubject(visit)
        let place = subject.place
        let state = ListState(visit)
        let found = try await visit.cloud.listSnapshots(
            SnapshotFilter(environment: place.id, instance: subject.id),
            order: .newestFirst,
            page: state.request,
            visit.caller
        )
        let texts = visit.texts
        let canTake = place.may(.create) && subject.view.instance.state == .available
        let take = canTake ? Link(texts("action.take_snapshot"), subject.own + "/snapshot") : nil
        let page = SnapshotsPage(
            head: subject.head(.snapshots),
            take: take,
            moments: moments(found.rows, subject, state),
            controls: ListControls(state, total: found.total, shown: found.rows.count, visit),
            empty: found.rows.isEmpty
                ? EmptyState(
                    icon: "snapshots",
                    title: texts("instance.no_snapshots"),
                    text: texts("instance.no_snapshots_text"),
                    action: take
                ) : nil
        )
        return try await visit.page(
            "instance-snapshots",
            page,
            subject.setting(
                "snapshot list",
                ("GET", "/snapshots"),
                isBusy: page.moments.contains { $0.rows.contains { $0.state.isBusy } }
            )
        )
    }

    /// What snapshots that stand together have in common.
    private enum Kind: Hashable {
        case instant(SnapshotGroupID)
        case single
        /// What a revert kept.
        case undo

        init(_ snapshot: Snapshot) {
            self =
                switch (snapshot.origin, snapshot.group) {
                case (.undo, _): .undo
                case (.manual, let group?): .instant(group)
                case (.manual, nil): .single
                }
        }

        var heading: String {
            switch self {
            case .instant: "instance.instant"
            case .single: "instance.single_snapshots"
            case .undo: "instance.kept_by_revert"
            }
        }

        var group: SnapshotGroupID? {
            if case .instant(let group) = self { group } else { nil }
        }
    }

    /// Neighbours of one kind make one moment.
    private static func moments(
        _ views: [SnapshotView],
        _ subject: InstanceSubject,
        _ state: ListState
    ) -> [SnapshotMoment] {
        var runs: [[SnapshotView]] = []
        for view in views {
            if let last = runs.last?.last, Kind(last.snapshot) == Kind(view.snapshot) {
                runs[runs.count - 1].append(view)
            } else {
                runs.append([view])
            }
        }
        return runs.compactMap { run in run.first.map { moment(Kind($0.snapshot), run, subject, state) } }
    }

    private static func moment(
        _ kind: Kind,
        _ views: [SnapshotView],
        _ subject: InstanceSubject,
        _ state: ListState
    ) -> SnapshotMoment {
        let (visit, place) = (subject.visit, subject.place)
        let texts = visit.texts
        let canRevert =
            place.may(.revert) && subject.view.instance.state == .available
            && views.allSatisfy { $0.shownState == .completed }
        return SnapshotMoment(
            heading: texts.count(kind.heading, views.count),
            instant: kind.group == nil ? nil : views.first.map { Moment($0.snapshot.createdAt, visit) },
            revert: kind.group.flatMap { group in
                canRevert ? Link(texts("instance.revert_to"), subject.own + "/revert?group=\(group)") : nil
            },
            columns: [
                "list.name", "list.state", "volume.volume", "snapshot.consistency", "snapshot.space", "snapshot.rapid",
                "list.created",
            ].map { Column(texts($0), in: state) },
            rows: (kind == .single ? views : views.rootFirst(\.snapshot.source.role)).map {
                SnapshotRow($0, place, visit)
            },
            empty: nil,
            deletion: nil
        )
    }
}
