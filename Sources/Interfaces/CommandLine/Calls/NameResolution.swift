/// Finds what a person means among what there is.
enum NameResolution {
    /// The one resource with this name or id.
    ///
    /// - Throws: ``CommandFailure`` with status `notFound` when there is none or more than one.
    static func pick(_ reference: String, _ kind: ResourceKind, from resources: [JSONValue]) throws -> JSONValue {
        if let exact = resources.first(where: { $0["id"].string?.lowercased() == reference.lowercased() }) {
            return exact
        }
        let matches = resources.filter { $0["name"].string == reference }
        guard let match = matches.first else {
            throw CommandFailure(
                .notFound,
                "There is no \(kind.noun) '\(reference)'.",
                remedy: NearMatches.hint(for: reference, among: resources.compactMap { $0["name"].string })
            )
        }
        guard matches.count == 1 else {
            let ids = matches.compactMap { $0["id"].string }.joined(separator: ", ")
            throw CommandFailure(
                .notFound,
                "'\(reference)' may be any of \(matches.count) \(kind.noun)s.",
                remedy: "Name one by its id: \(ids)."
            )
        }
        return match
    }
}
