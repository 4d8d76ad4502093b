import Foundation
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// What the page *Create instance* asks, and what its answers mean.
///
/// The fields are called as the API calls them, so that the service's errors point at them.
struct CreationForm: Sendable {
    enum Source: Sendable {
        case template(Template, among: [Template])
        /// With all snapshots of its instant, itself among them.
        case snapshot(Snapshot, with: [Snapshot])
    }

    let visit: Visit
    /// Where the source is.
    let place: Place
    let source: Source
    /// Where instances can be made; empty for templates, from which they are made here.
    let targets: [SnapshotDomain.Environment]
    /// Those that can be chosen.
    let offerings: [ComputeOffering]
    /// Where the volumes are made; what is made from a snapshot is a clone in its pool.
    var pools: PoolChoice?

    private static let largestDisk = Int(VolumeLimits.largest.wholeGibibytes)

    init(
        _ visit: Visit,
        _ place: Place,
        _ source: Source,
        targets: [SnapshotDomain.Environment] = [],
        offerings: [ComputeOffering]
    ) {
        self.visit = visit
        self.place = place
        self.source = source
        self.targets = targets
        self.offerings = offerings.filter { !$0.isRetired }
    }

    private var texts: Texts { visit.texts }
    private var formats: Formats { visit.formats }

    // MARK: What it says

    var list: Link {
        switch source {
        case .template: Link(texts("tab.instances"), place.address("instances"))
        case .snapshot: Link(texts("tab.snapshots"), place.address("snapshots"))
        }
    }

    var sourceName: String? {
        switch source {
        case .template: nil
        case .snapshot(let snapshot, _): snapshot.name.description
        }
    }

    var intro: String? {
        switch source {
        case .template: nil
        case .snapshot(_, let members): texts.count("instance.create_from_snapshot", members.count)
        }
    }

    var facts: [Fact] {
        guard case .snapshot(let snapshot, let members) = source else { return [] }
        let disks = members.rootFirst(\.source.role)
            .map { "\($0.source.volumeName) (\(formats.size($0.size)))" }
        return [
            Fact(
                texts("instance.instant_of"),
                Moment(snapshot.createdAt, visit)
            ),
            Fact(texts("volume.instance"), snapshot.source.instanceName?.description ?? texts("volume.detached")),
            Fact(texts("tab.volumes"), disks.joined(separator: ", ")),
        ]
    }

    var notes: [String] {
        isFromSnapshot ? [texts("instance.note_space")] : [texts("instance.note_space"), texts("instance.note_count")]
    }

    var hidden: [Sheet.Hidden] {
        guard case .snapshot(let snapshot, _) = source else { return [] }
        return [Sheet.Hidden(name: "snapshot", value: snapshot.id.description)]
    }

    var commandLine: String {
        switch source {
        case .template(let template, _): "instance create NAME --template \(template.id)"
        case .snapshot(let snapshot, _): "instance create NAME --snapshot \(snapshot.id)"
        }
    }

    var apiCall: (String, String) {
        switch source {
        case .template: ("POST", "/instances")
        case .snapshot(let snapshot, _): ("POST", "/snapshots/\(snapshot.id)?operation=createInstance")
        }
    }

    private var isFromSnapshot: Bool {
        if case .snapshot = source { true } else { false }
    }

    /// One name, or the first and the last of several; nil as long as the form does not say.
    var names: String? {
        let name = value("name", suggestedName).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !name.isEmpty else { return nil }
        let count = Int(value("count", "1")) ?? 1
        return count > 1 ? "\(name)-1 … \(name)-\(count)" : name
    }

    // MARK: Fields

    var fields: [FormField] {
        sourceFields + [
            .text("name", texts("list.name"), value("name", suggestedName)),
            number(
                "count",
                "instance.count",
                "1",
                in: VolumeLimits.instancesPerDeployment,
                hint: "instance.count_hint"
            ),
            offering,
            number("cpuCount", "instance.cpu", "1", in: ComputeOffering.cpuBounds),
            number(
                "memoryInMB",
                "instance.memory",
                "1024",
                in: ComputeOffering.memoryBoundsInMebibytes,
                unit: formats.mebibyteUnit
            ),
            network,
        ]
            + (pools?.field(usual: texts("pool.with_template"), hint: texts("pool.template_hint")).map { [$0] } ?? [])
            + [
                optionalSize("rootVolumeSizeInGb", "instance.root_size", hint: "instance.root_size_hint"),
                optionalSize("additionalDiskSizeInGb", "instance.data_size", hint: "instance.data_size_hint"),
                .check("start", texts("instance.start_at_once"), isOn: visit.isOn("start", true)),
            ]
    }

    private var sourceFields: [FormField] {
        switch source {
        case .template(let chosen, let templates):
            [
                .select(
                    "template",
                    texts("instance.template"),
                    templates.map { template in
                        FormField.Option(
                            value: template.id.description,
                            title: "\(template.name) (\(formats.size(template.size)))",
                            isChosen: template.id == chosen.id
                        )
                    }
                )
            ]
        case .snapshot:
            [
                .select(
                    "environment",
                    texts("frame.environment"),
                    targets.map { target in
                        FormField.Option(
                            value: target.name.description,
                            title: target.id == place.id
                                ? texts("instance.this_environment", ["name": target.name.description])
                                : target.name.description,
                            isChosen: target.name.description == value("environment")
                        )
                    },
                    hint: texts(targets.count > 1 ? "instance.target_hint" : "instance.target_only")
                )
            ]
        }
    }

    /// A copy of a machine is called after it, so that it is recognised.
    private var suggestedName: String {
        guard case .snapshot(let snapshot, _) = source, let instance = snapshot.source.instanceName else { return "" }
        return texts("instance.copy_name", ["name": instance.description])
    }

    private var offering: FormField {
        let chosen = value("computeOfferingId", standard)
        return .cards(
            "computeOfferingId",
            texts("instance.offering"),
            offerings.map { offering in
                FormField.Option(
                    value: offering.id,
                    title: texts.name(of: offering),
                    detail: detail(of: offering),
                    isChosen: offering.id == chosen
                )
            }
        )
    }

    /// The usual one, or the first if operators have taken it away.
    private var standard: String {
        offerings.contains { $0.id == ComputeOffering.standard } ? ComputeOffering.standard : offerings.first?.id ?? ""
    }

    private func detail(of offering: ComputeOffering) -> String {
        guard let cpuCount = offering.cpuCount, let memory = offering.memory else {
            return texts("instance.custom_text")
        }
        return texts.count("instance.cpus", cpuCount) + " · " + formats.size(memory)
    }

    private var network: FormField {
        let standard: NetworkMode = isFromSnapshot ? .isolated : .user
        let chosen = value("network", standard.rawValue)
        return .cards(
            "network",
            texts("instance.network"),
            [NetworkMode.user, .isolated].map { mode in
                FormField.Option(
                    value: mode.rawValue,
                    title: texts("instance.network.\(mode.rawValue)"),
                    detail: texts("instance.network.\(mode.rawValue)_text"),
                    isChosen: mode.rawValue == chosen
                )
            },
            hint: isFromSnapshot ? texts("instance.isolated_hint") : nil
        )
    }

    private func number(
        _ name: String,
        _ label: String,
        _ initial: String,
        in bounds: ClosedRange<Int>,
        unit: String? = nil,
        hint: String? = nil
    ) -> FormField {
        var field = FormField.number(
            name,
            texts(label),
            bounds.lowerBound,
            in: bounds,
            unit: unit,
            hint: hint.map { texts($0) }
        )
        // What was typed comes back, be it a number or not.
        field.value = value(name, initial)
        return field
    }

    private func optionalSize(_ name: String, _ label: String, hint: String) -> FormField {
        var field = number(name, label, "", in: 1...Self.largestDisk, unit: formats.gibibyteUnit, hint: hint)
        field.isOptional = true
        return field
    }

    private func value(_ name: String, _ initial: String = "") -> String {
        visit.value(name, initial)
    }

    // MARK: Answers

    /// The environment that gets the instances.
    func target() throws(ServiceError) -> SnapshotDomain.Environment {
        guard isFromSnapshot else { return place.environment }
        guard let target = targets.first(where: { $0.name.description == value("environment") }) else {
            throw ServiceError(
                .invalidInput,
                "No environment was chosen; choose one from the list.",
                subject: .field("environment")
            )
        }
        return target
    }

    /// - Throws: ``ServiceError`` with `invalidInput` that names the field.
    func request() throws(ServiceError) -> DeployRequest {
        let offering = visit.form["computeOfferingId"] ?? standard
        let isCustom = offerings.first { $0.id == offering }?.isCustom ?? false
        return DeployRequest(
            source: deploymentSource,
            name: try ResourceName(visit.form["name"] ?? ""),
            count: try readNumber("count", in: VolumeLimits.instancesPerDeployment),
            computeOffering: offering,
            cpuCount: isCustom ? try readNumber("cpuCount", in: ComputeOffering.cpuBounds) : nil,
            memory: isCustom
                ? .mebibytes(Int64(try readNumber("memoryInMB", in: ComputeOffering.memoryBoundsInMebibytes))) : nil,
            network: try readNetwork(),
            rootVolumeSize: try readSize("rootVolumeSizeInGb"),
            dataVolumeSize: try readSize("additionalDiskSizeInGb"),
            startsInstances: visit.form.isOn("start"),
            pool: isFromSnapshot ? nil : try PoolChoice.read(visit.form)
        )
    }

    private var deploymentSource: DeploymentSource {
        switch source {
        case .template(let template, _): .template(template.id)
        case .snapshot(let snapshot, _): .snapshot(snapshot.id)
        }
    }

    private func readNetwork() throws(ServiceError) -> NetworkMode {
        guard let mode = visit.form["network"].flatMap(NetworkMode.init) else {
            throw ServiceError(
                .invalidInput,
                "No network was chosen; choose one of " + NetworkMode.allCases.map(\.rawValue).joined(separator: ", ")
                    + ".",
                subject: .field("network")
            )
        }
        return mode
    }

    private func readSize(_ name: String) throws(ServiceError) -> ByteCount? {
        guard visit.form[name] != nil else { return nil }
        return .gibibytes(Int64(try readNumber(name, in: 1...Self.largestDisk)))
    }

    private func readNumber(_ name: String, in bounds: ClosedRange<Int>) throws(ServiceError) -> Int {
        guard let number = Int(visit.form[name] ?? ""), bounds.contains(number) else {
            throw ServiceError(
                .invalidInput,
                "\(name) must be a whole number from \(bounds.lowerBound) to \(bounds.upperBound).",
                subject: .field(name)
            )
        }
        return number
    }
}

extension Texts {
    /// What a size is called: in the reader's language for those of every installation, else as the operator calls it.
    func name(of offering: ComputeOffering) -> String {
        ComputeOffering.builtIn.contains { $0.id == offering.id } ? self("offering.\(offering.id)") : offering.name
    }
}
