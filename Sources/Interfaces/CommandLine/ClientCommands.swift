package import ArgumentParser

/// The verbs of the command line that speak to a service.
package enum ClientCommands {
    /// Subcommands for the root command, in the order in which help lists them.
    package static let all: [any AsyncParsableCommand.Type] = [
        InstanceCommand.self, VolumeCommand.self, SnapshotCommand.self, TemplateCommand.self, EnvironmentCommand.self,
        UserCommand.self, MemberCommand.self, KeyCommand.self, OfferingCommand.self, PoolCommand.self,
        TaskCommand.self, ActivityCommand.self, StatusCommand.self,
    ]
}
