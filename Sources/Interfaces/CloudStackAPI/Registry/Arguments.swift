import Foundation
import SnapshotDomain

/// The values of a command's parameters, each checked against what the registry says of it.
struct Arguments: Sendable {
    private let command: Command
    private let sent: SentParameters

    /// - Throws: ``APIFailure`` with number 431 for the first value that is missing or cannot be read.
    init(_ sent: SentParameters, for command: Command) throws(APIFailure) {
        self.command = command
        self.sent = sent
        if let name = sent.ambiguous.first {
            throw .invalid("The parameter \(name) was sent more than once; send it once.")
        }
        for item in sent.items where item.value.unicodeScalars.contains(where: { $0.isControl }) {
            throw .invalid("The value of the parameter \(item.name) contains a control character; remove it.")
        }
        for parameter in command.parameters {
            if parameter.isRequired, isMissing(parameter) {
                throw .invalid(
                    "Unable to execute API command \(command.name.lowercased()) due to missing parameter "
                        + parameter.name
                )
            }
            if let value = sent[parameter.name], !value.isEmpty { try check(value, parameter) }
        }
    }

    private func isMissing(_ parameter: Parameter) -> Bool {
        if case .map = parameter.kind { return sent.entries(parameter.name).isEmpty }
        return sent[parameter.name]?.isEmpty ?? true
    }

    private func check(_ value: String, _ parameter: Parameter) throws(APIFailure) {
        let isGood: Bool
        switch parameter.kind {
        case .text, .list, .map, .id, .ids:
            isGood = true
        case .integer:
            isGood = Int(value) != nil
        case .flag:
            isGood = ["true", "false"].contains(value.lowercased())
        case .date:
            isGood = WireDate.instant(value) != nil
        case .word(let words):
            isGood = words.contains { $0.lowercased() == value.lowercased() }
        }
        guard !isGood else { return }
        let hint =
            if case .word(let words) = parameter.kind { "; it is one of " + words.joined(separator: ", ") } else { "" }
        throw .invalid(
            "Unable to execute API command \(command.name.lowercased()) due to invalid value '\(value)' of parameter "
                + "\(parameter.name), which is a \(parameter.kind.word)\(hint)"
        )
    }

    // MARK: Values

    /// A value as it was sent; nil when it is missing or empty.
    func text(_ name: String) -> String? {
        // What a command reads without declaring it, nobody could know of.
        precondition(command.parameter(name) != nil, "\(command.name) has no parameter \(name) in the registry")
        return sent[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    func integer(_ name: String) -> Int? {
        text(name).flatMap { Int($0) }
    }

    func flag(_ name: String) -> Bool? {
        text(name).map { $0.lowercased() == "true" }
    }

    func date(_ name: String) -> Date? {
        text(name).flatMap(WireDate.instant)
    }

    /// One of the parameter's words, in the letter case of the registry.
    func word(_ name: String) -> String? {
        guard let value = text(name), case .word(let words)? = command.parameter(name)?.kind else { return nil }
        return words.first { $0.lowercased() == value.lowercased() }
    }

    func list(_ name: String) -> [String] {
        (text(name) ?? "")
            .split(separator: ",")
            .map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty }
    }

    func id<Subject>(_ name: String) -> Identifier<Subject>? {
        text(name).flatMap { Identifier($0) }
    }

    func ids<Subject>(_ name: String) -> [Identifier<Subject>] {
        list(name).compactMap { Identifier($0) }
    }

    /// A list of maps with `key` and `value`, such as tags.
    func pairs(_ name: String) -> [(key: String, value: String?)] {
        precondition(command.parameter(name) != nil, "\(command.name) has no parameter \(name) in the registry")
        return sent.entries(name).compactMap { entry in
            let fields = Dictionary(entry.map { ($0.lowercased(), $1) }) { first, _ in first }
            return fields["key"].map { ($0, fields["value"]) }
        }
    }

    /// A map, however it is spread over indexes: `details[0].a=1&details[1].b=2`.
    func map(_ name: String) -> [String: String] {
        precondition(command.parameter(name) != nil, "\(command.name) has no parameter \(name) in the registry")
        return sent.entries(name).reduce(into: [:]) { $0.merge($1) { first, _ in first } }
    }

    // MARK: Ids

    /// The values of parameters that name a thing, with the name of each parameter.
    var named: [(parameter: Parameter, entity: Entity, value: String)] {
        command.parameters.flatMap { parameter -> [(Parameter, Entity, String)] in
            switch parameter.kind {
            case .id(let entity): text(parameter.name).map { [(parameter, entity, $0)] } ?? []
            case .ids(let entity): list(parameter.name).map { (parameter, entity, $0) }
            default: []
            }
        }
    }
}

extension Unicode.Scalar {
    /// An ASCII control character other than white space that texts have.
    fileprivate var isControl: Bool {
        (value < 0x20 && self != "\n" && self != "\r" && self != "\t") || value == 0x7F
    }
}
