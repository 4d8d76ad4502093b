import Crypto
import Foundation

/// The signature of a request: HMAC-SHA1 over its parameters in a canonical form.
///
/// Clients agree on the form but for small things, so there are several, and a signature that fits any of them is good. They
/// differ in how the same parameters are written, never in what is signed.
struct Signature: Sendable {
    /// What a client does where others do otherwise.
    private struct Form: Hashable {
        var sortsLowercased: Bool
        var escapes: Set<UInt8>
    }

    private static let disputed: [[UInt8]] = [
        [UInt8(ascii: "~")], [UInt8(ascii: "["), UInt8(ascii: "]")], [UInt8(ascii: "*")],
    ]

    let parameters: [SentParameters.Item]

    init(of sent: SentParameters) {
        parameters = sent.items.filter { $0.name.lowercased() != "signature" }
    }

    /// Whether the text is a signature of the parameters by this secret.
    ///
    /// Every form is compared, and each comparison takes the same time whatever differs.
    func isValid(_ signature: String, secret: String) -> Bool {
        let code = Data(base64Encoded: signature.trimmingCharacters(in: .whitespacesAndNewlines)) ?? Data()
        let key = SymmetricKey(data: Data(secret.utf8))
        return canonicalForms.reduce(false) { found, form in
            let fits = HMAC<Insecure.SHA1>
                .isValidAuthenticationCode(code, authenticating: Data(form.utf8), using: key)
            return fits || found
        }
    }

    /// The texts that clients may have signed.
    var canonicalForms: Set<String> {
        var forms: Set<String> = []
        for sortsLowercased in [false, true] {
            for choice in 0..<(1 << Self.disputed.count) {
                let escapes = Self.disputed.enumerated().filter { choice & (1 << $0.offset) != 0 }.flatMap(\.element)
                forms.insert(canonical(Form(sortsLowercased: sortsLowercased, escapes: Set(escapes))))
            }
        }
        return forms
    }

    private func canonical(_ form: Form) -> String {
        parameters
            .map { (key: form.sortsLowercased ? $0.name.lowercased() : $0.name, item: $0) }
            .sorted { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) }
            .map { "\($0.item.name)=\(Self.escape($0.item.value, form.escapes))" }
            .joined(separator: "&")
            .lowercased()
    }

    private static func escape(_ value: String, _ escapes: Set<UInt8>) -> String {
        var bytes: [UInt8] = []
        for byte in value.utf8 {
            if isPlain(byte) && !escapes.contains(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let digits = Array("0123456789ABCDEF".utf8)
    private static let plain: Set<UInt8> = Set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.".utf8
    )

    private static func isPlain(_ byte: UInt8) -> Bool {
        plain.contains(byte) || disputed.contains { $0.contains(byte) }
    }
}
