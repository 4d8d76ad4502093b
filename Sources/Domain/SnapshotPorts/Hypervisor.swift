package import Foundation
package import SnapshotDomain

/// Runs machines.
///
/// Machines are not children of the service in the sense that matters: they go on when it ends, and a new service finds
/// them again. So every answer about a machine is asked of the machine.
///
/// ## Promises
///
/// `HypervisorContract` checks them:
///
/// - **Repeatable.** Starting what runs with the same identity and stopping what is stopped succeed. Attaching what is
///   attached, and detaching what is not there, too.
/// - **The guest comes first.** No call leaves a guest held. A freeze and a pause end at their deadline, whatever happens to
///   the service, and a machine that was paused for a service which is gone goes on.
/// - **One instant.** A machine's memory is saved with its disks as they are within the call's instant: the machine stands
///   still from before until after it. What cannot be saved so is not there afterwards.
/// - **Honest.** A machine that ended by itself is reported once, through ``events()``, and is `stopped` from then on.
///
/// - Important: No method blocks the calling thread; every wait has a bound.
package protocol Hypervisor: Sendable {
    /// What runs the guests, and why not something faster.
    var accelerator: Accelerator { get async }

    // MARK: Life

    /// Starts a machine, or finds that it runs. Returns when its processors run, not when its system is up.
    func start(_ machine: MachineDescription) async throws(HypervisorFault)

    /// Brings a machine to rest.
    ///
    /// - Parameters:
    ///   - instance: The machine.
    ///   - mode: `graceful` asks the guest and then waits.
    /// - Throws: `guestUnresponsive` when a graceful wait ends without success: the machine runs on.
    func stop(_ instance: InstanceID, mode: StopMode) async throws(HypervisorFault)

    /// Restarts the guest without a new machine: disks, addresses and the console go on.
    func reset(_ instance: InstanceID) async throws(HypervisorFault)

    /// Removes what a stopped machine left behind: sockets, console log.
    func remove(_ instance: InstanceID) async throws(HypervisorFault)

    /// Lets a machine stand still for at most a while, watched by a process that outlives the service.
    ///
    /// Nothing in the guest notices but its clock. Its disks can be put on other layers meanwhile, in as many steps as it
    /// takes. One machine is paused once at a time; a second call waits.
    ///
    /// - Throws: `wrongState` for a machine that does not run, `guestRefused` for one that stands still already, as after an
    ///   I/O error: that is not ours to end.
    func pause(_ instance: InstanceID, atMost limit: Duration) async throws(HypervisorFault) -> any PauseLease

    /// The state now, asked of the machine. One that hangs is waited for some seconds.
    func status(of instance: InstanceID) async -> MachineStatus

    /// Whether there is a machine that may write its disks: `status` is anything but `stopped`.
    ///
    /// Asked of the host and not of the machine, so it costs microseconds, and one that hangs says yes at once.
    func isAlive(_ instance: InstanceID) async -> Bool

    /// The machines that this hypervisor has a trace of.
    func inventory() async throws(HypervisorFault) -> [InstanceID]

    /// What happens by itself, from the call on.
    func events() async -> AsyncStream<MachineEvent>

    // MARK: Disks

    /// What the disks of a running machine write to now, by slot: the machine's own word, in the stores' words.
    ///
    /// Which layer that is, the store of the disk says (``BlockStore/writtenLayer(through:)``).
    func writtenDisks(of instance: InstanceID) async throws(HypervisorFault) -> [Int: DiskHandle]

    /// Everything of stores that a running machine has open, written or read, used by a disk or left over.
    func openDisks(of instance: InstanceID) async throws(HypervisorFault) -> Set<DiskHandle>

    /// Puts a disk into a running machine; the guest sees it within a second.
    func attach(_ disk: MachineDisk, to instance: InstanceID) async throws(HypervisorFault)

    /// Takes a disk out of a running machine. The guest must let it go.
    func detach(slot: Int, from instance: InstanceID) async throws(HypervisorFault)

    /// The way to a running machine's disks; nil when it does not run.
    func blockChannel(of instance: InstanceID) async throws(HypervisorFault) -> (any LiveBlockChannel)?

    // MARK: Memory

    /// What the place where memory is kept can still take.
    func memoryCapacity() async throws(HypervisorFault) -> PoolCapacity

    /// Saves the memory and the devices of a running machine, which then goes on.
    ///
    /// Most of it is copied while the machine runs. It stands still for the rest, for as long as the request allows at most.
    ///
    /// - Parameters:
    ///   - instance: The machine.
    ///   - id: Under which name it is kept; chosen by the caller.
    ///   - request: What the machine is, and how long it may stand.
    ///   - progress: Told of bytes of memory.
    ///   - atInstant: What else belongs to the instant: called once, while the machine stands still. What it throws is passed on
    ///     as the fault's cause, and nothing is kept.
    /// - Returns: What is on stable storage.
    /// - Throws: `wrongState` for a machine that does not run or is not what the request says, `guestUnresponsive` for one
    ///   that cannot be saved within the pause. With outcome `notDone`, the instant has not come.
    func saveMemory(
        of instance: InstanceID,
        as id: SnapshotGroupID,
        _ request: MemorySaveRequest,
        progress: @escaping ProgressHandler,
        atInstant: @escaping @Sendable () async throws -> Void
    ) async throws(HypervisorFault) -> StoredMemory

    /// Starts a machine where it was when its memory was saved.
    ///
    /// - Parameters:
    ///   - machine: The machine; its disks must hold what they held then.
    ///   - memory: Where it goes on from.
    ///   - job: Who made the disks so. A machine goes on from a memory once for one job: what it wrote since, the memory does
    ///     not know.
    ///   - progress: Told of bytes of memory.
    /// - Throws: `wrongState` for a memory that does not fit the machine or this host, and for one that the machine has gone on
    ///   from for the same job. `damaged` when it is not what was written. The machine is stopped then.
    func start(
        _ machine: MachineDescription,
        resuming memory: SnapshotGroupID,
        onceFor job: JobID,
        progress: @escaping ProgressHandler
    ) async throws(HypervisorFault)

    /// Says whether a memory can be used here, before anything is done for it.
    ///
    /// - Throws: `notFound`, or `wrongState` with the obstacle.
    func requireResumable(_ memory: SnapshotGroupID) async throws(HypervisorFault)

    /// One memory as it lies on the medium, or nil.
    func findMemory(_ id: SnapshotGroupID) async throws(HypervisorFault) -> StoredMemory?

    /// The digest of what lies there now, read as a whole.
    func digestMemory(_ id: SnapshotGroupID, progress: @escaping ProgressHandler)
        async throws(HypervisorFault) -> ContentDigest

    /// Everything that lies there. For the reconciler.
    func memoryInventory() async throws(HypervisorFault) -> MemoryInventory

    /// Removes a memory, or what is left of one.
    func deleteMemory(_ id: SnapshotGroupID) async throws(HypervisorFault)

    /// Moves something that the catalog does not know out of the way, never away. Returns where it went.
    func quarantineMemory(_ name: String) async throws(HypervisorFault) -> String

    // MARK: Guest

    /// Freezes the guest's file systems for at most a while, watched by a process that outlives the service.
    func freeze(_ instance: InstanceID, atMost limit: Duration) async throws(HypervisorFault) -> any FreezeLease

    /// Thaws whatever may be frozen, after a restart. Harmless when nothing is.
    func thawIfFrozen(_ instance: InstanceID) async

    /// What the guest says of itself, or what little is known when it does not answer soon; some seconds old at most.
    func guestFacts(of instance: InstanceID) async -> GuestFacts

    /// The serial console's text, oldest first, from a byte offset on.
    func console(of instance: InstanceID, from offset: Int64, atMost limit: Int) async throws(HypervisorFault)
        -> ConsoleText

    /// What the screen shows, as PNG.
    func screenshot(of instance: InstanceID) async throws(HypervisorFault) -> Data
}

/// A frozen guest.
package protocol FreezeLease: Sendable {
    /// Ends the freeze. Says what really happened, also when the deadline came first.
    func thaw() async -> HoldReport
}

/// A machine that stands still.
package protocol PauseLease: Sendable {
    /// Lets the machine go on. Says what really happened, also when the deadline came first.
    func resume() async -> HoldReport
}

/// How a freeze or a pause went.
package struct HoldReport: Hashable, Sendable {
    /// The guest was held from before until after everything between its beginning and its end.
    package var heldThroughout: Bool
    package var milliseconds: Int
    /// What came of it, for people.
    package var answer: String

    package init(heldThroughout: Bool, milliseconds: Int, answer: String) {
        self.heldThroughout = heldThroughout
        self.milliseconds = milliseconds
        self.answer = answer
    }
}

/// What runs the guests' processors.
package struct Accelerator: Hashable, Sendable {
    /// Hardware, or translation in software.
    package enum Kind: String, Sendable {
        case kvm
        case tcg
    }

    package var kind: Kind
    /// For people: what was tried and what came of it.
    package var reason: String

    package init(kind: Kind, reason: String) {
        self.kind = kind
        self.reason = reason
    }
}

/// How much a guest is asked.
package enum StopMode: Hashable, Sendable {
    case graceful(timeout: Duration)
    /// As pulling the plug.
    case forced
}

/// One disk of a machine and its place.
package struct MachineDisk: Hashable, Sendable {
    package var slot: Int
    package var volume: VolumeID
    package var source: DiskSource

    package init(slot: Int, volume: VolumeID, source: DiskSource) {
        self.slot = slot
        self.volume = volume
        self.source = source
    }
}

/// Everything that a machine is started from.
package struct MachineDescription: Hashable, Sendable {
    package var id: InstanceID
    package var name: ResourceName
    package var cpuCount: Int
    package var memory: ByteCount
    package var macAddress: String
    package var network: NetworkMode
    package var disks: [MachineDisk]

    package init(
        id: InstanceID,
        name: ResourceName,
        cpuCount: Int,
        memory: ByteCount,
        macAddress: String,
        network: NetworkMode,
        disks: [MachineDisk]
    ) {
        self.id = id
        self.name = name
        self.cpuCount = cpuCount
        self.memory = memory
        self.macAddress = macAddress
        self.network = network
        self.disks = disks
    }
}

/// What a machine does now.
package enum MachineStatus: Hashable, Sendable {
    case stopped
    case running
    /// Held by something that is not us, such as an I/O error.
    case paused(reason: String)
    /// Its program runs and does not answer.
    case unresponsive

    package var isStopped: Bool { self == .stopped }
}

/// What a machine did by itself.
package enum MachineEvent: Hashable, Sendable {
    /// The machine's program ended; `byGuest` when the guest powered itself off.
    case ended(InstanceID, byGuest: Bool, reason: String)
    case trouble(InstanceID, reason: String)
}

/// What the guest says about itself.
package struct GuestFacts: Hashable, Sendable {
    package var isAgentAnswering: Bool
    package var addresses: [String]
    package var hostname: String?
    /// The port on the host's loopback that leads to the guest's SSH, when the network is `user`.
    package var sshPort: Int?

    package init(isAgentAnswering: Bool, addresses: [String], hostname: String?, sshPort: Int?) {
        self.isAgentAnswering = isAgentAnswering
        self.addresses = addresses
        self.hostname = hostname
        self.sshPort = sshPort
    }
}

/// A piece of a serial console.
package struct ConsoleText: Hashable, Sendable {
    package var text: String
    /// Where to go on reading.
    package var nextOffset: Int64

    package init(text: String, nextOffset: Int64) {
        self.text = text
        self.nextOffset = nextOffset
    }
}
