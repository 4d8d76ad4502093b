import Crypto
import Foundation
import Testing

@testable import CloudStackAPI

@Suite("signatures of the query API")
struct SignatureTests {
    static let secret = "demo-Secret_02"

    /// A request as a client sends it, and the signature that this client makes.
    struct Vector: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let query: String
        let signature: String
    }

    static let vectors: [Vector] = {
        let key = "apiKey=demo-Key_01&response=json"
        let snapshot =
            key
            + "&command=createSnapshot&volumeid=11111111-2222-4333-8444-555555555555&tags[0].key=run&tags[0].value=v+1"
            + "&name=%C3%89t%C3%A9+a%2Bb+c*d~e%2Ff%3Dg%26h"
        let volume =
            key + "&command=createVolume&name=data+1&size=1&diskOfferingId=aaaaaaaa-0000-4000-8000-000000000001"
            + "&zoneId=aaaaaaaa-0000-4000-8000-000000000002"
        let tags =
            key + "&command=createTags&resourceids=x&resourcetype=Volume&tags%5B0%5D.key=a%5Bb%5D&tags%5B0%5D.value=c+d"
        return [
            Vector(
                testDescription: "cs",
                query: key + "&command=listZones&signatureVersion=3&expires=2030-01-01T00%3A00%3A00%2B0000",
                signature: "4nQM79pMRmwyTvwWOZRZrXG5l30="
            ),
            Vector(testDescription: "cs, any text", query: snapshot, signature: "Qt7wIDE0oQvE1yJtvCEEcfdJ4WE="),
            Vector(testDescription: "Java", query: snapshot, signature: "+8i1oEhkcvJDwuwSmAAFj1Nq6Qs="),
            Vector(testDescription: "Libcloud", query: volume, signature: "58trW1MA9XinbcXuYdr/eb47OKY="),
            Vector(testDescription: "Libcloud, brackets", query: tags, signature: "gyWHwJQ4up2GrJSI9nKJaIhhfkQ="),
            Vector(testDescription: "strict brackets", query: tags, signature: "6ZM+rVRPN4UC+hiGc+1eIqUJnkg="),
            Vector(
                testDescription: "Go",
                query: key + "&command=listZones&signatureversion=3&expires=2030-01-01T00%3A00%3A00Z",
                signature: "MvjWkOVWT0HqiPsE5I3g67LggO8="
            ),
        ]
    }()

    @Test("what each client signs is accepted", arguments: vectors)
    func vector(_ vector: Vector) {
        let sent = SentParameters(query: vector.query)
        #expect(Signature(of: sent).isValid(vector.signature, secret: Self.secret))
        #expect(Signature(of: sent).isValid(" \(vector.signature)\n", secret: Self.secret))
        #expect(!Signature(of: sent).isValid(vector.signature, secret: Self.secret + "x"))
        #expect(!Signature(of: sent).isValid("", secret: Self.secret))
        #expect(!Signature(of: sent).isValid("no base64 at all", secret: Self.secret))
    }

    @Test("brackets may come raw or escaped, in the query or in a form")
    func brackets() {
        let escaped = SentParameters(query: "tags%5B0%5D.key=a%5Bb%5D&apiKey=k")
        let raw = SentParameters(query: "", form: "tags[0].key=a[b]&apiKey=k")
        #expect(escaped.items == raw.items)
        #expect(Signature(of: escaped).canonicalForms == Signature(of: raw).canonicalForms)
        #expect(escaped.entries("tags") == [["key": "a[b]"]])
    }

    @Test("a form is not mistaken for another set of parameters")
    func injective() {
        // An escaped separator within a value, and the separator itself.
        let one = Signature(of: SentParameters(query: "a=1%26b%3D2")).canonicalForms
        let two = Signature(of: SentParameters(query: "a=1&b=2")).canonicalForms
        #expect(one.isDisjoint(with: two))
    }

    // MARK: Any parameters, any client

    @Test("any client's form of any parameters is accepted, and no changed byte", arguments: 0..<200 as Range<UInt64>)
    func anything(_ seed: UInt64) {
        var random = Seeded(state: seed)
        let items = random.parameters()
        let sent = SentParameters(items: items)
        for client in Client.allCases {
            let signature = client.sign(items, secret: Self.secret)
            #expect(Signature(of: sent).isValid(signature, secret: Self.secret), "seed \(seed), \(client)")
            let changed = random.change(items)
            // Letter case does not count: the whole text is lower-cased before it is signed.
            guard client.text(changed) != client.text(items) else { continue }
            #expect(
                !Signature(of: SentParameters(items: changed)).isValid(signature, secret: Self.secret),
                "seed \(seed), \(client)"
            )
        }
    }
}

/// Canonical forms as the clients write them, independently of what the server does.
enum Client: CaseIterable {
    case cs, java, libcloud, marvin, oldGo

    func text(_ items: [SentParameters.Item]) -> String {
        let sorted =
            switch self {
            case .cs, .java, .oldGo: items.sorted { $0.name < $1.name }
            case .libcloud, .marvin: items.sorted { $0.name.lowercased() < $1.name.lowercased() }
            }
        let unescaped =
            switch self {
            case .cs: "-_.~*"
            case .java: "-_.*"
            case .libcloud: "-_.~*[]"
            case .marvin: "-_.~"
            case .oldGo: "-_.~"
            }
        let allowed = CharacterSet(
            charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" + unescaped
        )
        return sorted.map { item in
            "\(item.name)=\(item.value.addingPercentEncoding(withAllowedCharacters: allowed) ?? "")"
        }.joined(separator: "&").lowercased()
    }

    func sign(_ items: [SentParameters.Item], secret: String) -> String {
        let code = HMAC<Insecure.SHA1>.authenticationCode(
            for: Data(text(items).utf8),
            using: SymmetricKey(data: Data(secret.utf8))
        )
        return Data(code).base64EncodedString()
    }
}

/// A small generator whose runs can be repeated.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func parameters() -> [SentParameters.Item] {
        let names = [
            "command", "apiKey", "zoneId", "Name", "tags[0].key", "tags[0].value", "tags[10].key", "id", "ids",
        ]
        return names.shuffled(using: &self).prefix(Int.random(in: 1...9, using: &self))
            .map { SentParameters.Item(name: $0, value: text()) }
    }

    private mutating func text() -> String {
        let pool: [Unicode.Scalar] = [
            "a", "Z", "0", " ", "+", "%", "&", "=", "~", "*", "[", "]", "/", "É", "é", "ß", "中", "🐙", "\u{301}", "\"",
            "'",
            "(", "!", "\n", "İ",
        ]
        let count = Int.random(in: 0...12, using: &self)
        return String(String.UnicodeScalarView((0..<count).compactMap { _ in pool.randomElement(using: &self) }))
    }

    /// The same parameters with one value changed.
    mutating func change(_ items: [SentParameters.Item]) -> [SentParameters.Item] {
        var items = items
        let index = Int.random(in: 0..<items.count, using: &self)
        let more = ["x", "%", "&", "=", " ", "é"].randomElement(using: &self) ?? "x"
        items[index] = SentParameters.Item(name: items[index].name, value: items[index].value + more)
        return items
    }
}
