/// A kind of thing that has an address of its own in the API.
enum ResourceKind: String, Sendable, CaseIterable {
    case environment
    case instance
    case volume
    case snapshot
    case template
    case computeOffering
    case diskOffering
    case user

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
        case .user: "users"
        }
    }

    /// Whether an environment has things of this kind; else the service has.
    var isInEnvironment: Bool {
        switch self {
        case .environment, .user: false
        case .instance, .volume, .snapshot, .template, .computeOffering, .diskOffering: true
        }
    }

    /// As messages name it.
    var noun: String {
        switch self {
        case .environment, .instance, .volume, .snapshot, .template, .user: rawValue
        case .computeOffering: "compute offering"
        case .diskOffering: "disk offering"
        }
    }
}
