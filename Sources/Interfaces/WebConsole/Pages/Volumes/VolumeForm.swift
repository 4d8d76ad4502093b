import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// Sizes and instances as the forms about volumes ask for them.
enum VolumeForm {
    static let largest = Int(VolumeLimits.largest.wholeGibibytes)

    /// The field for a size in whole GiB, with what was typed, be it a number or not.
    static func size(_ visit: Visit, _ initial: Int, atLeast least: Int = 1, hint: String? = nil) -> FormField {
        var field = FormField.number(
            "size",
            visit.texts("volume.size"),
            initial,
            in: min(least, largest)...largest,
            unit: visit.formats.gibibyteUnit,
            hint: hint
        )
        field.value = visit.value("size", String(initial))
        return field
    }

    /// - Throws: ``ServiceError`` with `invalidInput` that names the field.
    static func readSize(_ form: Fields, atLeast least: Int = 1) throws(ServiceError) -> ByteCount {
        guard let text = form["size"], let count = Int64(text), count >= least, count <= largest else {
            throw ServiceError(
                .invalidInput,
                "The size must be a whole number from \(least) to \(largest) GiB.",
                subject: .field("size")
            )
        }
        return .gibibytes(count)
    }

    /// The instances that a volume can be attached to.
    static func instances(_ place: Place, _ visit: Visit) async throws(ServiceError) -> [InstanceView] {
        try await visit.cloud.listInstances(
            InstanceFilter(environment: place.id),
            order: .byName,
            page: .all,
            visit.caller
        ).rows.filter { $0.instance.state == .available }
    }

    static func options(_ instances: [InstanceView], chosen: String, _ visit: Visit) -> [FormField.Option] {
        instances.map { view in
            let id = view.instance.id.description
            return FormField.Option(
                value: id,
                title: "\(view.instance.name) (\(visit.texts("instance.state.\(view.shownState)")))",
                isChosen: id == chosen
            )
        }
    }

    /// - Throws: ``ServiceError`` with `invalidInput` that names the field.
    static func readInstance(_ form: Fields) throws(ServiceError) -> InstanceID {
        guard let id = InstanceID(form["instance"] ?? "") else {
            throw ServiceError(
                .invalidInput,
                "No instance was chosen; choose one from the list.",
                subject: .field("instance")
            )
        }
        return id
    }
}
