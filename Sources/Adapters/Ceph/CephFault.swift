/// How a call of Ceph's libraries fails.
package struct CephFault: Error, Sendable, CustomStringConvertible {
    /// A positive error number of the system; 0 when the library itself is missing or strange.
    package var errno: Int32
    /// What was called, on what.
    package var call: String
    package var message: String

    package init(errno: Int32, call: String, message: String? = nil) {
        self.errno = errno
        self.call = call
        self.message = message ?? "error \(errno)"
    }

    package var description: String { "\(call): \(message)" }
}
