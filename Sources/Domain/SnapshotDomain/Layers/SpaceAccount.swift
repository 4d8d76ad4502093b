/// Who pays for which bytes of a pool.
///
/// Each layer's bytes count once: as *exclusive* to the pin that alone reads through the layer, else as *shared*. So the
/// ledger balances by construction: Σ exclusive + shared + collectable = Σ layers.
package struct SpaceAccount: Hashable, Sendable {
    /// What one pin reads through, in bytes on the pool.
    package struct Entry: Hashable, Sendable {
        /// Bytes that nobody else reads.
        package var exclusive: ByteCount
        /// Bytes of layers that it reads together with others.
        package var shared: ByteCount
    }

    package private(set) var entries: [Pin: Entry] = [:]
    /// Bytes that at least two pins read, each layer counted once.
    package private(set) var shared = ByteCount.zero
    /// Bytes that no pin reads any more, and that the collector has yet to free.
    package private(set) var collectable = ByteCount.zero

    /// Takes time proportional to the layers and pins of the tree.
    package init(_ tree: LayerTree) {
        let layers = tree.layers.values
        let readers = tree.readerCounts()
        for (layer, count) in zip(layers, readers) {
            if count == 0 { collectable += layer.allocated }
            if count > 1 { shared += layer.allocated }
        }
        // What a pin reads is the chain of its layer. Where it is the only reader of an ancestor, no other pin is near.
        let exclusiveBytes = tree.sumsAlongChains { readers[$0] == 1 ? layers[$0].allocated : .zero }
        let sharedBytes = tree.sumsAlongChains { readers[$0] > 1 ? layers[$0].allocated : .zero }
        for position in layers.indices {
            for pin in tree.pins[position: position] {
                entries[pin] = Entry(exclusive: exclusiveBytes[position], shared: sharedBytes[position])
            }
        }
    }

    /// The entry of a pin; nothing for one that holds no layer here.
    package func entry(_ pin: Pin) -> Entry {
        entries[pin] ?? .none
    }

    /// All bytes of the pool's layers.
    package var total: ByteCount {
        entries.values.reduce(shared + collectable) { $0 + $1.exclusive }
    }
}

extension SpaceAccount.Entry {
    package static let none = Self(exclusive: .zero, shared: .zero)
}
