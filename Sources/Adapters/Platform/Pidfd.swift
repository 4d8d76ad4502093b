import Glibc

/// A stable reference to a process, which does not go over to another when the number is used again.
///
/// The C library's wrappers are younger than the libraries we run on, so these are raw calls; their numbers are the same
/// on every architecture (`asm-generic/unistd.h`). Needs Linux 5.3.
enum Pidfd {
    private static let sendSignalNumber = 424
    private static let openNumber = 434

    /// Opens the process that has this number now; the descriptor is readable once it has ended.
    static func open(_ pid: pid_t) throws(PlatformFault) -> Descriptor {
        let result = try call(openNumber, Int(pid), 0)
        guard result >= 0 else { throw .system("cannot watch process \(pid)", errno: errno) }
        return Descriptor(adopting: Int32(truncatingIfNeeded: result))
    }

    /// Sends a signal to the process that `descriptor` stands for.
    static func signal(_ descriptor: borrowing Descriptor, _ number: Int32, pid: pid_t) throws(PlatformFault) {
        guard try call(sendSignalNumber, Int(descriptor.raw), Int(number)) == 0 else {
            throw .system("cannot send signal \(number) to process \(pid)", errno: errno)
        }
    }

    private static func call(_ number: Int, _ first: Int, _ second: Int) throws(PlatformFault) -> Int {
        guard let systemCall = LibraryFunctions.systemCall else {
            throw .system("the C library has no syscall function", errno: ENOSYS)
        }
        return systemCall(number, first, second, 0, 0)
    }
}
