import Testing

@testable import CommandLine

@Suite("names")
struct NameResolutionTests {
    private let volumes: [JSONValue] = [
        ["id": "0d9c5a6e-0000-4000-8000-000000000001", "name": "ROOT-web01"],
        ["id": "0d9c5a6e-0000-4000-8000-000000000002", "name": "ROOT-web02"],
        ["id": "0d9c5a6e-0000-4000-8000-000000000003", "name": "data"],
        ["id": "0d9c5a6e-0000-4000-8000-000000000004", "name": "data"],
    ]

    @Test("a name or an id finds the resource", arguments: ["ROOT-web02", "0D9C5A6E-0000-4000-8000-000000000002"])
    func found(_ reference: String) throws {
        #expect(try NameResolution.pick(reference, .volume, from: volumes) == volumes[1])
    }

    @Test("an unknown name ends with status 4 and names that look alike")
    func unknown() {
        #expect {
            try NameResolution.pick("ROOT-wbe01", .volume, from: volumes)
        } throws: { error in
            let failure = error as? CommandFailure
            return failure?.status == .notFound && failure?.remedy?.hasPrefix("Did you mean 'ROOT-web01'") == true
        }
    }

    @Test("an ambiguous name ends with status 4 and the ids")
    func ambiguous() {
        #expect {
            try NameResolution.pick("data", .volume, from: volumes)
        } throws: { error in
            let failure = error as? CommandFailure
            return failure?.status == .notFound && failure?.remedy?.contains("0003, ") == true
        }
    }

    @Test("near means a slip of the fingers or a part of the name, never anything")
    func near() {
        let names = ["golden", "silver", "web01", "web02", "Before-Upgrade"]
        #expect(NearMatches.of("goldne", among: names) == ["golden"])
        #expect(NearMatches.of("upgrade", among: names) == ["Before-Upgrade"])
        #expect(NearMatches.of("web", among: names) == ["web01", "web02"])
        #expect(NearMatches.of("xyzzy-unrelated", among: names).isEmpty)
        #expect(NearMatches.hint(for: "q-nothing", among: names) == nil)
    }

    @Test("many names become a short phrase")
    func listing() {
        #expect(Listing.of(["a"]) == "a")
        #expect(Listing.of(["a", "b", "c"]) == "a, b and c")
        #expect(Listing.of(["a", "b", "c", "d"]) == "a, b and 2 more")
    }
}
