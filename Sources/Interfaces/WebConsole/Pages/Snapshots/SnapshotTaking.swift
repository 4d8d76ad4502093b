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
        .get(ConsoleRoute.within("/instances/:id/snapshot")) { visit in try await ofInstance(visit) },
        .post(ConsoleRoute.within("/instances/:id/snapshot")) { visit in try await ofInstance(visit) },
    ]

    struct TakePage: PageValue {
        let sheet: Sheet
        let survival: String
        /// How much space it will take.
        let space: String
        let cost: Cost?
    }

    struct Cost: PageValue {
        let item: String
        let hourly: String
        let monthly: String
    }

    /// What the page offers to take a snapshot of.
    private struct Offer {
        /// Where the page was opened from, and where *Cancel* leads.
        var list: Link
        var tab: Tab
        /// Nil where it is the list itself.
        var name: String?
        var cancelAddress: String
        /// What the page is about: one volume, or those of the instance.
        var volumes: [VolumeView]
        /// Volumes to choose from; empty where the volume is given.
        var choices: [VolumeView] = []
        /// All volumes of this instance are the first choice.
        var whole: Instance?
        var isWhole = false

        var first: VolumeView { volumes[0] }
    }

    private static func ofVolume(_ visit: Visit) async throws -> Response {
        let place = try await visit.place(for: .create)
        let id: VolumeID = try visit.id(of: "volumes")
        let view = try await visit.cloud.volume(id, in: place.id, visit.caller)
        let offer = Offer(
            list: Link(visit.texts("tab.volumes"), place.address("volumes")),
            tab: .volumes,
            name: view.volume.name.description,
            cancelAddress: place.address("volumes"),
            volumes: [view]
        )
        return try await ask(visit, place, offer)
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
        let offer = Offer(
            list: Link(visit.texts("tab.snapshots"), place.address("snapshots")),
            tab: .snapshots,
            cancelAddress: place.address("snapshots"),
            volumes: [chosen],
            choices: volumes
        )
        return try await ask(visit, place, offer)
    }

    /// All volumes of the instance, or one of them.
    private static func ofInstance(_ visit: Visit) async throws -> Response {
        let place = try await visit.place(for: .create)
        let id: InstanceID = try visit.id(of: "instances")
        let volumes = try await visit.cloud.listVolumes(
            VolumeFilter(environment: place.id, instance: id),
            order: .byName,
            page: .all,
            visit.caller
        ).rows
        guard let instance = volumes.first?.instance else {
            throw ServiceError(
                .notFound,
                "There is no such instance here, or it has no volumes to take a snapshot of.",
                subject: .instance(id)
            )
        }
        let chosen = volumes.first { $0.volume.id.description == visit.value("volume") }
        let offer = Offer(
            list: Link(visit.texts("tab.instances"), place.address("instances")),
            tab: .instances,
            name: instance.name.description,
            cancelAddress: place.address("instances", id.description),
            volumes: chosen.map { [$0] } ?? volumes,
            choices: volumes,
            whole: instance,
            isWhole: chosen == nil
        )
        return try await ask(visit, place, offer)
    }

    private static func ask(_ visit: Visit, _ place: Place, _ offer: Offer) async throws -> Response {
        let texts = visit.texts
        let freeze = try await lastFreeze(of: offer, visit, place)
        let siblings = try await siblings(of: offer.first, visit, place)
        let sheet = Sheet(
            list: offer.list,
            name: offer.name,
            heading: texts("action.take_snapshot"),
            fields: try fields(visit, offer, siblings: siblings, freeze: freeze),
            address: visit.path,
            cancelAddress: offer.cancelAddress
        )
        let what = offer.whole.map { "--instance \($0.id)" } ?? "--volume \(offer.first.volume.id)"
        let setting = Visit.Setting(
            title: sheet.heading,
            place: place,
            tab: offer.tab,
            commandLine: "snapshot create \(what)",
            apiCall: offer.whole.map { ("POST", "/instances/\($0.id)?operation=createSnapshots") }
                ?? ("POST", "/snapshots")
        )
        return try await visit.answer {
            () async throws(ServiceError) in
            try await take(visit, place, offer)
        } show: { problem in
            var setting = setting
            if problem != nil { setting.status = .badRequest }
            return try await visit.page(
                "take-snapshot",
                TakePage(
                    sheet: sheet.saying(problem),
                    survival: texts("snapshot.not_a_backup"),
                    space: space(offer, visit),
                    cost: cost(of: offer.volumes, visit)
                ),
                setting
            )
        }
    }

    private static func take(_ visit: Visit, _ place: Place, _ offer: Offer) async throws(ServiceError) -> Response {
        let form = visit.form
        let mode = form["consistency"].flatMap(ConsistencyMode.init) ?? .crash
        let taken = try await visit.cloud.takeSnapshots(
            TakeSnapshotRequest(
                target: target(form, offer),
                name: try form["name"].map { text throws(ServiceError) in try ResourceName(text) },
                description: form["description"] ?? "",
                consistency: ConsistencyRequest(mode: mode, onMiss: form.isOn("strict") ? .fail : .settle)
            ),
            in: place.id,
            visit.caller
        ).resource
        let name = taken.first?.snapshot.name.description ?? ""
        let address = taken.first.map { place.address("snapshots", $0.snapshot.id.description) }
        let notice =
            taken.count > 1
            ? Notice(.snapshotsTaken, visit.texts.count("snapshot.count", taken.count), at: address)
            : Notice(.snapshotTaken, name, at: address)
        return visit.redirect(to: place.address("volumes"), saying: notice)
    }

    private static func target(_ form: Fields, _ offer: Offer) -> TakeSnapshotRequest.Target {
        if offer.isWhole, let instance = offer.whole { return .instance(instance.id) }
        if form.isOn("whole"), let instance = offer.first.volume.attachment?.instance { return .instance(instance) }
        return .volume(offer.first.volume.id)
    }

    // MARK: The form

    private static func fields(
        _ visit: Visit,
        _ offer: Offer,
        siblings: Int,
        freeze: Int?
    ) throws(ServiceError) -> [FormField] {
        let (texts, view) = (visit.texts, offer.first)
        let generated = try GeneratedName.snapshot(
            instance: view.instance?.name,
            volume: view.volume.name,
            at: Date()
        )
        let isFree = !offer.choices.isEmpty
        var fields: [FormField] = []
        if isFree { fields.append(choice(offer, texts)) }
        fields.append(
            .text(
                "name",
                texts("list.name"),
                visit.value("name"),
                // The name of a volume that may yet be changed would mislead.
                placeholder: isFree ? nil : generated.description,
                hint: texts(offer.whole == nil ? "snapshot.name_hint" : "snapshot.name_hint_whole"),
                isOptional: true
            )
        )
        fields.append(.area("description", texts("list.description"), visit.value("description")))
        if view.instance != nil || isFree {
            fields.append(consistency(visit, offer, freeze: freeze, isOpen: isFree && offer.whole == nil))
            fields.append(
                .check(
                    "strict",
                    texts("consistency.strict"),
                    isOn: visit.isOn("strict"),
                    hint: texts("consistency.strict_hint")
                )
            )
        }
        if offer.whole == nil, siblings > 1 || isFree {
            fields.append(
                .check(
                    "whole",
                    texts("snapshot.whole"),
                    isOn: visit.isOn("whole"),
                    hint: siblings > 1 && !isFree
                        ? texts.count("snapshot.whole_hint", siblings, ["name": view.instance?.name.description ?? ""])
                        : texts("snapshot.whole_hint_any")
                )
            )
        }
        return fields
    }

    private static func choice(_ offer: Offer, _ texts: Texts) -> FormField {
        var options: [FormField.Option] = []
        if offer.whole != nil {
            options.append(
                FormField.Option(
                    value: "",
                    title: texts.count("snapshot.whole_choice", offer.choices.count),
                    isChosen: offer.isWhole
                )
            )
        }
        options += offer.choices.map { choice in
            // Of one instance's volumes nobody needs to be told whose they are.
            let owner = offer.whole == nil ? choice.instance?.name.description : nil
            return FormField.Option(
                value: choice.volume.id.description,
                title: [choice.volume.name.description, owner].compactMap(\.self).joined(separator: " · "),
                isChosen: !offer.isWhole && choice.volume.id == offer.first.volume.id
            )
        }
        return .select("volume", texts(offer.whole == nil ? "volume.volume" : "snapshot.volumes"), options)
    }

    /// What it takes now and later, with the volume's own bytes of now where the volume is certain.
    private static func space(_ offer: Offer, _ visit: Visit) -> String {
        guard offer.choices.isEmpty || offer.whole != nil else { return visit.texts("snapshot.space_expected") }
        let own = offer.volumes.reduce(ByteCount.zero) { $0 + $1.space.exclusive }
        return visit.texts("snapshot.space_expected_own", ["size": visit.formats.size(own)])
    }

    /// What each mode costs, with what it took the last time.
    private static func consistency(_ visit: Visit, _ offer: Offer, freeze: Int?, isOpen: Bool) -> FormField {
        let (texts, view) = (visit.texts, offer.first)
        let canFreeze = view.isInstanceRunning || isOpen
        let canRemember = offer.isWhole && view.isInstanceRunning
        let asked = ConsistencyMode(rawValue: visit.value("consistency", ConsistencyMode.crash.rawValue)) ?? .crash
        let chosen: ConsistencyMode =
            switch asked {
            case .crash: .crash
            case .filesystem: canFreeze ? .filesystem : .crash
            case .memory: canRemember ? .memory : .crash
            }
        let filesystem =
            !canFreeze
            ? texts("consistency.filesystem_off")
            : freeze.map { texts("consistency.filesystem_measured", ["milliseconds": visit.formats.number($0)]) }
                ?? texts(
                    "consistency.filesystem_text",
                    ["milliseconds": visit.formats.number(ConsistencyRequest.defaultFreezeMilliseconds)]
                )
        let memory = FormField.Option(
            value: ConsistencyMode.memory.rawValue,
            title: texts("consistency.memory"),
            detail: texts(
                canRemember ? "consistency.memory_text" : "consistency.memory_off",
                [
                    "size": visit.formats.size(offer.whole?.memory ?? .zero),
                    "milliseconds": visit.formats.number(ConsistencyRequest.defaultFreezeMilliseconds),
                ]
            ),
            isChosen: chosen == .memory,
            isDisabled: !canRemember
        )
        return .cards(
            "consistency",
            texts("snapshot.consistency"),
            [
                FormField.Option(
                    value: ConsistencyMode.crash.rawValue,
                    title: texts("consistency.crash"),
                    detail: texts("consistency.crash_text"),
                    isChosen: chosen == .crash
                ),
                FormField.Option(
                    value: ConsistencyMode.filesystem.rawValue,
                    title: texts("consistency.filesystem"),
                    detail: filesystem,
                    isChosen: chosen == .filesystem,
                    isDisabled: !canFreeze
                ),
            ] + (offer.whole == nil ? [] : [memory])
        )
    }

    /// How long the guest was frozen the last time, if it ever was.
    private static func lastFreeze(of offer: Offer, _ visit: Visit, _ place: Place) async throws -> Int? {
        let filter =
            offer.whole.map { SnapshotFilter(environment: place.id, instance: $0.id) }
            ?? SnapshotFilter(environment: place.id, volume: offer.first.volume.id)
        return try await visit.cloud.listSnapshots(
            filter,
            order: .newestFirst,
            page: PageRequest(limit: 20),
            visit.caller
        ).rows.lazy.map(\.snapshot.consistency).filter { $0.achieved == .filesystem }.compactMap(\.freezeMilliseconds)
            .first
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

    private static func cost(of volumes: [VolumeView], _ visit: Visit) -> Cost? {
        guard let prices = visit.console.configuration.prices else { return nil }
        let size = volumes.reduce(ByteCount.zero) { $0 + $1.volume.size }
        let hourly = Double(size.wholeGibibytes) * prices.snapshotPerGibibyteHour
        // A month has 730 hours, as clouds count.
        return Cost(
            item: visit.texts("cost.snapshot", ["size": visit.formats.size(size)]),
            hourly: visit.formats.money(hourly, prices.currency),
            monthly: visit.formats.money(hourly * 730, prices.currency)
        )
    }
}
