/// Who pays for which bytes of a pool.
///
/// Each layer's bytes count once: as *exclusive* to the pin that alone reads through the layer, else as *shared*. So the
/// ledger balances by construction: Σ exclusive + shared + collectable = Σ layers.
package struct SpaceAccount: Hashable, Sendable {
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

    package init(_ tree: LayerTree) {
        for layer in tree.layers.values {
            let readers = tree.dependents(of: layer.id)
            switch readers.count {
            case 0:
                collectable += layer.allocated
            case 1:
                for pin in readers { entries[pin, default: .none].exclusive += layer.allocated }
            default:
                shared += layer.allocated
                for pin in readers { entries[pin, default: .none].shared += layer.allocated }
            }
        }
    }

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
