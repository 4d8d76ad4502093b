/// What others have and this service does not: clients list it without being asked to.
enum AbsentCommands {
    static let all: [Command] = [
        .empty("listPublicIpAddresses", "Lists public addresses."),
        .empty("listPortForwardingRules", "Lists forwarded ports."),
        .empty("listIpForwardingRules", "Lists forwarded addresses."),
        .empty("listNetworks", "Lists networks."),
        .empty("listVPCs", "Lists virtual private clouds."),
        .empty("listSecurityGroups", "Lists security groups."),
        .empty("listSSHKeyPairs", "Lists SSH keys."),
        .empty("listAffinityGroups", "Lists affinity groups."),
        .empty("listIsos", "Lists ISO images."),
        .empty("listInstanceGroups", "Lists groups of machines."),
    ]
}
