/// One fact of a resource: its title, and how it is read from what the service sent.
struct Field: Sendable {
    typealias Reading = @Sendable (_ resource: JSONValue, _ reader: Reader) -> Table.Cell?

    var title: Word
    var alignment = TextWidth.Alignment.leading
    var fit = Table.Fit.stays
    /// Nil when the resource has no such fact.
    var cell: Reading

    static func text(_ title: Word, _ key: String, fit: Table.Fit = .shrinks) -> Field {
        Field(title: title, fit: fit) { resource, _ in
            resource[key].string.map { Table.Cell($0) }
        }
    }

    /// Identities yield first: names do everywhere what they do.
    static let id = Field(title: .id, fit: .yields(rank: 0)) { resource, _ in
        resource["id"].string.map { Table.Cell($0, .faint) }
    }

    static let name = text(.name, "name")

    static func state(of kind: ResourceKind) -> Field {
        Field(title: .state) { resource, reader in
            resource["state"].string.map { reader.state($0, of: kind) }
        }
    }

    static func bytes(_ title: Word, _ key: String, fit: Table.Fit = .stays) -> Field {
        Field(title: title, alignment: .trailing, fit: fit) { resource, reader in
            reader.size(resource[key]).map { Table.Cell($0) }
        }
    }

    static func number(_ title: Word, _ key: String, fit: Table.Fit = .stays) -> Field {
        Field(title: title, alignment: .trailing, fit: fit) { resource, _ in
            resource[key].string.map { Table.Cell($0) }
        }
    }

    static func instant(_ title: Word, _ key: String, fit: Table.Fit = .yields(rank: 3)) -> Field {
        Field(title: title, fit: fit) { resource, reader in
            reader.instant(resource[key]).map { Table.Cell($0) }
        }
    }

    /// The size of a disk: exact bytes where the service tells them, else whole GiB.
    static let diskSize = Field(title: .size, alignment: .trailing) { resource, reader in
        let gibibytes = resource["sizeInGb"].int64.map { HumanText.size($0 << 30) }
        return (reader.size(resource["virtualSize"]) ?? gibibytes).map { Table.Cell($0) }
    }

    /// Why it failed, and how far its task is.
    static let failure = Field(title: .failure) { resource, _ in
        resource["error"]["message"].string.map { Table.Cell($0, .bad) }
    }

    static let progress = Field(title: .progress) { resource, reader in
        let progress = resource["progress"]
        guard let done = progress["doneBytes"].int64, let total = progress["totalBytes"].int64 else { return nil }
        // Of how much is not always known.
        guard total > 0 else { return done > 0 ? Table.Cell(HumanText.size(done), .working) : nil }
        let percent = Int(min(1, Double(done) / Double(total)) * 100)
        return Table.Cell("\(percent) % (\(HumanText.size(done)) / \(HumanText.size(total)))", .working)
    }
}

extension Table {
    /// Resources as rows; what a resource lacks is a dash.
    init(_ resources: [JSONValue], fields: [Field], reader: Reader) {
        self.init(
            columns: fields.map { Column(title: reader.word($0.title), alignment: $0.alignment, fit: $0.fit) },
            rows: resources.map { resource in
                fields.map { $0.cell(resource, reader) ?? Cell(nil) }
            }
        )
    }
}

extension Sheet {
    /// The facts that a resource has.
    init(_ resource: JSONValue, fields: [Field], reader: Reader) {
        self.init(
            lines: fields.compactMap { field in
                field.cell(resource, reader).map { Line(title: reader.word(field.title), cell: $0) }
            }
        )
    }
}
