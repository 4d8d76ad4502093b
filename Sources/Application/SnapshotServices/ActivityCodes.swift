import SnapshotDomain

/// The codes of everything that the activity log tells, `noun.verb`: stable, append-only.
package enum ActivityCodes {
    /// What happens to resources: by jobs, and the few changes that need none.
    package static let resources: [String] = {
        let jobs = Job.Kind.allCases.filter { $0 != .deleteEnvironment }.map(\.event)
        return
            (jobs + [
                "instances.recover", "instances.update", "policies.create", "policies.delete", "policies.update",
                "snapshots.update", "tags.create", "tags.delete", "templates.update", "volumes.destroy",
                "volumes.recover",
            ]).sorted()
    }()

    /// What happens to environments, people and keys.
    package static let service: [String] = [
        "environments.create", "environments.delete", "environments.update", "keys.create", "keys.delete",
        "members.remove", "members.set", "offerings.create", "offerings.delete", "users.changePassword", "users.create",
        "users.delete", "users.demote",
        "users.disable", "users.enable", "users.promote", "users.setPassword", "users.signIn",
    ]
}
