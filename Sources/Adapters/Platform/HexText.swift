extension Sequence<UInt8> {
    /// The bytes as digits, two each, in lower case.
    package var hexText: String {
        map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}
