import ArgumentParser

/// What an `update` verb changes about a thing: how it is called and described.
struct RenamingOptions: ParsableArguments {
    @Option(help: "Its new name.")
    var name: String?

    @Option(help: "Its new description.")
    var description: String?

    func validate() throws {
        guard name != nil || description != nil else {
            throw ValidationError("Say what to change: --name or --description.")
        }
    }

    /// Only what changes.
    var body: JSONValue {
        JSONValue.object(present: [
            "name": name.map(JSONValue.text),
            "description": description.map(JSONValue.text),
        ])
    }
}
