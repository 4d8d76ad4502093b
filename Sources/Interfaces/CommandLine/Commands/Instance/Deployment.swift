import ArgumentParser

/// The size of a machine, and how it is connected: the same for every way to create one.
struct MachineOptions: ParsableArguments {
    @Option(
        help: "A compute offering, by name or id. With --cpu or --memory the custom one is meant.",
        completion: .names(.computeOffering)
    )
    var offering: String?

    @Option(help: "Virtual processors.")
    var cpu: Int?

    @Option(help: "Memory, such as 512M or 2G.")
    var memory: SizeArgument?

    @Flag(inversion: .prefixedNo, help: "Connect it to the host's user-mode network. (default: the service's choice)")
    var network: Bool?

    func validate() throws {
        guard cpu ?? 1 > 0 else { throw ValidationError("--cpu must be at least 1.") }
        guard (cpu == nil) == (memory == nil) else {
            throw ValidationError("--cpu and --memory go together: an offering fixes both.")
        }
        guard cpu == nil || offering == nil || offering?.lowercased() == "custom" else {
            throw ValidationError("--offering fixes processors and memory; leave it out, or --cpu and --memory.")
        }
    }

    /// The members of a request's body that these options fill.
    func body(_ call: Call) async throws -> [String: JSONValue?] {
        let reference = offering ?? (cpu == nil ? nil : "custom")
        var id: String?
        if let reference { id = try await call.find(reference, .computeOffering)["id"].string }
        return [
            "computeOfferingId": id.map(JSONValue.text),
            "cpuCount": cpu.map { .integer(Int64($0)) },
            "memoryInMB": memory.map { .integer($0.mebibytes) },
        ]
    }
}

/// How many instances to create, where, and with which disks.
struct DeploymentOptions: ParsableArguments {
    @Option(help: "How many.")
    var count = 1

    @Option(
        help: ArgumentHelp("The environment to create it in, when not this one.", valueName: "environment"),
        completion: .names(.environment)
    )
    var to: String?

    @OptionGroup var machine: MachineOptions

    @Option(help: "Size of the root volume, such as 20G. Never smaller than that of the template.")
    var rootSize: SizeArgument?

    @Option(help: "Size of a blank data volume for each, such as 10G.")
    var dataDisk: SizeArgument?

    @OptionGroup var place: PoolOptions

    @Flag(inversion: .prefixedNo, help: "Start them.")
    var start = true

    func validate() throws {
        guard count >= 1 else { throw ValidationError("--count must be at least 1.") }
        _ = try rootSize?.gibibytes("--root-size")
        _ = try dataDisk?.gibibytes("--data-disk")
    }

    /// Creates the instances and shows them.
    func deploy(_ source: Deployment.Source, name: String?, _ call: Call, waits: Bool) async throws {
        let deployment = Deployment(source: source, name: name, to: to, machine: machine)
        let label = count == 1 ? "Creating an instance" : "Creating \(count) instances"
        try await call.change(await deployment.submit(call, disks()), label, waits: waits) { result in
            let several = result["instances"].elements
            let instances = several.isEmpty ? [result] : several
            try call.present(changed: instances, as: .instance, isList: count > 1)
        }
    }

    private func disks() throws -> [String: JSONValue?] {
        [
            "rootVolumeSizeInGb": try rootSize.map { .integer(try $0.gibibytes("--root-size")) },
            "additionalDiskSizeInGb": try dataDisk.map { .integer(try $0.gibibytes("--data-disk")) },
            "count": count > 1 ? .integer(Int64(count)) : nil,
            "startInstance": start ? nil : false,
            "poolId": place.pool.map(JSONValue.text),
        ]
    }
}

/// Instances that are made of a template or a snapshot.
struct Deployment {
    enum Source {
        case template(String)
        case snapshot(String)
    }

    var source: Source
    /// Nil for the source's name.
    var name: String?
    var to: String?
    var machine: MachineOptions

    /// Asks the service for the instances; `more` are further members of the request's body.
    func submit(_ call: Call, _ more: [String: JSONValue?] = [:]) async throws -> Submission {
        let (reference, kind): (String, ResourceKind) =
            switch source {
            case .template(let reference): (reference, .template)
            case .snapshot(let reference): (reference, .snapshot)
            }
        let resource = try await call.find(reference, kind)
        var members = try await machine.body(call).merging(more) { $1 }
        members["name"] = .text(name ?? resource["name"].string ?? reference)
        members["environment"] = to.map(JSONValue.text)
        members["network"] = machine.network.map(JSONValue.bool)
        let id = resource["id"].string ?? reference
        let endpoint: APIClient.Endpoint
        switch source {
        case .template:
            members["templateId"] = .text(id)
            endpoint = try await call.endpoint(.instance)
        case .snapshot:
            endpoint = try await call.operation("createInstance", on: .snapshot, id)
        }
        return try await call.client.change(.post, endpoint, .object(present: members))
    }
}
