import Foundation
import Glibc
import Platform
import QEMU

/// The life line to whoever started a guard: its standard input.
final class OwnerLine {
    enum Word {
        case hold
        case release
        /// The line has ended.
        case gone
    }

    let descriptor = STDIN_FILENO
    private var pending: [UInt8] = []
    private var isGone = false

    /// Whether there is a word that was read already.
    var hasWord: Bool { isGone || pending.contains(UInt8(ascii: "\n")) }

    /// Takes the next word if it asks for the hold; any other stays to be read.
    func skipHold() -> Bool {
        switch nextWord(until: .now) {
        case .hold: return true
        case .release: pending = Array("\(GuestGuard.releaseRequest)\n".utf8) + pending
        case .gone: isGone = true
        case nil: break
        }
        return false
    }

    /// Waits until the owner asks for the end or is gone, or until the deadline.
    func waitForRelease(until deadline: ContinuousClock.Instant) -> GuestGuard.ReleaseReason {
        while true {
            switch nextWord(until: deadline) {
            // What is held already need not be held again.
            case .hold: continue
            case .release: return .asked
            case .gone: return .ownerGone
            case nil: return .deadline
            }
        }
    }

    /// What the owner says next; nil when it says nothing in time.
    func nextWord(until deadline: ContinuousClock.Instant) -> Word? {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: pending[..<end], as: UTF8.self)
                pending.removeSubrange(...end)
                // Whatever else it says, it does not want the guest to be held.
                return line == GuestGuard.holdRequest ? .hold : .release
            }
            if isGone { return .gone }
            guard wait(for: [descriptor], until: deadline)[0] else { return nil }
            var buffer = [UInt8](repeating: 0, count: 256)
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0, pending.count < 1 << 12 else { return .gone }
            pending += buffer.prefix(count)
        }
    }
}

/// One of a machine's sockets, with plain blocking system calls: JSON, a line each.
final class GuardLine {
    enum Failure: Error {
        /// No answer in time, or none that makes sense.
        case silent(String)
        /// The other side's own words.
        case refused(String)
        /// The owner ended the wait.
        case ownerSpoke

        /// For people.
        var reason: String {
            switch self {
            case .silent(let reason), .refused(let reason): reason
            case .ownerSpoke: "the service let go"
            }
        }
    }

    private let path: String
    /// Who is at the other end, in messages: "the agent".
    private let peer: String
    private var descriptor: Int32 = -1
    private var pending: [UInt8] = []
    /// Whether nobody serves the socket any more: the machine has ended.
    private(set) var isMachineGone = false

    init(path: String, peer: String) {
        self.path = path
        self.peer = peer
    }

    deinit { close() }

    var isOpen: Bool { descriptor >= 0 }

    func open(until deadline: ContinuousClock.Instant) throws(Failure) {
        close()
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard isOpen, let address = UnixAddress(path) else { throw fail("the socket \(path) cannot be opened") }
        while true {
            if address.lend(to: { connect(descriptor, $0, $1) }) == 0 { break }
            // EAGAIN: others wait for the channel already, and the line is full.
            guard errno == EAGAIN || errno == EINTR, ContinuousClock.now < deadline else {
                isMachineGone = errno == ECONNREFUSED || errno == ENOENT
                throw fail(isMachineGone ? "the machine has ended" : "the channel to \(peer) is busy")
            }
            usleep(10_000)
        }
    }

    func close() {
        if isOpen { _ = Glibc.close(descriptor) }
        descriptor = -1
        pending = []
    }

    func send(_ bytes: [UInt8]) throws(Failure) {
        // A few hundred bytes always fit into an empty socket; one that is full belongs to a program that is stuck.
        guard Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw fail("the channel to \(peer) is stuck")
        }
    }

    /// The next line that is JSON.
    func receive(until deadline: ContinuousClock.Instant, unless owner: OwnerLine? = nil) throws(Failure) -> JSONValue {
        while true {
            let line = try readLine(until: deadline, unless: owner)
            if let message = try? JSONValue(parsing: Data(line)) { return message }
        }
    }

    private func readLine(until deadline: ContinuousClock.Instant, unless owner: OwnerLine?)
        throws(Failure) -> ArraySlice<UInt8>
    {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = pending[..<end]
                pending.removeSubrange(...end)
                return line.last == 0xFF ? [] : line.drop { $0 == 0xFF }
            }
            guard pending.count < 1 << 20 else { throw fail("\(peer) sends rubbish") }
            if let owner, owner.hasWord { throw .ownerSpoke }
            let isReadable = wait(for: [descriptor] + (owner.map { [$0.descriptor] } ?? []), until: deadline)
            if isReadable.count > 1, isReadable[1] { throw .ownerSpoke }
            guard isReadable[0] else { throw .silent("no answer in time") }
            var buffer = [UInt8](repeating: 0, count: 4_096)
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 || (count < 0 && errno == EINTR) else { throw fail("the channel to \(peer) was closed") }
            pending += buffer.prefix(max(0, count))
        }
    }

    private func fail(_ reason: String) -> Failure {
        close()
        return .silent(reason)
    }
}

/// Waits until one of the descriptors can be read, or has ended, or until the deadline; tells of each whether it can.
private func wait(for descriptors: [Int32], until deadline: ContinuousClock.Instant) -> [Bool] {
    var events = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    while true {
        let left = (deadline - .now).timeInterval
        let result = poll(&events, nfds_t(events.count), Int32(min(max(0, left * 1_000), 3_600_000).rounded(.up)))
        if result < 0, errno == EINTR { continue }
        return events.map { $0.revents != 0 }
    }
}
