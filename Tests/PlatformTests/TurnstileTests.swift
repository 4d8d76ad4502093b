import Platform
import Testing

@Suite("Turnstile")
struct TurnstileTests {
    private let limit = Duration.seconds(3600)

    @Test("lets one through at a time")
    func exclusive() async {
        let turnstile = Turnstile()
        let seen = Recorder<Int>()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<100 {
                group.addTask {
                    guard await turnstile.enter(within: .seconds(3600)) else { return }
                    seen.append(number)
                    await Task.yield()
                    seen.append(number)
                    turnstile.leave()
                }
            }
        }
        let values = seen.values
        #expect(values.count == 200)
        #expect(stride(from: 0, to: values.count, by: 2).allSatisfy { values[$0] == values[$0 + 1] })
    }

    @Test("those who give up do not hold up the others")
    func givingUp() async {
        let turnstile = Turnstile()
        #expect(await turnstile.enter(within: limit))
        #expect(await turnstile.enter(within: .milliseconds(1)) == false)
        let cancelled = Task { await turnstile.enter(within: .seconds(3600)) }
        let patient = Task { await turnstile.enter(within: .seconds(3600)) }
        cancelled.cancel()
        #expect(await cancelled.value == false)
        turnstile.leave()
        #expect(await patient.value)
        turnstile.leave()
        #expect(await turnstile.enter(within: limit))
    }
}
