import Foundation
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// Deleting snapshots, one or several, after saying what the service's own plan for it is.
enum SnapshotDeletion {
    static func one(_ visit: Visit) async throws -> Response {
        let id: SnapshotID = try visit.id(of: "snapshots")
        return try await ask(visit, [id])
    }

    static func several(_ visit: Visit) async throws -> Response {
        let ids = (visit.isPost ? visit.form : visit.query).all("id").compactMap { SnapshotID($0) }
        guard !ids.isEmpty else {
            return visit.redirect(to: try await visit.place(for: .change).address("snapshots"))
        }
        return try await ask(visit, Array(ids.prefix(1_000)))
    }

    private static func ask(_ visit: Visit, _ ids: [SnapshotID]) async throws -> Response {
        let place = try await visit.place(for: .change)
        let view = try await visit.cloud.planDeletion(of: ids, in: place.id, visit.caller)
        let (texts, formats) = (visit.texts, visit.formats)
        let list = place.address("snapshots")
        let names = view.snapshots.map(\.name.description)
        let name = names.count == 1 ? names[0] : texts.count("snapshot.count", names.count)
        let sheet = Sheet(
            list: Link(texts("tab.snapshots"), list),
            name: name,
            heading: texts("action.delete_snapshot"),
            intro: texts.count("snapshot.delete_intro", names.count, ["name": name]),
            facts: facts(view, texts, formats),
            warning: texts("snapshot.delete_warning"),
            hidden: ids.map { Sheet.Hidden(name: "id", value: $0.description) },
            address: visit.path,
            cancelAddress: list,
            isDanger: true
        )
        let setting = Visit.Setting(
            title: sheet.heading,
            place: place,
            tab: .snapshots,
            commandLine: "snapshot delete " + ids.map(\.description).joined(separator: " "),
            // By the API each is a call of its own.
            apiCall: ("DELETE", "/snapshots/\(ids.count == 1 ? ids[0].description : "ID")")
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            for id in ids {
                // One key for one job: the form's own names them all.
                var caller = visit.caller
                caller.idempotencyKey = caller.idempotencyKey.map { "\($0)-\(id)" }
                _ = try await visit.cloud.deleteSnapshot(id, in: place.id, caller)
            }
            return visit.redirect(to: list, saying: Notice(ids.count == 1 ? .snapshotDeleted : .snapshotsDeleted, name))
        }
    }

    private static func facts(_ view: DeletionPlanView, _ texts: Texts, _ formats: Formats) -> [Fact] {
        let plan = view.plan
        let freed =
            plan.freedAtLeast == plan.freedAtMost
            ? formats.size(plan.freedAtLeast)
            : texts(
                "snapshot.delete_freed_between",
                ["least": formats.size(plan.freedAtLeast), "most": formats.size(plan.freedAtMost)]
            )
        var facts = [Fact(texts("snapshot.delete_freed"), freed)]
        if plan.copied > .zero {
            facts.append(Fact(texts("snapshot.delete_copied"), formats.size(plan.copied)))
        }
        let dependents = view.dependents.map(\.name.description)
        facts.append(
            Fact(
                texts("snapshot.delete_dependents"),
                dependents.isEmpty
                    ? texts("snapshot.delete_no_dependents")
                    : texts.count(
                        "snapshot.delete_dependents_kept",
                        dependents.count,
                        ["names": dependents.prefix(8).joined(separator: ", ")]
                    )
            )
        )
        return facts
    }
}
