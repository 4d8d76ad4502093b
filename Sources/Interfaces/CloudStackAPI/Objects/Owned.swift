import SnapshotDomain
import SnapshotServices

/// A resource with what objects say around it.
struct Owned<View: Sendable>: Sendable {
    let view: View
    let owner: Owner
    let tags: [ResourceTag]
    let zone: String

    init(_ view: View, owner: Owner, tags: [ResourceTag], zone: String) {
        self.view = view
        self.owner = owner
        self.tags = tags
        self.zone = zone
    }
}

/// What a view is a view of.
protocol Referable: Sendable {
    var reference: ResourceReference { get }
    var home: EnvironmentID { get }
}

extension VolumeView: Referable {
    var reference: ResourceReference { .volume(volume.id) }
    var home: EnvironmentID { volume.environment }
}

extension SnapshotView: Referable {
    var reference: ResourceReference { .snapshot(snapshot.id) }
    var home: EnvironmentID { snapshot.environment }
}

extension TemplateView: Referable {
    var reference: ResourceReference { .template(template.id) }
    var home: EnvironmentID { template.environment }
}

extension InstanceView: Referable {
    var reference: ResourceReference { .instance(instance.id) }
    var home: EnvironmentID { instance.environment }
}

extension Shapes {
    /// What every resource says of its owner, its zone, its tags, and of the job that holds it.
    static func surroundings<View>(_ activity: @escaping @Sendable (View) -> ResourceActivity) -> [Field<Owned<View>>] {
        Owner.fields { $0.owner } + [
            .always("zoneid", "The zone's id.", WellKnown.zone),
            .text("zonename", "The zone's name.") { $0.zone },
            .list("tags", "The tags.") { $0.tags.map(tag.json) },
            .text("jobid", "The job that works on it.") { activity($0.view).job?.description },
            .integer("jobstatus", "0 while a job works on it.") { activity($0.view).job == nil ? nil : 0 },
        ]
    }

    static let tag = Shape<ResourceTag>(
        "tag",
        [
            .text("key", "The key.") { $0.key },
            .text("value", "The value.") { $0.value },
            .text("resourceid", "What it hangs on.") { $0.resource.id.description },
            .text("resourcetype", "The kind of that.") { TagWords.word($0.resource.kind) },
        ]
    )
}

/// The words for kinds of resource that can have tags.
enum TagWords {
    static func word(_ kind: ResourceReference.Kind) -> String {
        switch kind {
        case .volume: "Volume"
        case .snapshot: "Snapshot"
        case .snapshotGroup: "VMSnapshot"
        case .template: "Template"
        case .instance: "UserVm"
        }
    }

    static func kind(_ word: String) -> ResourceReference.Kind? {
        ResourceReference.Kind.allCases.first { self.word($0).lowercased() == word.lowercased() }
    }
}
