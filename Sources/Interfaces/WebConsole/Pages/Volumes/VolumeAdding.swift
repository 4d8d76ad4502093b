import Foundation
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// *Add volume*: a blank disk, attached to an instance at once if wanted.
enum VolumeAdding {
    private static let custom = "custom"
    /// In GiB.
    private static let usual = 10

    static func add(_ visit: Visit) async throws -> Response {
        let place = try await visit.place(for: .create)
        let texts = visit.texts
        let list = place.address("volumes")
        let sheet = Sheet(
            list: Link(texts("tab.volumes"), list),
            heading: texts("volume.add"),
            intro: texts("volume.add_intro"),
            fields: try await fields(place, visit),
            address: visit.path,
            cancelAddress: list
        )
        let setting = Visit.Setting(
            title: sheet.heading,
            place: place,
            tab: .volumes,
            commandLine: "volume create NAME --size \(usual)G",
            apiCall: ("POST", "/volumes")
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            let name = try ResourceName(visit.form["name"] ?? "")
            let offering = try readOffering(visit.form, try await offerings(visit))
            let size = if let size = offering.size { size } else { try VolumeForm.readSize(visit.form) }
            let view = try await visit.cloud.createVolume(
                CreateVolumeRequest(
                    source: .blank(size),
                    name: name,
                    diskOffering: offering.id,
                    instance: visit.form["instance"] == nil ? nil : try VolumeForm.readInstance(visit.form),
                    pool: try PoolChoice.read(visit.form)
                ),
                in: place.id,
                visit.caller
            ).resource
            let address = place.address("volumes", view.volume.id.description)
            return visit.redirect(to: list, saying: Notice(.volumeCreated, name.description, at: address))
        }
    }

    /// Those that can be chosen.
    private static func offerings(_ visit: Visit) async throws(ServiceError) -> [DiskOffering] {
        try await visit.cloud.listDiskOfferings(visit.caller).filter { !$0.isRetired }
    }

    private static func fields(_ place: Place, _ visit: Visit) async throws(ServiceError) -> [FormField] {
        let texts = visit.texts
        let instances = try await VolumeForm.instances(place, visit)
        let offering = visit.value("offering", custom)
        var fields = [
            FormField.text("name", texts("list.name"), visit.value("name")),
            FormField.cards(
                "offering",
                texts("volume.size"),
                try await offerings(visit).map { each in
                    FormField.Option(
                        value: each.id,
                        title: each.size.map(visit.formats.size) ?? texts("volume.custom_size"),
                        isChosen: each.id == offering
                    )
                }
            ),
            VolumeForm.size(visit, usual, hint: texts("volume.custom_hint")),
        ]
        // Left empty it does not matter where another size is chosen.
        fields[2].isOptional = true
        fields[2].label = texts("volume.custom_size")
        if let pool = try await PoolChoice(visit).field() { fields.append(pool) }
        guard !instances.isEmpty else { return fields }
        let none = FormField.Option(value: "", title: texts("volume.attach_later"))
        fields.append(
            .select(
                "instance",
                texts("volume.attach_to"),
                [none] + VolumeForm.options(instances, chosen: visit.value("instance"), visit),
                hint: texts("volume.attach_hint")
            )
        )
        return fields
    }

    private static func readOffering(
        _ form: Fields,
        _ offerings: [DiskOffering]
    ) throws(ServiceError) -> DiskOffering {
        let id = form["offering"] ?? custom
        guard let offering = offerings.first(where: { $0.id == id }) else {
            throw ServiceError(
                .invalidInput,
                "There is no disk offering of that name; choose one of the sizes.",
                subject: .field("offering")
            )
        }
        return offering
    }
}
