import Glibc

/// A new pipe, both ends close-on-exec and above the standard descriptors.
///
/// The caller closes them.
func makePipe() throws(PlatformFault) -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw .system("cannot make a pipe", errno: errno) }
    let (reading, writing) = (Descriptor(adopting: ends[0]).release(), Descriptor(adopting: ends[1]).release())
    _ = fcntl(reading, F_SETFD, FD_CLOEXEC)
    _ = fcntl(writing, F_SETFD, FD_CLOEXEC)
    return (reading, writing)
}

/// Makes reads and writes of a descriptor return `EAGAIN` instead of waiting.
func setNonBlocking(_ descriptor: Int32) {
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
}
