import SnapshotDomain
import SnapshotServices

extension Shapes {
    static let instance = Shape<Owned<InstanceView>>(
        "virtualmachine",
        [
            .text("id", "The id.") { $0.view.instance.id.description },
            .text("name", "The name.") { $0.view.instance.name.description },
            .text("displayname", "The name.") { $0.view.instance.name.description },
            .text("instancename", "The name that the host knows.") { "i-\($0.view.instance.id)" },
            .text("state", "The state.") { StateWords.word($0.view.shownState) },
            .instant("created", "When it was made.") { $0.view.instance.createdAt },
            .text("templateid", "The template; absent for a machine from a snapshot.") {
                $0.view.instance.template?.description
            },
            .text("templatename", "The template's name.") { $0.view.templateName?.description },
            .text("templatedisplaytext", "The template's name.") { $0.view.templateName?.description },
            .text("serviceofferingid", "The offering's id.") {
                ComputeOffering.wireID(of: $0.view.instance.computeOffering)
            },
            .text("serviceofferingname", "The offering's name.") { $0.view.offeringName },
            .integer("cpunumber", "Processors.") { Int64($0.view.instance.cpuCount) },
            .integer("cpuspeed", "A nominal speed in MHz.") { _ in nominalSpeed },
            .integer("memory", "Memory in MiB.") { $0.view.instance.memory.bytes >> 20 },
            .list("nic", "The network cards: one, or none for an isolated machine.") {
                $0.view.instance.network == .isolated ? [] : [nic.json($0.view.instance)]
            },
            .integer("rootdeviceid", "The root disk's place.") { _ in 0 },
            .always("rootdevicetype", "The root disk's kind.", "ROOT"),
            .always("hypervisor", "What runs it.", hypervisorName),
            .always("haenable", "Whether it starts elsewhere when the host fails.", false),
            .always("passwordenabled", "Whether it asks for a password to set.", false),
            .always("displayvm", "Whether users see it.", true),
            .always("isdynamicallyscalable", "Whether it can grow while it runs.", false),
            .map("details", "Settings: none.") { _ in [:] },
            .list("securitygroup", "Always empty.") { _ in [] },
            .list("affinitygroup", "Always empty.") { _ in [] },
        ] + surroundings { $0.activity }
    )

    /// What QEMU's user-mode network gives every machine.
    private static let nic = Shape<Instance>(
        "nic",
        [
            .text("id", "The id.") { $0.id.description },
            .always("networkid", "The network's id.", WellKnown.network),
            .always("networkname", "The network's name.", "user"),
            .always("isdefault", "Whether the way out is by it.", true),
            .always("ipaddress", "The address.", "10.0.2.15"),
            .always("netmask", "The mask.", "255.255.255.0"),
            .always("gateway", "The way out.", "10.0.2.2"),
            .text("macaddress", "The hardware address.") { $0.macAddress },
            .always("type", "The kind.", "Isolated"),
            .always("traffictype", "What it carries.", "Guest"),
            .list("secondaryip", "Always empty.") { _ in [] },
        ]
    )
}
