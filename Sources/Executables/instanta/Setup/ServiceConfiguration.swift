import SnapshotDomain
import SnapshotServices
import WebConsole

/// Everything that `instanta serve` can be told.
struct ServiceConfiguration: Sendable {
    var dataDirectory: DataDirectory
    var listen: ListenAddress
    var isBehindProxy = false
    /// Beside the pool `local`, which is always there; one of that name says more of it.
    var pools: [PoolSetting] = []
    /// The bootable disk that a first start makes a demo environment of.
    var demoGuest: String?
    /// The command that runs the guest guard: this very program, unless a test says otherwise.
    var guestGuard: [String]
    var settings = Settings()
    /// How often expired things are looked for.
    var tidiesEvery = Duration.seconds(60)

    /// What people call the service, and what it is called in addresses.
    var serviceName = "Compute"
    var serviceCode = "compute"
    /// Nil hides what things cost.
    var prices: ConsoleConfiguration.Prices?

    /// All of them, `local` first.
    var allPools: [PoolSetting] {
        pools.contains { $0.name == .local } ? pools : [.local] + pools
    }

    var firstEnvironment: String { demoGuest == nil ? "default" : "demo" }
}

/// `HOST:PORT`; an IPv6 host stands in brackets.
struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    var host: String
    var port: Int

    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else { return nil }
        self.host = host
        self.port = port
    }

    var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// Nobody else can reach it.
    var isLoopback: Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }
}
