import Foundation
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// *Revert*: a volume, or every volume of an instance, goes back to an instant.
enum SnapshotReverting {
    /// One snapshot, or the whole group that it is one of.
    private enum Scope: String {
        case volume, group
    }

    static func ask(_ visit: Visit) async throws -> Response {
        let place = try await visit.place(for: .revert)
        let snapshot = try await visit.snapshot(place).snapshot
        guard let view = try await visit.volume(of: snapshot, place) else {
            throw ServiceError(
                .wrongState,
                """
                The volume '\(snapshot.source.volumeName)' that this is a snapshot of is gone. \
                Create a new volume from the snapshot instead.
                """,
                subject: .snapshot(snapshot.id)
            )
        }
        let group = try await group(of: snapshot, view, place, visit)
        let asked = Scope(rawValue: visit.value("scope")) ?? .volume
        let scope = group.count > 1 ? asked : .volume
        let texts = visit.texts
        var sheet = visit.sheet(about: snapshot, "action.revert", place)
        sheet.intro = texts(
            "snapshot.revert_intro",
            ["volume": view.volume.name.description, "snapshot": snapshot.name.description]
        )
        sheet.facts = facts(snapshot, view, visit)
        sheet.fields = fields(visit, view, group, scope)
        if view.isInstanceRunning, let instance = view.instance {
            sheet.warning = texts("snapshot.revert_stops", ["instance": instance.name.description])
        }
        let setting = visit.setting(
            sheet,
            place,
            commandLine: "snapshot revert \(snapshot.id)",
            "revert",
            of: snapshot
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            var target = RevertTarget.snapshot(snapshot.id)
            if scope == .group, let id = snapshot.group, let instance = view.instance {
                target = .group(id, of: instance.id)
            }
            // The switch is shown only where there is something to start again.
            let restarts = !view.isInstanceRunning || visit.form.isOn("restart")
            let volumes = try await visit.cloud.revert(target, restarts: restarts, in: place.id, visit.caller).resource
            let notice =
                if case .group = target, let instance = view.instance {
                    Notice(
                        .instanceReverting,
                        instance.name.description,
                        at: place.address("instances", instance.id.description)
                    )
                } else {
                    Notice(
                        .volumeReverting,
                        (volumes.first ?? view).volume.name.description,
                        at: place.address("volumes", view.volume.id.description)
                    )
                }
            return visit.redirect(to: place.address("volumes"), saying: notice)
        }
    }

    /// The snapshots that can be gone back to together: those of one instant, of the instance that the volume is in.
    private static func group(
        of snapshot: Snapshot,
        _ view: VolumeView,
        _ place: Place,
        _ visit: Visit
    ) async throws -> [Snapshot] {
        guard let group = snapshot.group, let instance = view.instance, instance.id == snapshot.source.instance else {
            return []
        }
        return try await visit.cloud.listSnapshots(
            SnapshotFilter(environment: place.id, group: group, states: [.available]),
            order: .byName,
            page: .all,
            visit.caller
        ).rows.map(\.snapshot)
    }

    private static func facts(_ snapshot: Snapshot, _ view: VolumeView, _ visit: Visit) -> [Fact] {
        let (texts, formats) = (visit.texts, visit.formats)
        var facts = [
            Fact(texts("snapshot.revert_to"), Moment(snapshot.createdAt, visit)),
            Fact(
                texts("snapshot.revert_replaced"),
                texts("snapshot.revert_replaced_text", ["size": formats.size(view.space.exclusive)])
            ),
            Fact(texts("snapshot.revert_kept"), texts("snapshot.revert_kept_text")),
            Fact(texts("snapshot.revert_undo"), texts("snapshot.revert_undo_text")),
        ]
        if snapshot.size != view.volume.size {
            facts.append(
                Fact(
                    texts("snapshot.revert_size"),
                    texts(
                        "snapshot.revert_size_text",
                        ["from": formats.size(view.volume.size), "to": formats.size(snapshot.size)]
                    )
                )
            )
        }
        return facts
    }

    private static func fields(
        _ visit: Visit,
        _ view: VolumeView,
        _ group: [Snapshot],
        _ scope: Scope
    ) -> [FormField] {
        let texts = visit.texts
        var fields: [FormField] = []
        if group.count > 1 {
            let names = group.map(\.source.volumeName.description).joined(separator: ", ")
            fields.append(
                .cards(
                    "scope",
                    texts("snapshot.revert_scope"),
                    [
                        FormField.Option(
                            value: Scope.volume.rawValue,
                            title: texts("snapshot.revert_one", ["name": view.volume.name.description]),
                            detail: texts("snapshot.revert_one_text"),
                            isChosen: scope == .volume
                        ),
                        FormField.Option(
                            value: Scope.group.rawValue,
                            title: texts("snapshot.revert_all"),
                            detail: texts("snapshot.revert_all_text", ["names": names]),
                            isChosen: scope == .group
                        ),
                    ]
                )
            )
        }
        if view.isInstanceRunning {
            fields.append(
                .check(
                    "restart",
                    texts("snapshot.revert_restart"),
                    isOn: visit.isOn("restart", true),
                    hint: texts("snapshot.revert_restart_hint")
                )
            )
        }
        return fields
    }
}
