import SnapshotDomain

/// One command: a row of the registry, from which everything that is said and checked about it comes.
struct Command: Sendable {
    enum Kind: Sendable {
        case synchronous
        /// Answers with a job.
        case asynchronous
        /// Answers with a job, and with the id of what that will have made.
        case creation
    }

    /// Who may use it at all.
    enum Access: Hashable, Sendable {
        /// Everybody with a key.
        case anybody
        /// In the environment where it acts.
        case may(Permission)
        case operators
    }

    typealias Handler = @Sendable (Call) async throws -> Answer

    let name: String
    let summary: String
    let kind: Kind
    let access: Access
    let parameters: [Parameter]
    let result: ResultDescription
    /// Where it differs from the protocol as others serve it: sentences for the documentation.
    var deviations: [String] = []
    let handler: Handler

    static func list<Source>(
        _ name: String,
        _ summary: String,
        access: Access = .may(.read),
        _ parameters: [Parameter],
        of shape: Shape<Source>,
        deviations: [String] = [],
        handler: @escaping Handler
    ) -> Command {
        Command(
            name: name,
            summary: summary,
            kind: .synchronous,
            access: access,
            parameters: parameters + Parameter.paging + (access == .may(.read) ? [.project] : []),
            result: ResultDescription(shape),
            deviations: deviations,
            handler: handler
        )
    }

    /// A command for which there is nothing here, and which clients call on their way.
    static func empty(_ name: String, _ summary: String) -> Command {
        Command(
            name: name,
            summary: summary,
            kind: .synchronous,
            access: .anybody,
            parameters: [],
            result: .nothing,
            deviations: ["Always empty."],
            handler: { _ in .fields([:]) }
        )
    }

    func parameter(_ name: String) -> Parameter? {
        parameters.first { $0.name == name }
    }
}

/// What a command answers with, as the documentation tells it.
struct ResultDescription: Sendable {
    struct Field: Sendable {
        let name: String
        let type: String
        let summary: String
    }

    let object: String
    let fields: [Field]

    init<Source>(_ shape: Shape<Source>) {
        object = shape.name
        fields = shape.fields.map { Field(name: $0.name, type: $0.kind.rawValue, summary: $0.summary) }
    }

    private init(object: String, fields: [Field]) {
        self.object = object
        self.fields = fields
    }

    static let nothing = ResultDescription(object: "", fields: [])
    static let success = ResultDescription(
        object: "success",
        fields: [Field(name: "success", type: "boolean", summary: "True.")]
    )
}
