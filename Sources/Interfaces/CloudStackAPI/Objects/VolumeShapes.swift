import SnapshotDomain
import SnapshotServices

extension Shapes {
    static let volume = Shape<Owned<VolumeView>>(
        "volume",
        [
            .text("id", "The id.") { $0.view.volume.id.description },
            .text("name", "The name.") { $0.view.volume.name.description },
            .text("type", "ROOT or DATADISK.") { StateWords.word($0.view.volume.role) },
            .text("state", "The state.") { StateWords.word($0.view.shownState) },
            .integer("size", "The size in bytes.") { $0.view.volume.size.bytes },
            .integer("virtualsize", "The size in bytes.") { $0.view.volume.size.bytes },
            .integer("physicalsize", "Bytes of the pool that it reads.") {
                ($0.view.space.exclusive + $0.view.space.shared).bytes
            },
            .instant("created", "When it was made.") { $0.view.volume.createdAt },
            .text("diskofferingid", "The offering's id, for one that was made of an offering.") {
                $0.view.volume.diskOffering.map(DiskOffering.wireID)
            },
            .text("diskofferingname", "The offering's name.") { $0.view.offeringName },
            .text("diskofferingdisplaytext", "The offering's name.") { $0.view.offeringName },
            .text("serviceofferingid", "The size of the machine, for a root volume.") { owned in
                rootInstance(owned.view).map { ComputeOffering.wireID(of: $0.computeOffering) }
            },
            .text("templateid", "The template, for a root volume.") { $0.view.volume.template?.description },
            .text("virtualmachineid", "The machine, while attached.") {
                $0.view.volume.attachment?.instance.description
            },
            .text("vmname", "The machine's name, while attached.") { $0.view.instance?.name.description },
            .text("vmdisplayname", "The machine's name, while attached.") { $0.view.instance?.name.description },
            .text("vmstate", "Running or Stopped, while attached.") { owned in
                owned.view.instance.map { _ in owned.view.isInstanceRunning ? "Running" : "Stopped" }
            },
            .integer("deviceid", "The place in the machine, while attached; 0 is the root disk.") {
                ($0.view.volume.attachment?.slot).map(Int64.init)
            },
            .instant("attached", "Since when at the earliest, while attached.") {
                $0.view.volume.attachment == nil ? nil : $0.view.volume.createdAt
            },
            .always("storagetype", "Where it lies.", "local"),
            .always("provisioningtype", "How it takes space.", "thin"),
            .always("hypervisor", "What runs its machine.", hypervisorName),
            .always("isextractable", "Whether it can be downloaded here.", false),
            .always("displayvolume", "Whether users see it.", true),
            .flag("destroyed", "Whether it was destroyed, and can be recovered.") {
                $0.view.volume.state.destroyedAt != nil
            },
            .always("quiescevm", "Whether snapshots freeze the guest by default.", false),
        ] + surroundings { $0.activity }
    )

    private static func rootInstance(_ view: VolumeView) -> Instance? {
        view.volume.role == .root ? view.instance : nil
    }
}
