import Foundation
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// What can be done with a volume: each says first what will happen.
enum VolumeChanges {
    static let all: [ConsoleRoute] =
        route("attach", attach) + route("detach", detach) + route("grow", grow) + route("delete", delete)
        + route("move", move) + route("undo", undoRevert)

    /// The page that asks, and the same address for what is answered.
    private static func route(_ name: String, _ handler: @escaping ConsoleRoute.Handler) -> [ConsoleRoute] {
        let pattern = ConsoleRoute.within("/volumes/:id/" + name)
        return [.get(pattern, handler), .post(pattern, handler)]
    }

    /// A volume that somebody is about to change.
    private struct Subject {
        let place: Place
        let view: VolumeView
        let visit: Visit

        init(_ visit: Visit, for permission: Permission = .change) async throws {
            place = try await visit.place(for: permission)
            view = try await visit.cloud.volume(try visit.id(of: "volumes"), in: place.id, visit.caller)
            self.visit = visit
        }

        var id: VolumeID { view.volume.id }
        var name: String { view.volume.name.description }
        var list: String { place.address("volumes") }
        var own: String { place.address("volumes", id.description) }

        func sheet(_ heading: String, intro: String? = nil) -> Sheet {
            Sheet(
                list: Link(visit.texts("tab.volumes"), list),
                name: name,
                heading: heading,
                intro: intro,
                address: visit.path,
                cancelAddress: own
            )
        }

        func setting(_ title: String, _ commandLine: String, _ call: (String, String)) -> Visit.Setting {
            Visit.Setting(title: title, place: place, tab: .volumes, commandLine: commandLine, apiCall: call)
        }

        func done(_ kind: Notice.Kind) -> Response {
            visit.redirect(to: list, saying: Notice(kind, name, at: own))
        }
    }

    @Sendable
    private static func attach(_ visit: Visit) async throws -> Response {
        let subject = try await Subject(visit)
        let texts = visit.texts
        let instances = try await VolumeForm.instances(subject.place, visit)
        var sheet = subject.sheet(texts("action.attach"), intro: texts("volume.attach_intro"))
        sheet.fields = [
            .select(
                "instance",
                texts("volume.instance"),
                VolumeForm.options(instances, chosen: visit.value("instance"), visit),
                hint: texts(instances.isEmpty ? "volume.attach_no_instance" : "volume.attach_hint")
            )
        ]
        let setting = subject.setting(
            sheet.heading,
            "volume attach \(subject.id) --instance \(instances.first?.instance.name.description ?? "NAME")",
            ("POST", "/volumes/\(subject.id)?operation=attachToInstance")
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            let instance = try VolumeForm.readInstance(visit.form)
            _ = try await visit.cloud.attachVolume(subject.id, to: instance, in: subject.place.id, visit.caller)
            return subject.done(.volumeAttached)
        }
    }

    @Sendable
    private static func detach(_ visit: Visit) async throws -> Response {
        let subject = try await Subject(visit)
        let texts = visit.texts
        let instance = subject.view.instance?.name.description ?? ""
        var sheet = subject.sheet(
            texts("action.detach"),
            intro: texts(
                subject.view.isInstanceRunning ? "volume.detach_running" : "volume.detach_stopped",
                ["instance": instance]
            )
        )
        if subject.view.isInstanceRunning { sheet.warning = texts("volume.detach_warning") }
        let setting = subject.setting(
            sheet.heading,
            "volume detach \(subject.id)",
            ("POST", "/volumes/\(subject.id)?operation=detachFromInstance")
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            _ = try await visit.cloud.detachVolume(subject.id, in: subject.place.id, visit.caller)
            return subject.done(.volumeDetached)
        }
    }

    @Sendable
    private static func grow(_ visit: Visit) async throws -> Response {
        let subject = try await Subject(visit)
        let (texts, size) = (visit.texts, subject.view.volume.size)
        let least = Int(size.bytes >> 30) + 1
        var sheet = subject.sheet(texts("action.grow"), intro: texts("volume.grow_intro"))
        sheet.facts = [Fact(texts("volume.size_now"), visit.formats.size(size))]
        sheet.fields = [VolumeForm.size(visit, least, atLeast: least, hint: texts("volume.grow_hint"))]
        let setting = subject.setting(
            sheet.heading,
            "volume resize \(subject.id) --size \(least)G",
            ("POST", "/volumes/\(subject.id)?operation=resize")
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            let wanted = try VolumeForm.readSize(visit.form, atLeast: least)
            _ = try await visit.cloud.resizeVolume(subject.id, to: wanted, in: subject.place.id, visit.caller)
            return subject.done(.volumeResized)
        }
    }

    @Sendable
    private static func move(_ visit: Visit) async throws -> Response {
        let subject = try await Subject(visit)
        let texts = visit.texts
        let pool = subject.view.volume.pool
        let choice = try await PoolChoice(visit)
        let snapshots = try await visit.cloud.listSnapshots(
            SnapshotFilter(environment: subject.place.id, volume: subject.id),
            order: .newestFirst,
            page: PageRequest(limit: 1),
            visit.caller
        ).total
        var sheet = subject.sheet(texts("action.move"), intro: texts("volume.move_intro"))
        sheet.facts = [Fact(texts("volume.pool_now"), pool.description)]
        if snapshots > 0 {
            sheet.facts.append(
                Fact(texts("tab.snapshots"), texts("volume.move_snapshots", ["pool": pool.description]))
            )
        }
        if subject.view.isInstanceRunning {
            sheet.warning = texts(
                "volume.move_running",
                ["instance": subject.view.instance?.name.description ?? ""]
            )
        }
        sheet.fields = choice.field(without: pool).map { [$0] } ?? []
        let setting = subject.setting(
            sheet.heading,
            "volume move \(subject.id) --pool \(choice.others(than: pool).first?.description ?? "POOL")",
            ("POST", "/volumes/\(subject.id)?operation=move")
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            guard let target = try PoolChoice.read(visit.form) else {
                throw ServiceError(
                    .invalidInput,
                    "No pool was chosen; choose one from the list.",
                    subject: .field(PoolChoice.field)
                )
            }
            _ = try await visit.cloud.moveVolume(subject.id, to: target, in: subject.place.id, visit.caller)
            return subject.done(.volumeMoving)
        }
    }

    @Sendable
    private static func delete(_ visit: Visit) async throws -> Response {
        let subject = try await Subject(visit)
        let (texts, formats) = (visit.texts, visit.formats)
        let snapshots = try await visit.cloud.listSnapshots(
            SnapshotFilter(environment: subject.place.id, volume: subject.id),
            order: .newestFirst,
            page: PageRequest(limit: 1),
            visit.caller
        ).total
        var sheet = subject.sheet(
            texts("action.delete_volume"),
            intro: texts("volume.delete_intro", ["name": subject.name])
        )
        sheet.facts = [
            Fact(texts("volume.size"), formats.size(subject.view.volume.size)),
            Fact(texts("volume.delete_lost"), formats.size(subject.view.space.exclusive)),
            Fact(
                texts("tab.snapshots"),
                snapshots == 0
                    ? texts("volume.no_snapshots") : texts.count("volume.delete_snapshots_stay", snapshots)
            ),
        ]
        sheet.warning = texts("volume.delete_warning")
        sheet.isDanger = true
        let setting = subject.setting(
            sheet.heading,
            "volume delete \(subject.id)",
            ("DELETE", "/volumes/\(subject.id)")
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            _ = try await visit.cloud.deleteVolume(subject.id, in: subject.place.id, visit.caller)
            return visit.redirect(to: subject.list, saying: Notice(.volumeDeleted, subject.name))
        }
    }

    /// What the volume holds now becomes an undo in its turn, so that this can be taken back as well.
    @Sendable
    private static func undoRevert(_ visit: Visit) async throws -> Response {
        let subject = try await Subject(visit, for: .revert)
        let texts = visit.texts
        var sheet = subject.sheet(
            texts("action.undo_revert"),
            intro: texts("volume.undo_intro", ["name": subject.name])
        )
        if let undo = subject.view.undo {
            sheet.facts.append(Fact(texts("volume.undo_back_to"), Moment(undo.createdAt, visit)))
        }
        sheet.facts.append(Fact(texts("volume.undo_kept"), texts("volume.undo_kept_text")))
        if subject.view.isInstanceRunning {
            let instance = subject.view.instance?.name.description ?? ""
            sheet.warning = texts("volume.undo_stops", ["instance": instance])
            sheet.fields = [
                .check(
                    "restart",
                    texts("volume.undo_restart", ["instance": instance]),
                    isOn: visit.isOn("restart", true)
                )
            ]
        }
        let setting = subject.setting(
            sheet.heading,
            "volume undo-revert \(subject.id)",
            ("POST", "/volumes/\(subject.id)?operation=undoRevert")
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            _ = try await visit.cloud.revert(
                .undo(subject.id),
                restarts: visit.form.isOn("restart"),
                in: subject.place.id,
                visit.caller
            )
            return subject.done(.volumeUndone)
        }
    }
}
