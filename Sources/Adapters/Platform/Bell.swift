import Glibc

/// Wakes a thread that sits in `poll`.
final class Bell: Sendable {
    /// Readable once the bell was rung and not yet silenced.
    let reading: Int32
    private let writing: Int32

    init() throws(PlatformFault) {
        (reading, writing) = try makePipe()
        setNonBlocking(reading)
        setNonBlocking(writing)
    }

    deinit {
        _ = close(reading)
        _ = close(writing)
    }

    func ring() {
        // A full pipe has woken the thread already.
        var byte: UInt8 = 1
        _ = write(writing, &byte, 1)
    }

    func silence() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(reading, &bytes, bytes.count) > 0 {}
    }
}
