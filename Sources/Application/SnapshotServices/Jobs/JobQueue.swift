package import SnapshotDomain

/// Which job may run next: a value, so that its rules can be tested without running anything.
///
/// Every subject is a lane. A job stands in the lane of each subject it names, in the order of arrival, and may run when
/// nothing that matters stands before it in any of them: before a job that changes a subject, nobody; before one that only
/// reads it, only readers. Arrival order and whole-set entry make a deadlock impossible.
///
/// Heavy jobs also need one of the few slots of each pool that they work on; these go to the environment that has the fewest. So
/// the work on a slow pool keeps no other pool's waiting. Jobs that wait for the network have slots of their own: a slow source
/// must not keep the pools' work waiting.
package struct JobQueue: Sendable {
    package struct Entry: Hashable, Sendable {
        package var id: JobID
        package var environment: EnvironmentID
        package var changes: Set<JobSubject>
        package var reads: Set<JobSubject>
        package var isHeavy: Bool
        package var usesNetwork: Bool
        /// Where it works.
        package var pools: Set<PoolID>

        package init(
            id: JobID,
            environment: EnvironmentID,
            changes: Set<JobSubject>,
            reads: Set<JobSubject> = [],
            isHeavy: Bool = false,
            usesNetwork: Bool = false,
            pools: Set<PoolID> = []
        ) {
            self.id = id
            self.environment = environment
            self.changes = changes
            self.reads = reads.subtracting(changes)
            self.isHeavy = isHeavy
            self.usesNetwork = usesNetwork
            self.pools = pools
        }

        fileprivate var needsSlot: Bool { isHeavy || usesNetwork }
    }

    private let heavySlots: Int
    private let networkSlots: Int
    private var entries: [JobID: Entry] = [:]
    private var arrival: [JobID: Int] = [:]
    private var lanes: [JobSubject: [JobID]] = [:]
    private var running: Set<JobID> = []
    /// Not blocked by any lane, in need of a slot.
    private var awaitingSlot: [JobID] = []
    private var nextArrival = 0

    package init(heavySlots: Int, networkSlots: Int = 4) {
        self.heavySlots = heavySlots
        self.networkSlots = networkSlots
    }

    package var runningCount: Int { running.count }
    package var waitingCount: Int { entries.count - running.count }

    package func isRunning(_ id: JobID) -> Bool { running.contains(id) }

    /// Adds a job and returns those that can start now; the caller starts them.
    package mutating func add(_ entry: Entry) -> [JobID] {
        entries[entry.id] = entry
        nextArrival += 1
        arrival[entry.id] = nextArrival
        for subject in entry.changes.union(entry.reads) { lanes[subject, default: []].append(entry.id) }
        return start(among: [entry.id])
    }

    /// Removes a job that ended, or that was cancelled while it waited, and returns those that can start now.
    package mutating func remove(_ id: JobID) -> [JobID] {
        guard let entry = entries.removeValue(forKey: id) else { return [] }
        arrival[id] = nil
        running.remove(id)
        awaitingSlot.removeAll { $0 == id }
        var candidates: [JobID] = []
        for subject in entry.changes.union(entry.reads) {
            lanes[subject]?.removeAll { $0 == id }
            guard let lane = lanes[subject], !lane.isEmpty else {
                lanes[subject] = nil
                continue
            }
            candidates += lane
        }
        return start(among: candidates)
    }

    /// How many jobs stand before this one in its longest lane; nil when it runs or is unknown.
    package func position(of id: JobID) -> Int? {
        guard let entry = entries[id], !running.contains(id) else { return nil }
        let ahead = entry.changes.union(entry.reads).map { lanes[$0]?.firstIndex(of: id) ?? 0 }.max() ?? 0
        let rivals = awaitingSlot.filter { id in
            guard let other = entries[id], other.usesNetwork == entry.usesNetwork else { return false }
            return entry.usesNetwork || other.id == entry.id || other.pools == entry.pools
                || !other.pools.isDisjoint(with: entry.pools)
        }
        return ahead + (rivals.firstIndex(of: id) ?? 0)
    }

    /// The first job in a subject's lane: the one that holds it, or is next to.
    package func holder(of subject: JobSubject) -> JobID? {
        lanes[subject]?.first { entries[$0]?.changes.contains(subject) == true }
    }

    /// The first job in a subject's lane that only reads it.
    package func reader(of subject: JobSubject) -> JobID? {
        lanes[subject]?.first { entries[$0]?.reads.contains(subject) == true }
    }

    private func isBlocked(_ entry: Entry) -> Bool {
        for subject in entry.changes where lanes[subject]?.first != entry.id { return true }
        for subject in entry.reads {
            for id in lanes[subject] ?? [] {
                if id == entry.id { break }
                if entries[id]?.changes.contains(subject) == true { return true }
            }
        }
        return false
    }

    private mutating func start(among candidates: [JobID]) -> [JobID] {
        var started: [JobID] = []
        for id in Set(candidates).sorted(by: { arrival[$0, default: 0] < arrival[$1, default: 0] }) {
            guard let entry = entries[id], !running.contains(id), !awaitingSlot.contains(id), !isBlocked(entry) else {
                continue
            }
            if entry.needsSlot {
                awaitingSlot.append(id)
            } else {
                running.insert(id)
                started.append(id)
            }
        }
        return started + fillSlots()
    }

    private mutating func fillSlots() -> [JobID] {
        fill(heavySlots) { !$0.usesNetwork } + fill(networkSlots) { $0.usesNetwork }
    }

    private mutating func fill(_ slots: Int, for belongs: (Entry) -> Bool) -> [JobID] {
        var started: [JobID] = []
        while true {
            let holders = running.compactMap { entries[$0] }.filter { $0.needsSlot && belongs($0) }
            let load = Dictionary(grouping: holders, by: \.environment).mapValues(\.count)
            func rank(_ id: JobID) -> (Int, Int) {
                (entries[id].flatMap { load[$0.environment] } ?? 0, arrival[id, default: 0])
            }
            let waiting = awaitingSlot.filter { id in
                guard let entry = entries[id], belongs(entry) else { return false }
                return hasSlot(for: entry, beside: holders, of: slots)
            }
            guard let id = waiting.min(by: { rank($0) < rank($1) }) else { break }
            awaitingSlot.removeAll { $0 == id }
            running.insert(id)
            started.append(id)
        }
        return started
    }

    /// Whether each place where a job works has a slot left; the network is one place, and so is none at all.
    private func hasSlot(for entry: Entry, beside holders: [Entry], of slots: Int) -> Bool {
        guard !entry.usesNetwork, !entry.pools.isEmpty else {
            return holders.count { entry.usesNetwork || $0.pools.isEmpty } < slots
        }
        return entry.pools.allSatisfy { pool in holders.count { $0.pools.contains(pool) } < slots }
    }
}
