/// All commands.
enum CommandTable {
    static let all: [Command] = [
        ServiceCommands.all, OfferingCommands.all, AccountCommands.all, VolumeCommands.all, SnapshotCommands.all,
        PolicyCommands.all, InstanceCommands.all, InstanceSnapshotCommands.all, TemplateCommands.all, TagCommands.all,
        EventCommands.all, JobCommands.all, InfrastructureCommands.all, AbsentCommands.all,
    ].flatMap(\.self).sorted { $0.name < $1.name }

    /// Names are exact.
    static let byName: [String: Command] = Dictionary(all.map { ($0.name, $0) }) { first, _ in first }
}
