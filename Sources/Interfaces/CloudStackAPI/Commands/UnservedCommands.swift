/// Commands of the protocol that mean nothing here, and why.
///
/// They are answered as unknown ones are, with the reason, and listApis does not name them.
enum UnservedCommands {
    static let reasons: [String: String] = [
        "archiveSnapshot": "There is no secondary storage: a snapshot stays on its volume's pool, and is whole there.",
        "copySnapshot": "There is one zone: a snapshot can be used in all of it.",
        "createDomain": "There is one domain; environments, which projectid names, keep people and machines apart.",
        "deleteDomain": "There is one domain.",
        "updateConfiguration": "Settings are changed in the service's configuration file, which is read at its start.",
    ]
}
