/// A kind of thing that has an address of its own in the API.
enum ResourceKind: String, Sendable, CaseIterable {
    case environment
    case instance
    case volume
    case snapshot
    case template
    case computeOffering
    case diskOffering

    /// The last fixed part of its address.
    var path: String {
        switch self {
        case .environment: "environments"
        case .instance: "instances"
        case .volume: "volumes"
        case .snapshot: "snapshots"
        case .template: "templates"
        case .computeOffering: "computeofferings"
        case .diskOffering: "diskofferings"
        }
    }

    /// As messages name it.
    var noun: String {
        switch self {
        case .environment, .instance, .volume, .snapshot, .template: rawValue
        case .computeOffering: "compute offering"
        case .diskOffering: "disk offering"
        }
    }
}
