import Foundation
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// *Take snapshot*: from a volume, from an instance, or from the tab *Snapshots*, which asks what of.
enum SnapshotTaking {
    static let all: [ConsoleRoute] = [
        .get(ConsoleRoute.within("/snapshots/new")) { visit in try await choose(visit) },
        .post(ConsoleRoute.within("/snapshots/new")) { visit in try await choose(visit) },
        .get(ConsoleRoute.within("/volumes/:id/snapshot")) { visit in try await ofVolume(visit) },
        .post(ConsoleRoute.within("/volumes/:id/snapshot")) { visit in try await ofVolume(visit) },
    ]

    struct TakePage: PageValue {
        let sheet: Sheet
        let survival: String
        let cost: Cost?
    }

    struct Cost: PageValue {
        let item: String
        let hourly: String
        let monthly: String
    }

    private static func ofVolume(_ visit: Visit) async throws -> Response {
        let place = try await visit.place(for: .create)
        let id: VolumeID = try visit.id(of: "volumes")
        let view = try await visit.cloud.volume(id, in: place.id, visit.caller)
        return try await ask(visit, place, about: view, choices: [])
    }

    /// The volume is one of the fields; the page begins with the first.
    private static func choose(_ visit: Visit) async throws -> Response {
        let place = try await visit.place(for: .create)
        let volumes = try await visit.cloud.listVolumes(
            VolumeFilter(environment: place.id, states: [.available]),
            order: .byName,
            page: .all,
            visit.caller
        ).rows
        let wanted = VolumeID(visit.value("volume"))
        guard let chosen = volumes.first(where: { $0.volume.id == wanted }) ?? volumes.first else {
            return visit.redirect(to: place.address("volumes"))
        }
        return try await ask(visit, place, about: chosen, choices: volumes)
    }

    private static func ask(
        _ visit: Visit,
        _ place: Place,
        about view: VolumeView,
        choices: [VolumeView]
    ) async throws -> Response {
        let texts = visit.texts
        let freeze = try await lastFreeze(of: view.volume.id, visit, place)
        let siblings = try await siblings(of: view, visit, place)
        let isFromList = !choices.isEmpty
        let sheet = Sheet(
            list: isFromList
                ? Link(texts("tab.snapshots"), place.address("snapshots"))
                : Link(texts("tab.volumes"), place.address("volumes")),
            name: isFromList ? nil : view.volume.name.description,
            heading: texts("action.take_snapshot"),
            fields: try fields(visit, view, choices, siblings: siblings, freeze: freeze),
            address: visit.path,
            cancelAddress: isFromList ? place.address("snapshots") : place.address("volumes")
        )
        let setting = Visit.Setting(
            title: sheet.heading,
            place: place,
            tab: isFromList ? .snapshots : .volumes,
            commandLine: "snapshot create --volume \(view.volume.name)",
            apiCall: ("POST", "/snapshots")
        )
        return try await visit.answer {
            () async throws(ServiceError) in
            try await take(visit, place, view)
        } show: { problem in
            var setting = setting
            if problem != nil { setting.status = .badRequest }
            return try await visit.page(
                "take-snapshot",
                TakePage(
                    sheet: sheet.saying(problem),
                    survival: texts("snapshot.not_a_backup"),
                    cost: cost(of: view, visit)
                ),
                setting
            )
        }
    }

    private static func take(_ visit: Visit, _ place: Place, _ view: VolumeView) async throws(ServiceError) -> Response
    {
        let form = visit.form
        let mode = form["consistency"].flatMap(ConsistencyMode.init) ?? .crash
        var target = TakeSnapshotRequest.Target.volume(view.volume.id)
        if form.isOn("whole"), let instance = view.volume.attachment?.instance { target = .instance(instance) }
        let taken = try await visit.cloud.takeSnapshots(
            TakeSnapshotRequest(
                target: target,
                name: try form["name"].map { text throws(ServiceError) in try ResourceName(text) },
                description: form["description"] ?? "",
                consistency: ConsistencyRequest(mode: mode, onMiss: form.isOn("strict") ? .fail : .settle)
            ),
            in: place.id,
            visit.caller
        ).resource
        let name = taken.first?.snapshot.name.description ?? ""
        let address = taken.first.map { place.address("snapshots", $0.snapshot.id.description) }
        return visit.redirect(to: place.address("volumes"), saying: Notice(.snapshotTaken, name, at: address))
    }

    // MARK: The form

    private static func fields(
        _ visit: Visit,
        _ view: VolumeView,
        _ choices: [VolumeView],
        siblings: Int,
        freeze: Int?
    ) throws(ServiceError) -> [FormField] {
        let texts = visit.texts
        let generated = try GeneratedName.snapshot(
            instance: view.instance?.name,
            volume: view.volume.name,
            at: Date()
        )
        var fields: [FormField] = []
        if !choices.isEmpty {
            fields.append(
                .select(
                    "volume",
                    texts("volume.volume"),
                    choices.map { choice in
                        FormField.Option(
                            value: choice.volume.id.description,
                            title: [choice.volume.name.description, choice.instance?.name.description]
                                .compactMap(\.self).joined(separator: " · "),
                            isChosen: choice.volume.id == view.volume.id
                        )
                    }
                )
            )
        }
        fields.append(
            .text(
                "name",
                texts("list.name"),
                visit.value("name"),
                // The name of a volume that may yet be changed would mislead.
                placeholder: choices.isEmpty ? generated.description : nil,
                hint: texts("snapshot.name_hint"),
                isOptional: true
            )
        )
        fields.append(.area("description", texts("list.description"), visit.value("description")))
        if view.instance != nil || !choices.isEmpty {
            fields.append(consistency(visit, view, freeze: freeze, isOpen: !choices.isEmpty))
        }
        if siblings > 1 || !choices.isEmpty {
            fields.append(
                .check(
                    "whole",
                    texts("snapshot.whole"),
                    isOn: visit.isOn("whole"),
                    hint: siblings > 1 && choices.isEmpty
                        ? texts.count("snapshot.whole_hint", siblings, ["name": view.instance?.name.description ?? ""])
                        : texts("snapshot.whole_hint_any")
                )
            )
        }
        return fields
    }

    /// What each mode costs, with what it took the last time.
    private static func consistency(_ visit: Visit, _ view: VolumeView, freeze: Int?, isOpen: Bool) -> FormField {
        let texts = visit.texts
        let chosen = visit.value("consistency", ConsistencyMode.crash.rawValue)
        let canFreeze = view.isInstanceRunning || isOpen
        let filesystem =
            !canFreeze
            ? texts("consistency.filesystem_off")
            : freeze.map { texts("consistency.filesystem_measured", ["milliseconds": visit.formats.number($0)]) }
                ?? texts(
                    "consistency.filesystem_text",
                    ["milliseconds": visit.formats.number(ConsistencyRequest.defaultFreezeMilliseconds)]
                )
        return .cards(
            "consistency",
            texts("snapshot.consistency"),
            [
                FormField.Option(
                    value: ConsistencyMode.crash.rawValue,
                    title: texts("consistency.crash"),
                    detail: texts("consistency.crash_text"),
                    isChosen: chosen != ConsistencyMode.filesystem.rawValue || !canFreeze
                ),
                FormField.Option(
                    value: ConsistencyMode.filesystem.rawValue,
                    title: texts("consistency.filesystem"),
                    detail: filesystem,
                    isChosen: chosen == ConsistencyMode.filesystem.rawValue && canFreeze,
                    isDisabled: !canFreeze
                ),
            ]
        )
    }

    /// How long the guest was frozen the last time, if it ever was.
    private static func lastFreeze(of volume: VolumeID, _ visit: Visit, _ place: Place) async throws -> Int? {
        try await visit.cloud.listSnapshots(
            SnapshotFilter(environment: place.id, volume: volume),
            order: .newestFirst,
            page: PageRequest(limit: 20),
            visit.caller
        ).rows.lazy.compactMap(\.snapshot.consistency.freezeMilliseconds).first
    }

    /// The volumes of the volume's instance.
    private static func siblings(of view: VolumeView, _ visit: Visit, _ place: Place) async throws -> Int {
        guard let instance = view.volume.attachment?.instance else { return 0 }
        return try await visit.cloud.listVolumes(
            VolumeFilter(environment: place.id, instance: instance),
            order: .byName,
            page: PageRequest(limit: 1),
            visit.caller
        ).total
    }

    private static func cost(of view: VolumeView, _ visit: Visit) -> Cost? {
        guard let prices = visit.console.configuration.prices else { return nil }
        let hourly = Double(view.volume.size.wholeGibibytes) * prices.snapshotPerGibibyteHour
        // A month has 730 hours, as clouds count.
        return Cost(
            item: visit.texts("cost.snapshot", ["size": visit.formats.size(view.volume.size)]),
            hourly: visit.formats.money(hourly, prices.currency),
            monthly: visit.formats.money(hourly * 730, prices.currency)
        )
    }
}
