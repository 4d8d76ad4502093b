import SnapshotDomain

/// The environment that a page is in, and what its visitor may do there.
struct Place: Sendable {
    let environment: SnapshotDomain.Environment
    let role: Role

    var id: EnvironmentID { environment.id }
    var name: String { environment.name.description }
    var root: String { "/environments/\(environment.name)" }

    func may(_ permission: Permission) -> Bool {
        role >= permission.leastRole
    }

    /// The address of a page in this environment.
    func address(_ parts: String...) -> String {
        root + parts.map { "/" + $0 }.joined()
    }
}

/// The tabs of an environment.
enum Tab: String, Sendable, CaseIterable {
    case dashboard, instances, volumes, snapshots, templates, activity, members

    var icon: String { rawValue }

    /// Who sees it: members and keys are for those who administer.
    func isShown(to place: Place) -> Bool {
        self != .members || place.may(.administer)
    }
}
