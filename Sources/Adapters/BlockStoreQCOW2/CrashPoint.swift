/// The moments at which the death of the service would leave something different on disk or in a machine.
///
/// `docs/storage-design.md` says for each what is there then and what repeats the work. Tests make the work fail at every
/// one of them, and repeat it.
package enum CrashPoint: String, Sendable, CaseIterable {
    /// A new layer's file is durable in `tmp/` and has no name in `layers/`.
    case layerWritten
    /// A file got its layer's name, which a power loss may still undo.
    case layerNamed
    /// A layer's name is gone, which a power loss may still undo.
    case layerRemoved
    /// A layer is larger, perhaps not durably.
    case layerGrown
    /// An image is converted into `tmp/`.
    case imageConverted
    /// A parent has all of its child's bytes, perhaps not durably.
    case foldCopied
    /// A parent durably has all of its child's bytes, and still its own name.
    case foldDurable
    /// The parent's file has the child's name; a running machine knows it by the parent's.
    case foldNamed
    /// A layer durably has its ancestors' bytes, and still stands on them.
    case pullCopied
    /// A layer's header names another parent, or none.
    case pullMoved
    /// A machine has new layers open and does not use them.
    case switchPrepared
    /// A machine writes new layers.
    case switchDone
}
