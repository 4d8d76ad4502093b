/// How a snapshot of a running machine is brought to rest.
///
/// Stored.
package enum ConsistencyMode: String, Sendable, Codable, CaseIterable {
    /// As after a power cut: every acknowledged write, file systems replay their journal.
    case crash
    /// The guest agent freezes the file systems around the instant.
    case filesystem
    /// The machine's memory and devices are saved, too: it can go on from there.
    case memory
}

/// What was asked for when a snapshot of a running machine is taken.
package struct ConsistencyRequest: Hashable, Sendable, Codable {
    /// What to do when the guest cannot be frozen in time.
    ///
    /// Stored.
    package enum OnMiss: String, Sendable, Codable, CaseIterable {
        /// Take it all the same and label it crash-consistent.
        case settle
        case fail
    }

    package static let defaultFreezeMilliseconds = 2_000
    package static let freezeBounds = 50...60_000

    package var mode: ConsistencyMode
    /// The longest time the guest may stay frozen, or stand still, kept by a process that outlives the service.
    package var maxFreezeMilliseconds: Int
    package var onMiss: OnMiss

    package init(
        mode: ConsistencyMode = .crash,
        maxFreezeMilliseconds: Int = defaultFreezeMilliseconds,
        onMiss: OnMiss = .settle
    ) {
        self.mode = mode
        self.maxFreezeMilliseconds = maxFreezeMilliseconds
        self.onMiss = onMiss
    }
}

/// What really happened at the instant of a snapshot.
package struct ConsistencyRecord: Hashable, Sendable, Codable {
    package var requested: ConsistencyMode
    package var achieved: ConsistencyMode
    /// How long the guest was frozen, from the agent's answer to freeze until its answer to thaw, or stood still for its memory
    /// or because its disks could not be switched together; nil when it was neither.
    ///
    package var freezeMilliseconds: Int?
    /// What the agent said, or why it was not asked: for people.
    package var agentAnswer: String?

    package init(
        requested: ConsistencyMode,
        achieved: ConsistencyMode,
        freezeMilliseconds: Int? = nil,
        agentAnswer: String? = nil
    ) {
        self.requested = requested
        self.achieved = achieved
        self.freezeMilliseconds = freezeMilliseconds
        self.agentAnswer = agentAnswer
    }
}
