import SnapshotServices

/// The parts that every page is made with.
struct Console: Sendable {
    let cloud: any CloudService
    let accounts: Accounts
    let configuration: ConsoleConfiguration
    let pages: Pages
    /// Tells the events of this run of the service from those of another.
    let run = String(UInt32.random(in: .min ... .max), radix: 36)
}
