import Synchronization

/// Which one of many calls to ports goes wrong, and how.
///
/// The decorators ``FaultyCatalog``, ``FaultyBlockStore``, ``FaultyHypervisor`` and ``FaultyImageFetcher`` share one, so
/// that the calls of a whole operation are counted in one row. A sweep counts the calls of a clean run, then repeats the
/// run once for each of them and each moment:
///
/// ```swift
/// faults.startCounting()
/// …
/// let calls = faults.stopCounting()
/// for number in calls.indices {
///     for moment in CallFaults.Moment.allCases {
///         faults.arm(call: number, moment)
///         …
///     }
/// }
/// ```
package final class CallFaults: Sendable {
    package enum Moment: String, Sendable, CaseIterable {
        /// The call never reaches the port: it fails with outcome `notDone`.
        case before
        /// The work is done and the answer is lost: it fails with outcome `unknown`.
        case after
        /// As ``after``, and from then on no call reaches its port: whoever called has died for the world.
        case dying
    }

    private enum Target {
        case number(Int)
        case name(String)
    }

    private struct State {
        var calls: [String] = []
        var isCounting = false
        var target: (call: Target, moment: Moment)?
        var failed: String?
        var isDead = false
        var held: (name: String, after: Int, gate: Gate)?
    }

    private let state = Mutex(State())
    private let split = Mutex(false)

    package init() {}

    /// Counts calls from now on.
    package func startCounting() {
        start(nil)
    }

    /// The names of the calls since then, in their order.
    package func stopCounting() -> [String] {
        stop().calls
    }

    /// Makes one call of the next run fail: the first is 0.
    package func arm(call: Int, _ moment: Moment) {
        start((.number(call), moment))
    }

    /// Makes the next call of a name fail, such as `store.createLayer`.
    package func arm(next name: String, _ moment: Moment) {
        start((.name(name), moment))
    }

    /// Has block stores put disks over one after the other, so long apart that a guest would notice, and say so; for good.
    package func splitSwitches() {
        split.withLock { $0 = true }
    }

    package var splitsSwitches: Bool { split.withLock(\.self) }

    /// Makes one call of a name wait at a gate before it reaches its port.
    ///
    /// - Parameters:
    ///   - name: Such as `store.finishSwitch`.
    ///   - after: How many calls of that name go through before.
    ///   - gate: Used once.
    package func hold(_ name: String, after: Int = 0, at gate: Gate) {
        state.withLock { $0.held = (name, after, gate) }
    }

    /// Lets everything through again.
    ///
    /// - Returns: The call that failed; nil when the run made fewer calls than expected.
    @discardableResult
    package func disarm() -> String? {
        stop().failed
    }

    /// Whether the armed fault ended the world: whoever called would not live to tell.
    package var isDead: Bool { state.withLock(\.isDead) }

    /// Whether the armed fault came.
    package var hasFailed: Bool { state.withLock { $0.failed != nil } }

    private func start(_ target: (call: Target, moment: Moment)?) {
        state.withLock { $0 = State(isCounting: true, target: target) }
    }

    private func stop() -> State {
        state.withLock { state in
            state.isCounting = false
            state.target = nil
            state.isDead = false
            return state
        }
    }

    /// Notes a call, and lets it wait if it has to.
    ///
    /// - Returns: When it has to fail; nil for a call that goes through.
    func enter(_ name: String) async -> Moment? {
        if let gate = gate(for: name) { await gate.pass() }
        return state.withLock { state in
            guard state.isCounting else { return nil }
            if state.isDead { return .before }
            state.calls.append(name)
            guard state.failed == nil, let target = state.target else { return nil }
            let isHit =
                switch target.call {
                case .number(let number): number == state.calls.count - 1
                case .name(let wanted): wanted == name
                }
            guard isHit else { return nil }
            state.failed = name
            state.isDead = target.moment == .dying
            return target.moment
        }
    }

    private func gate(for name: String) -> Gate? {
        state.withLock { state in
            guard let held = state.held, held.name == name else { return nil }
            guard held.after == 0 else {
                state.held?.after -= 1
                return nil
            }
            state.held = nil
            return held.gate
        }
    }

    /// Runs a call that may fail.
    func run<Value, Fault: Error>(
        _ name: String,
        fault: (Moment) -> Fault,
        _ body: () async throws(Fault) -> Value
    ) async throws(Fault) -> Value {
        let moment = await enter(name)
        if moment == .before { throw fault(.before) }
        let value = try await body()
        if moment == .after || moment == .dying { throw fault(.after) }
        return value
    }
}

/// Where one call waits until a test lets it go on.
package final class Gate: Sendable {
    private let arrivals = AsyncStream.makeStream(of: Void.self)
    private let opening = AsyncStream.makeStream(of: Void.self)

    package init() {}

    /// Returns when a call has arrived.
    package func reached() async {
        for await _ in arrivals.stream {}
    }

    /// Lets the call go on.
    package func open() {
        opening.continuation.finish()
    }

    /// A caller whose task is cancelled does not wait.
    func pass() async {
        arrivals.continuation.finish()
        for await _ in opening.stream {}
    }
}
