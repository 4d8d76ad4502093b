/// Memory that the program let go of and still has.
package enum FreeMemory {
    /// Gives it back to the system.
    ///
    /// The C library keeps what is freed below something that is still in use, which after a pass over a large pool is most of it: a
    /// service that needed 90 MiB for a second would take them for ever. Blocks for some milliseconds, more after large passes.
    package static func giveBack() {
        _ = LibraryFunctions.trimMemory?(0)
    }
}
