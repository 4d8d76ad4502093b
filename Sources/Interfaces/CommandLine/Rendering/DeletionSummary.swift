/// What a deletion does, said before it is done.
enum DeletionSummary {
    /// One to three sentences about a plan: what it frees and copies, who reads on, what has to stay.
    static func text(_ plan: JSONValue) -> String {
        let least = plan["freedBytesAtLeast"].int64 ?? 0
        let most = max(least, plan["freedBytesAtMost"].int64 ?? least)
        let copied = plan["copiedBytes"].int64 ?? 0
        var sentences = [String]()
        if most == 0 {
            sentences.append("Frees nothing now.")
        } else {
            let range = least == most ? HumanText.size(most) : "\(HumanText.size(least)) to \(HumanText.size(most))"
            let effort = copied > 0 ? " and copies at most \(HumanText.size(copied))" : ""
            sentences.append("Frees \(range)\(effort).")
        }
        let names = plan["dependents"].elements.compactMap(dependent)
        if !names.isEmpty {
            sentences.append(
                "\(Listing.of(names)) \(names.count == 1 ? "reads" : "read") what it holds, and will go on to."
            )
        }
        if let kept = plan["keptLayers"].int64, kept > 0 {
            sentences.append("Its data stays until all of these but one are gone.")
        }
        return sentences.joined(separator: " ")
    }

    /// One that depends on a snapshot, such as `volume web-root`.
    static func dependent(_ value: JSONValue) -> String? {
        guard let name = value["name"].string ?? value["id"].string else { return value.string }
        return [value["type"].string.map(singular), name].compactMap { $0 }.joined(separator: " ")
    }

    /// The wire format names kinds in the plural.
    static func singular(_ kind: String) -> String {
        kind.hasSuffix("s") ? String(kind.dropLast()) : kind
    }
}
