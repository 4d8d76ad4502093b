/// What a person may have meant by a name that does not exist.
package enum NearMatches {
    /// At most three names that look alike, the nearest first.
    static func of(_ name: String, among names: [String]) -> [String] {
        let wanted = name.lowercased()
        let scored = names.compactMap { candidate -> (name: String, score: Int)? in
            let lowered = candidate.lowercased()
            if !wanted.isEmpty, lowered.contains(wanted) || (lowered.count > 2 && wanted.contains(lowered)) {
                return (candidate, 0)
            }
            let distance = distance(wanted, lowered)
            return distance <= max(2, wanted.count / 3) ? (candidate, distance) : nil
        }
        return scored.sorted { ($0.score, $0.name) < ($1.score, $1.name) }.prefix(3).map(\.name)
    }

    /// The same as a question, or nil when nothing looks alike.
    package static func hint(for name: String, among names: [String]) -> String? {
        let near = of(name, among: names)
        guard !near.isEmpty else { return nil }
        return "Did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?"
    }

    /// The least number of characters to insert, delete, replace or swap with their neighbour.
    private static func distance(_ left: String, _ right: String) -> Int {
        let left = Array(left)
        let right = Array(right)
        var beforeLast = [Int]()
        var last = Array(0...right.count)
        for row in left.indices {
            var current = [row + 1]
            for column in right.indices {
                var best = min(last[column + 1] + 1, current[column] + 1)
                best = min(best, last[column] + (left[row] == right[column] ? 0 : 1))
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    best = min(best, beforeLast[column - 1] + 1)
                }
                current.append(best)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
