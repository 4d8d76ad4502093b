import SnapshotDomain
import SnapshotServices

extension Shapes {
    static let template = Shape<Owned<TemplateView>>(
        "template",
        [
            .text("id", "The id.") { $0.view.template.id.description },
            .text("name", "The name.") { $0.view.template.name.description },
            .text("displaytext", "The description, or the name.") {
                let template = $0.view.template
                return template.description.isEmpty ? template.name.description : template.description
            },
            .flag("isready", "Whether machines can be deployed from it.") { $0.view.shownState == .ready },
            .text("status", "Download Complete when it is ready, else what happens to it.") {
                $0.view.shownState == .ready
                    ? "Download Complete" : $0.view.failure?.message ?? $0.view.shownState.rawValue
            },
            .integer("size", "The size in bytes.") { $0.view.template.size.bytes },
            .integer("physicalsize", "Bytes of the pool that it reads.") {
                ($0.view.space.exclusive + $0.view.space.shared).bytes
            },
            .text("ostypeid", "The kind of system.") { Choices.osTypes.id(of: $0.view.template.options.osType) },
            .text("ostypename", "The name of that.") { owned in
                OSType.all.first { $0.id == owned.view.template.options.osType }?.name
                    ?? owned.view.template.options.osType
            },
            .flag("ispublic", "Whether every environment can use it.") { $0.view.template.options.isPublic },
            .flag("isfeatured", "The same: there is no other rank.") { $0.view.template.options.isPublic },
            .flag("passwordenabled", "Whether its machines ask for a password.") {
                $0.view.template.options.isPasswordEnabled
            },
            .flag("sshkeyenabled", "Whether its machines ask for an SSH key.") {
                $0.view.template.options.isSSHKeyEnabled
            },
            .flag("isdynamicallyscalable", "Whether its machines can grow while they run.") {
                $0.view.template.options.isDynamicallyScalable
            },
            .instant("created", "When it was made.") { $0.view.template.createdAt },
            .text("templatetype", "USER, or BUILTIN for a public one.") {
                $0.view.template.options.isPublic ? "BUILTIN" : "USER"
            },
            .always("hypervisor", "What runs its machines.", hypervisorName),
            .always("format", "The format.", "QCOW2"),
            .always("isextractable", "Whether it can be downloaded here.", false),
            .always("crossZones", "Whether it is in every zone.", true),
            .always("requireshvm", "Whether hardware support is needed.", false),
            .integer("bits", "The width of its processors.") { _ in 64 },
        ] + surroundings { $0.activity }
    )
}
