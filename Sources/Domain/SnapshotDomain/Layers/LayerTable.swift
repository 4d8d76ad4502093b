/// Layers by identity.
///
/// Sorted arrays and not dictionaries: a pool can hold a million layers, and its tree is kept in memory for the ledger.
package struct LayerTable: Hashable, Sendable {
    /// In the order of their identities.
    package let values: [Layer]

    /// The first of several layers with one identity wins.
    init(_ layers: some Sequence<Layer>) {
        var sorted = Array(layers)
        let isStrictlyAscending = zip(sorted, sorted.dropFirst()).allSatisfy { $0.id < $1.id }
        if !isStrictlyAscending {
            sorted.sort { $0.id < $1.id }
            var unique: [Layer] = []
            unique.reserveCapacity(sorted.count)
            for layer in sorted where layer.id != unique.last?.id { unique.append(layer) }
            sorted = unique
        }
        values = sorted
    }

    package var count: Int { values.count }

    package var keys: some RandomAccessCollection<LayerID> { values.lazy.map(\.id) }

    package subscript(_ id: LayerID) -> Layer? {
        position(of: id).map { values[$0] }
    }

    /// Where a layer stands in ``values``.
    func position(of id: LayerID) -> Int? {
        var (low, high) = (0, values.count)
        while low < high {
            let middle = (low + high) / 2
            if values[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low < values.count && values[low].id == id ? low : nil
    }
}

/// What holds each layer of a ``LayerTable``.
package struct PinTable: Sendable {
    private let layers: LayerTable
    private let table: GroupedValues<Pin>

    /// Pins of layers that are not in the table are left out.
    init(_ pins: some Sequence<(LayerID, Pin)>, of layers: LayerTable) {
        self.layers = layers
        table = GroupedValues(
            pins.compactMap { id, pin in layers.position(of: id).map { ($0, pin) } },
            groups: layers.count
        )
    }

    private init(_ table: GroupedValues<Pin>, of layers: LayerTable) {
        self.layers = layers
        self.table = table
    }

    /// The pins of a layer, or nil when it has none.
    package subscript(_ id: LayerID) -> Set<Pin>? {
        guard let position = layers.position(of: id), !self[position: position].isEmpty else { return nil }
        return Set(self[position: position])
    }

    subscript(position position: Int) -> ArraySlice<Pin> { table[position] }

    func removing(_ removed: Set<Pin>) -> PinTable {
        PinTable(table.filter { !removed.contains($0) }, of: layers)
    }
}

/// Values in numbered groups, in three allocations whatever their number.
struct GroupedValues<Value: Hashable & Sendable>: Sendable {
    private var values: [Value] = []
    /// Where each group begins, and as last element where the last one ends.
    private var starts: [Int32] = []

    /// Equal values of one group become one.
    ///
    /// Within their groups, values keep their order.
    init(_ members: [(group: Int, value: Value)], groups: Int) {
        var counts = [Int32](repeating: 0, count: groups + 1)
        for member in members { counts[member.group + 1] += 1 }
        for group in 0..<groups { counts[group + 1] += counts[group] }
        var next = counts
        var order = [Int32](repeating: 0, count: members.count)
        for (index, member) in members.enumerated() {
            order[Int(next[member.group])] = Int32(index)
            next[member.group] += 1
        }
        starts.reserveCapacity(groups + 1)
        values.reserveCapacity(members.count)
        for group in 0..<groups {
            starts.append(Int32(values.count))
            let indices = order[Int(counts[group])..<Int(counts[group + 1])]
            var seen: Set<Value> = []
            for index in indices {
                let value = members[Int(index)].value
                if indices.count == 1 || seen.insert(value).inserted { values.append(value) }
            }
        }
        starts.append(Int32(values.count))
    }

    subscript(_ group: Int) -> ArraySlice<Value> {
        values[Int(starts[group])..<Int(starts[group + 1])]
    }

    func filter(_ isKept: (Value) -> Bool) -> Self {
        var copy = self
        copy.values = []
        copy.starts = []
        for group in 0..<starts.count - 1 {
            copy.starts.append(Int32(copy.values.count))
            copy.values += self[group].filter(isKept)
        }
        copy.starts.append(Int32(copy.values.count))
        return copy
    }
}
