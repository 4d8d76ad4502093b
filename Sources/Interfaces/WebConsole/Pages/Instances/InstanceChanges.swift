import Foundation
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// What can be done with an instance: each says first what will happen.
enum InstanceChanges {
    static let all: [ConsoleRoute] =
        route("start", start) + route("stop", stop) + route("reboot", reboot) + route("rename", rename)
        + route("delete", delete) + route("recover", recover)

    /// The page that asks, and the same address for what is answered.
    static func route(_ name: String, _ handler: @escaping ConsoleRoute.Handler) -> [ConsoleRoute] {
        let pattern = ConsoleRoute.within("/instances/:id/" + name)
        return [.get(pattern, handler), .post(pattern, handler)]
    }

    // MARK: Power

    @Sendable
    private static func start(_ visit: Visit) async throws -> Response {
        let subject = try await InstanceSubject(visit, for: .change)
        let texts = visit.texts
        let sheet = subject.sheet(texts("action.start"), intro: texts("instance.start_intro", ["name": subject.name]))
        let setting = subject.setting(
            "instance start \(subject.id)",
            ("POST", "/instances/\(subject.id)?operation=start"),
            title: sheet.heading
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            _ = try await visit.cloud.startInstance(subject.id, in: subject.place.id, visit.caller)
            return subject.done(.instanceStarted)
        }
    }

    /// How a machine is brought to rest.
    private enum StopKind: String, CaseIterable {
        case graceful, forced
    }

    @Sendable
    private static func stop(_ visit: Visit) async throws -> Response {
        let subject = try await InstanceSubject(visit, for: .change)
        let texts = visit.texts
        // One that is stopping already waits for its guest, and one that does not answer will not listen to it.
        let initial: StopKind = subject.view.shownState == .running ? .graceful : .forced
        let chosen = StopKind(rawValue: visit.value("how", initial.rawValue)) ?? initial
        var sheet = subject.sheet(texts("action.stop"), intro: texts("instance.stop_intro", ["name": subject.name]))
        sheet.fields = [
            .cards(
                "how",
                texts("instance.stop_how"),
                StopKind.allCases.map { kind in
                    FormField.Option(
                        value: kind.rawValue,
                        title: texts("instance.stop.\(kind.rawValue)"),
                        detail: texts("instance.stop.\(kind.rawValue)_text"),
                        isChosen: kind == chosen
                    )
                }
            )
        ]
        let setting = subject.setting(
            "instance stop \(subject.id)",
            ("POST", "/instances/\(subject.id)?operation=stop"),
            title: sheet.heading
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            _ = try await visit.cloud.stopInstance(
                subject.id,
                isForced: chosen == .forced,
                in: subject.place.id,
                visit.caller
            )
            return subject.done(.instanceStopped)
        }
    }

    @Sendable
    private static func reboot(_ visit: Visit) async throws -> Response {
        let subject = try await InstanceSubject(visit, for: .change)
        let texts = visit.texts
        var sheet = subject.sheet(
            texts("action.reboot"),
            intro: texts("instance.reboot_intro", ["name": subject.name])
        )
        sheet.warning = texts("instance.reboot_warning")
        let setting = subject.setting(
            "instance reboot \(subject.id)",
            ("POST", "/instances/\(subject.id)?operation=reboot"),
            title: sheet.heading
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            _ = try await visit.cloud.rebootInstance(subject.id, in: subject.place.id, visit.caller)
            return subject.done(.instanceRebooted)
        }
    }

    // MARK: Name

    @Sendable
    private static func rename(_ visit: Visit) async throws -> Response {
        let subject = try await InstanceSubject(visit, for: .change)
        let texts = visit.texts
        var sheet = subject.sheet(texts("action.rename"), intro: texts("instance.rename_intro"))
        sheet.fields = [.text("name", texts("list.name"), visit.value("name", subject.name))]
        let setting = subject.setting(
            "instance rename \(subject.id) NAME",
            ("PUT", "/instances/\(subject.id)"),
            title: sheet.heading
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            let name = try ResourceName(visit.form["name"] ?? "")
            _ = try await visit.cloud.renameInstance(subject.id, to: name, in: subject.place.id, visit.caller)
            return subject.done(.instanceRenamed, name: name.description)
        }
    }

    // MARK: Deletion

    /// Brings back what was deleted and not purged yet.
    @Sendable
    private static func recover(_ visit: Visit) async throws -> Response {
        let subject = try await InstanceSubject(visit, for: .change)
        let texts = visit.texts
        let sheet = subject.sheet(
            texts("action.recover"),
            intro: texts("instance.recover_intro", ["name": subject.name])
        )
        let setting = subject.setting(
            "instance recover \(subject.id)",
            ("POST", "/instances/\(subject.id)?operation=recover"),
            title: sheet.heading
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            _ = try await visit.cloud.recoverInstance(subject.id, in: subject.place.id, visit.caller)
            return subject.done(.instanceRecovered)
        }
    }

    /// Deletes for good what was deleted.
    private static func purge(_ subject: InstanceSubject) async throws -> Response {
        let (visit, texts) = (subject.visit, subject.visit.texts)
        var sheet = subject.sheet(
            texts("action.purge"),
            intro: texts("instance.purge_intro", ["name": subject.name])
        )
        sheet.warning = texts("instance.delete_warning")
        sheet.isDanger = true
        let setting = subject.setting(
            "instance delete --purge \(subject.id)",
            ("POST", "/instances/\(subject.id)?operation=purge"),
            title: sheet.heading
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            _ = try await visit.cloud.deleteInstance(
                subject.id,
                DeleteInstanceRequest(onlyDestroyed: true),
                in: subject.place.id,
                visit.caller
            )
            return visit.redirect(to: subject.list, saying: Notice(.instanceDeleted, subject.name))
        }
    }

    /// The instance is put aside with its root volume, and can be recovered for a while, unless the caller wants to be rid of it;
    /// data volumes and snapshots stay unless they are ticked.
    @Sendable
    private static func delete(_ visit: Visit) async throws -> Response {
        let subject = try await InstanceSubject(visit, for: .change)
        if subject.view.instance.state.destroyedAt != nil { return try await purge(subject) }
        let (texts, formats) = (visit.texts, visit.formats)
        let volumes = try await subject.volumes()
        let data = volumes.filter { $0.volume.role == .data }
        var snapshots = 0
        for volume in volumes { snapshots += try await subject.snapshotCount(of: volume.volume.id) }
        var sheet = subject.sheet(
            texts("action.delete_instance"),
            intro: texts("instance.delete_intro", ["name": subject.name])
        )
        sheet.facts = volumes.filter { $0.volume.role == .root }.map { root in
            Fact(
                texts("instance.delete_lost"),
                texts(
                    "instance.delete_root",
                    ["name": root.volume.name.description, "size": formats.size(root.space.exclusive)]
                )
            )
        }
        sheet.facts.append(
            Fact(
                texts("instance.delete_kept"),
                [
                    data.isEmpty ? nil : texts.count("instance.delete_data", data.count),
                    snapshots == 0 ? nil : texts.count("snapshot.count", snapshots),
                ].compactMap(\.self).joined(separator: ", ").nonEmpty ?? texts("snapshot.delete_no_dependents")
            )
        )
        sheet.fields = data.map { view in
            FormField.check(
                "volume-\(view.volume.id)",
                texts("instance.delete_volume_too", ["name": view.volume.name.description]),
                isOn: visit.isOn("volume-\(view.volume.id)"),
                hint: texts("instance.delete_volume_hint", ["size": formats.size(view.volume.size)])
            )
        }
        if snapshots > 0 {
            sheet.fields.append(
                .check(
                    "snapshots",
                    texts.count("instance.delete_snapshots_too", snapshots),
                    isOn: visit.isOn("snapshots"),
                    hint: texts("instance.delete_snapshots_hint")
                )
            )
        }
        sheet.fields.append(
            .check(
                "purge",
                texts("instance.delete_purge"),
                isOn: visit.isOn("purge"),
                hint: texts("instance.delete_purge_hint")
            )
        )
        sheet.warning = texts(subject.isRunning ? "instance.delete_running" : "instance.delete_recoverable")
        sheet.isDanger = true
        let setting = subject.setting(
            "instance delete \(subject.id)",
            ("DELETE", "/instances/\(subject.id)"),
            title: sheet.heading
        )
        let ticked = data.map(\.volume.id).filter { visit.form.isOn("volume-\($0)") }
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            guard visit.form.isOn("purge") || visit.form.isOn("snapshots") else {
                _ = try await visit.cloud.destroyInstance(
                    subject.id,
                    with: Set(ticked),
                    in: subject.place.id,
                    visit.caller
                )
                return subject.done(.instanceDestroyed)
            }
            _ = try await visit.cloud.deleteInstance(
                subject.id,
                DeleteInstanceRequest(
                    deletesSnapshots: visit.form.isOn("snapshots"),
                    volumesToDelete: Set(ticked)
                ),
                in: subject.place.id,
                visit.caller
            )
            return visit.redirect(to: subject.list, saying: Notice(.instanceDeleted, subject.name))
        }
    }
}

extension InstanceSubject {
    func sheet(_ heading: String, intro: String? = nil) -> Sheet {
        Sheet(
            list: Link(visit.texts("tab.instances"), list),
            name: name,
            heading: heading,
            intro: intro,
            address: visit.path,
            cancelAddress: own
        )
    }

    func done(_ kind: Notice.Kind, name newName: String? = nil) -> Response {
        visit.redirect(to: list, saying: Notice(kind, newName ?? name, at: own))
    }

    fileprivate func snapshotCount(of volume: VolumeID) async throws(ServiceError) -> Int {
        try await visit.cloud.listSnapshots(
            SnapshotFilter(environment: place.id, volume: volume),
            order: .newestFirst,
            page: PageRequest(limit: 1),
            visit.caller
        ).total
    }
}

extension String {
    fileprivate var nonEmpty: String? { isEmpty ? nil : self }
}
