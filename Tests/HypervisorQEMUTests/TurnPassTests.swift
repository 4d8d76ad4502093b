import Platform
import Testing

@testable import HypervisorQEMU

@Suite("A pass of a turnstile")
struct TurnPassTests {
    @Test("is given back when nobody holds it any more")
    func lost() async throws {
        let turnstile = Turnstile()
        do {
            let pass = try #require(await turnstile.pass(within: .zero))
            #expect(await turnstile.pass(within: .zero) == nil)
            withExtendedLifetime(pass) {}
        }
        #expect(await turnstile.pass(within: .zero) != nil)
    }

    @Test("is worth one turn, however often it is given back")
    func twice() async throws {
        let turnstile = Turnstile()
        let first = try #require(await turnstile.pass(within: .zero))
        first.leave()
        let second = try #require(await turnstile.pass(within: .zero))
        first.leave()
        #expect(await turnstile.pass(within: .zero) == nil)
        second.leave()
        #expect(await turnstile.pass(within: .zero) != nil)
    }
}
