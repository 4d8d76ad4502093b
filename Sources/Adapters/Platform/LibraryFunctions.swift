import Glibc

/// Functions of the C library that Swift's `Glibc` module does not show.
///
/// The module is built without `_GNU_SOURCE`, and variadic functions are never imported. The functions are in the
/// library all the same and are found there by name, once.
enum LibraryFunctions {
    typealias FileActions = UnsafeMutablePointer<posix_spawn_file_actions_t>

    /// Closes every descriptor from a number on (glibc 2.34).
    static let addCloseFrom = function(
        "posix_spawn_file_actions_addclosefrom_np",
        as: (@convention(c) (FileActions, Int32) -> Int32).self
    )

    /// Changes the working directory of the child (glibc 2.29).
    static let addChangeDirectory = function(
        "posix_spawn_file_actions_addchdir_np",
        as: (@convention(c) (FileActions, UnsafePointer<CChar>) -> Int32).self
    )

    /// A raw system call: the number and up to four arguments.
    static let systemCall = function("syscall", as: (@convention(c) (Int, Int, Int, Int, Int) -> Int).self)

    /// Gives free memory back to the system: `malloc_trim`, which only glibc has.
    static let trimMemory = function("malloc_trim", as: (@convention(c) (Int) -> Int32).self)

    /// `POSIX_SPAWN_SETSID` of `spawn.h` (glibc 2.26).
    static let spawnInNewSession: Int32 = 0x80

    private static func function<Function>(_ name: String, as type: Function.Type) -> Function? {
        dlsym(nil, name).map { unsafeBitCast($0, to: type) }
    }
}
