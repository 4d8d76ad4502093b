/// Names that nobody else has, for temporary files, sockets and requests.
package enum RandomName {
    /// A name of lower-case letters and digits, safe in a path and in a QEMU identifier.
    ///
    /// Twelve characters carry 62 bits: enough that two names never meet, not enough to be a secret.
    package static func make(length: Int = 12) -> String {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        return String((0..<length).map { _ in alphabet[Int.random(in: alphabet.indices)] })
    }
}
