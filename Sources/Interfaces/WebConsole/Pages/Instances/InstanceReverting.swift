import Foundation
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// Reverting a whole instance: all the volumes that were taken at one instant go back to it together.
enum InstanceReverting {
    static let all = InstanceChanges.route("revert", revert)

    /// The moments that the page offers.
    private static let mostMoments = 20

    /// Snapshots of several volumes at one instant.
    private struct Group {
        let id: SnapshotGroupID
        let snapshots: [Snapshot]

        var hasMemory: Bool { snapshots.contains { $0.consistency.achieved == .memory } }
    }

    @Sendable
    private static func revert(_ visit: Visit) async throws -> Response {
        let subject = try await InstanceSubject(visit, for: .revert)
        let texts = visit.texts
        let volumes = try await subject.volumes()
        let all = try await groups(of: subject, volumes)
        // The page that leads here may be older than what it shows; that one lists what there is.
        guard let newest = all.first else { return visit.redirect(to: subject.address(.snapshots)) }
        let wanted = SnapshotGroupID(visit.value("group"))
        let chosen = all.first { $0.id == wanted } ?? newest
        // The one that was asked for, however old it is.
        let groups = all.enumerated().filter { $0.offset < mostMoments || $0.element.id == chosen.id }.map(\.element)
        var sheet = subject.sheet(
            texts("action.revert"),
            intro: texts("instance.revert_intro", ["name": subject.name])
        )
        sheet.fields = [moments(groups, chosen, visit)]
        sheet.facts = facts(volumes, groups, texts)
        if subject.isRunning {
            sheet.warning = texts("instance.revert_stops", ["name": subject.name])
            sheet.fields.append(
                .check(
                    "restart",
                    texts("instance.revert_restart", ["name": subject.name]),
                    isOn: visit.isOn("restart", true)
                )
            )
        }
        if groups.contains(where: \.hasMemory) {
            sheet.fields.append(
                .check(
                    "resume",
                    texts("instance.revert_resume"),
                    isOn: visit.isOn("resume", true),
                    hint: texts("instance.revert_resume_hint")
                )
            )
        }
        let setting = subject.setting(
            "instance revert \(subject.id) --group \(chosen.id)",
            ("POST", "/instances/\(subject.id)?operation=revert"),
            title: sheet.heading
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            guard let group = wanted else {
                throw ServiceError(.invalidInput, "Choose the instant to go back to.", subject: .field("group"))
            }
            _ = try await visit.cloud.revert(
                .group(group, of: subject.id),
                restarts: visit.form.isOn("restart"),
                memory: visit.form.isOn("resume") ? .resume : .ignore,
                in: subject.place.id,
                visit.caller
            )
            return visit.redirect(
                to: subject.address(.volumes),
                saying: Notice(.instanceReverting, subject.name)
            )
        }
    }

    private static func moments(_ groups: [Group], _ chosen: Group, _ visit: Visit) -> FormField {
        .cards(
            "group",
            visit.texts("instance.revert_moment"),
            groups.map { group in
                let moment = group.snapshots.first.map { Moment($0.createdAt, visit) }
                return FormField.Option(
                    value: group.id.description,
                    title: moment?.text ?? "",
                    moment: moment,
                    detail: (group.snapshots.map { "\($0.source.volumeName): \($0.name)" }
                        + (group.hasMemory ? [visit.texts("instance.revert_with_memory")] : [])).joined(
                            separator: " · "
                        ),
                    isChosen: group.id == chosen.id
                )
            }
        )
    }

    private static func facts(_ volumes: [VolumeView], _ groups: [Group], _ texts: Texts) -> [Fact] {
        let everywhere = groups.map { Set($0.snapshots.map(\.source.volume)) }
        let untouched = volumes.map(\.volume).filter { volume in
            everywhere.contains { !$0.contains(volume.id) }
        }
        var facts = [
            Fact(texts("instance.revert_replaced"), texts("instance.revert_replaced_text")),
            Fact(texts("instance.revert_kept"), texts("instance.revert_kept_text")),
        ]
        if !untouched.isEmpty {
            facts.append(
                Fact(
                    texts("instance.revert_untouched"),
                    texts(
                        "instance.revert_untouched_text",
                        ["names": untouched.map(\.name.description).joined(separator: ", ")]
                    )
                )
            )
        }
        return facts
    }

    /// The complete groups that hold a volume which the instance still has, newest first.
    private static func groups(of subject: InstanceSubject, _ volumes: [VolumeView]) async throws(ServiceError)
        -> [Group]
    {
        let present = Set(volumes.map(\.volume.id))
        let rows = try await subject.visit.cloud.listSnapshots(
            SnapshotFilter(environment: subject.place.id, instance: subject.id),
            order: .newestFirst,
            page: .all,
            subject.visit.caller
        ).rows.map(\.snapshot)
        var order: [SnapshotGroupID] = []
        var members: [SnapshotGroupID: [Snapshot]] = [:]
        for row in rows where present.contains(row.source.volume) {
            guard let group = row.group else { continue }
            if members[group] == nil { order.append(group) }
            members[group, default: []].append(row)
        }
        return order.compactMap { id in
            let snapshots = members[id, default: []].rootFirst(\.source.role)
            return snapshots.allSatisfy { $0.state == .available } ? Group(id: id, snapshots: snapshots) : nil
        }
    }
}
