/// How results are written, for every command alike.
extension Call {
    /// Who reads the tables.
    var reader: Reader {
        Reader(language: surroundings.language, timeZone: surroundings.timeZone)
    }

    /// Writes a list of resources.
    func present(_ resources: [JSONValue], as kind: ResourceKind) throws {
        try present(resources, fields: Layout.of(kind).list)
    }

    func present(_ resources: [JSONValue], fields: [Field]) throws {
        try write(.list(resources)) {
            let table = Table(resources, fields: fields, reader: reader)
            return table.text(width: surroundings.terminal.width, usesColour: surroundings.terminal.usesColour)
        }
    }

    /// Writes everything about one resource.
    func present(_ resource: JSONValue, as kind: ResourceKind) throws {
        try present(resource, fields: Layout.of(kind).sheet)
    }

    func present(_ resource: JSONValue, fields: [Field]) throws {
        try write(resource) {
            Sheet(resource, fields: fields, reader: reader).text(usesColour: surroundings.terminal.usesColour)
        }
    }

    /// Writes what a command has made or changed: a row each for people; for programs an object, or a list where several
    /// were asked for.
    func present(changed resources: [JSONValue], as kind: ResourceKind, isList: Bool) throws {
        let value = isList ? JSONValue.list(resources) : resources.first ?? .null
        try write(value) {
            let table = Table(resources, fields: Layout.of(kind).list, reader: reader)
            return table.text(width: surroundings.terminal.width, usesColour: surroundings.terminal.usesColour)
        }
    }

    /// Writes a value in the format that was asked for: the one place that knows them all.
    func write(_ value: JSONValue, table: () throws -> String) throws {
        if isQuiet {
            try surroundings.print(Self.ids(of: value).map { "\($0)\n" }.joined())
            return
        }
        switch format {
        case .table: try surroundings.print(table())
        case .json: try surroundings.print(JSONText.json(value))
        case .yaml: try surroundings.print(YAMLText.yaml(value))
        }
    }

    /// Tells a person something beside the data, unless only ids were asked for.
    func note(_ text: String) {
        guard !isQuiet else { return }
        surroundings.note(PlainText.oneLine(text))
    }

    private static func ids(of value: JSONValue) -> [String] {
        switch value {
        case .list(let elements): elements.flatMap(ids)
        default: value["id"].string.map { [PlainText.oneLine($0)] } ?? []
        }
    }
}
