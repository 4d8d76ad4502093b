import CommandLine
import Foundation
import Logging
import Platform
import SnapshotDomain
import WebConsole

/// What the file of `instanta serve --config` says; what is nil is left to the flags and to what they are by themselves.
///
/// `docs/operations/configuration.md` describes each setting.
struct ConfigurationFile: Sendable {
    private(set) var listen: ListenAddress?
    private(set) var dataDirectory: String?
    private(set) var isBehindProxy: Bool?
    private(set) var logLevel: Logger.Level?
    private(set) var serviceName: String?
    private(set) var serviceCode: String?
    private(set) var prices: ConsoleConfiguration.Prices?
    private(set) var pools: [PoolSetting] = []
    /// How many layers an active layer may stand on before the collector makes it independent.
    private(set) var softDepth: Int?

    /// Below the lower bound a disk would be copied after every few snapshots; the upper one is well short of the depth at which a
    /// snapshot is refused.
    private static let softDepths = 4...200

    /// How long what was destroyed can be recovered.
    private(set) var destroyedLifetime: Duration?

    private static let keys = [
        "listen", "data_dir", "behind_proxy", "log_level", "service.name", "service.code", "prices.currency",
        "prices.snapshot_gib_hour", "collection.soft_depth", "deletion.keep_hours", "pools.name", "pools.kind",
        "pools.path", "pools.default", "pools.reserve", "pools.max_bytes",
        "pools.conf", "pools.user", "pools.pool", "pools.namespace",
    ]

    /// Reads a file.
    ///
    /// - Throws: ``SetupFault`` that names the file and the line.
    static func read(_ path: String) throws -> ConfigurationFile {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw SetupFault("There is no file \(path) that can be read; name it with --config, or leave the flag out.")
        }
        do {
            return try ConfigurationFile(String(decoding: data, as: UTF8.self))
        } catch let fault as SettingsText.Fault {
            throw SetupFault("\(path), \(fault)")
        }
    }

    /// - Throws: ``SettingsText/Fault``.
    init(_ text: String) throws {
        let written = try SettingsText(text)
        let settings = written.settings
        let reader = Reader(settings.filter { $0.element == nil })
        for setting in settings where !Self.keys.contains(setting.key) {
            let hint = NearMatches.hint(for: setting.key, among: Self.keys)
            let known = "The settings are \(Self.keys.joined(separator: ", "))"
            throw SettingsText.Fault(
                line: setting.line,
                reason: "there is no setting '\(setting.key)'. \(hint ?? known)"
            )
        }
        for element in written.elements where element.table != "pools" {
            throw SettingsText.Fault(
                line: element.line,
                reason: "[[\(element.table)]] is no list of settings; only [[pools]] is"
            )
        }
        if let setting = settings.first(where: { $0.element == nil && $0.key.hasPrefix("pools.") }) {
            throw SettingsText.Fault(
                line: setting.line,
                reason: "there can be several pools: write [[pools]] before each"
            )
        }
        listen = try reader.text("listen") { text in
            guard let address = ListenAddress(text) else {
                throw Refusal("'\(text)' is no HOST:PORT; try 127.0.0.1:8420")
            }
            return address
        }
        dataDirectory = try reader.text("data_dir") { text in
            guard !text.isEmpty else { throw Refusal("the folder has no name") }
            return text
        }
        isBehindProxy = try reader.flag("behind_proxy")
        logLevel = try reader.text("log_level") { text in
            guard let level = Logger.Level(rawValue: text) else {
                throw Refusal("'\(text)' is none of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return level
        }
        serviceName = try reader.text("service.name") { text in
            guard (1...64).contains(text.count) else { throw Refusal("the name has 1 to 64 characters") }
            return text
        }
        serviceCode = try reader.text("service.code") { text in
            let isAllowed = text.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || $0 == UInt8(ascii: "-")
            }
            guard isAllowed, (1...32).contains(text.utf8.count) else {
                throw Refusal("the code stands in addresses: 1 to 32 lower-case letters, digits and '-'")
            }
            return text
        }
        prices = try Self.prices(reader)
        softDepth = try reader.count("collection.soft_depth", within: Self.softDepths)
        destroyedLifetime = try reader.amount("deletion.keep_hours").map { hours in
            guard hours <= 8_760 else {
                throw SettingsText.Fault(
                    line: reader.line(of: "deletion.keep_hours"),
                    reason: "'deletion.keep_hours' is at most 8760, a year"
                )
            }
            return .seconds(hours * 3_600)
        }
        var folders: [String: PoolID] = [:]
        for element in written.elements {
            let reader = Reader(settings.filter { $0.element == element.number }, of: element.line)
            let pool = try PoolReader(reader: reader).pool()
            guard !pools.contains(where: { $0.name == pool.name }) else {
                throw SettingsText.Fault(
                    line: reader.line(of: "pools.name"),
                    reason: "there is a pool '\(pool.name)' already; choose another name"
                )
            }
            if pool.isDefault, let other = pools.first(where: \.isDefault) {
                throw SettingsText.Fault(
                    line: reader.line(of: "pools.default"),
                    reason: "the pool '\(other.name)' is the default already, and only one can be"
                )
            }
            // Two pools in one folder would take each other's layers for strangers.
            if case .qcow2(let path?) = pool.kind, let other = folders.updateValue(pool.name, forKey: path) {
                throw SettingsText.Fault(
                    line: reader.line(of: "pools.path"),
                    reason: "the pool '\(other)' is in this folder; give each pool its own"
                )
            }
            pools.append(pool)
        }
    }

    private static func prices(_ reader: Reader) throws -> ConsoleConfiguration.Prices? {
        let currency = try reader.text("prices.currency") { text in
            guard text.count == 3, text.utf8.allSatisfy({ (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }) else {
                throw Refusal("a currency is three capital letters, such as EUR")
            }
            return text
        }
        let price = try reader.amount("prices.snapshot_gib_hour")
        switch (currency, price) {
        case (let currency?, let price?):
            return ConsoleConfiguration.Prices(currency: currency, snapshotPerGibibyteHour: price)
        case (nil, nil): return nil
        default:
            throw SettingsText.Fault(
                line: reader.line(of: currency == nil ? "prices.snapshot_gib_hour" : "prices.currency"),
                reason: "prices need both a currency and snapshot_gib_hour"
            )
        }
    }
}

/// Reads one `[[pools]]`.
private struct PoolReader {
    private enum Kind: String, CaseIterable {
        case qcow2
        case rbd

        /// The settings that only this kind has.
        var keys: [String] {
            switch self {
            case .qcow2: ["pools.path"]
            case .rbd: ["pools.conf", "pools.user", "pools.pool", "pools.namespace"]
            }
        }
    }

    let reader: Reader

    func pool() throws -> PoolSetting {
        let name = try reader.text("pools.name") { text in
            guard let name = PoolID(text) else {
                throw Refusal("a pool's name is 1 to 32 lower-case letters, digits and '-'")
            }
            return name
        }
        guard let name else { throw reader.fault("this pool has no name; say name = \"…\"") }
        let kind = try reader.text("pools.kind") { text in
            guard let kind = Kind(rawValue: text) else {
                throw Refusal("'\(text)' is none of \(Kind.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return kind
        }
        guard let kind else { throw reader.fault("the pool '\(name)' has no kind; say kind = \"qcow2\" or \"rbd\"") }
        for other in Kind.allCases where other != kind {
            for key in other.keys where reader.has(key) {
                throw SettingsText.Fault(
                    line: reader.line(of: key),
                    reason:
                        "'\(key)' is for a pool of kind \"\(other.rawValue)\", and '\(name)' is \"\(kind.rawValue)\""
                )
            }
        }
        var pool =
            switch kind {
            case .qcow2: PoolSetting(name: name, kind: .qcow2(path: try path(of: name)))
            case .rbd: PoolSetting(name: name, kind: .rbd(try place(of: name)))
            }
        pool.isDefault = try reader.flag("pools.default") ?? false
        pool.reserve = try reader.size("pools.reserve")
        pool.limit = try reader.size("pools.max_bytes")
        return pool
    }

    private func place(of name: PoolID) throws -> ClusterPlace {
        guard name != .local else { throw reader.fault("the pool 'local' is a folder; give this one another name") }
        func word(_ key: String) throws -> String? {
            try reader.text(key) { text in
                // They stand in options of QEMU, and in names on the cluster.
                let isPlain = text.utf8.allSatisfy { byte in
                    let scalar = Unicode.Scalar(byte)
                    return scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                        || "-_.".unicodeScalars.contains(scalar)
                }
                guard !text.isEmpty, isPlain else {
                    throw Refusal("'\(key)' has letters, digits, '-', '_' and '.' only")
                }
                return text
            }
        }
        let conf = try reader.text("pools.conf") { text in
            guard text.hasPrefix("/") else {
                throw Refusal("the path of a cluster's conf is absolute: it begins with '/'")
            }
            return URL(fileURLWithPath: text).standardizedFileURL.path
        }
        guard let pool = try word("pools.pool") else {
            throw reader.fault("the pool '\(name)' does not say which pool of the cluster it is; say pool = \"…\"")
        }
        let user = try word("pools.user") ?? "admin"
        return ClusterPlace(
            conf: conf ?? "/etc/ceph/ceph.conf",
            user: user.hasPrefix("client.") ? String(user.dropFirst(7)) : user,
            pool: pool,
            namespace: try word("pools.namespace")
        )
    }

    private func path(of name: PoolID) throws -> String? {
        let path = try reader.text("pools.path") { text in
            guard text.hasPrefix("/") else { throw Refusal("the path of a pool is absolute: it begins with '/'") }
            return URL(fileURLWithPath: text).standardizedFileURL.path
        }
        guard path != nil || name == .local else {
            throw reader.fault("the pool '\(name)' has no path; say in which folder it is")
        }
        return path
    }
}

/// Why a value is not taken.
private struct Refusal: Error {
    let reason: String

    init(_ reason: String) {
        self.reason = reason
    }
}

/// Takes settings by their names and checks what they are.
private struct Reader {
    private let settings: [String: SettingsText.Setting]
    /// Where the table begins that they are in.
    private let start: Int

    init(_ settings: [SettingsText.Setting], of start: Int = 0) {
        self.start = start
        self.settings = Dictionary(settings.map { ($0.key, $0) }) { first, _ in first }
    }

    func has(_ key: String) -> Bool { settings[key] != nil }

    func line(of key: String) -> Int { settings[key]?.line ?? start }

    /// What is wrong with the table as a whole.
    func fault(_ reason: String) -> SettingsText.Fault { SettingsText.Fault(line: start, reason: reason) }

    func text<Value>(_ key: String, _ parse: (String) throws -> Value) throws -> Value? {
        guard let setting = settings[key] else { return nil }
        guard case .text(let text) = setting.value else { throw fault(setting, "'\(key)' is a text in quotes") }
        do {
            return try parse(text)
        } catch let refusal as Refusal {
            throw fault(setting, refusal.reason)
        }
    }

    func flag(_ key: String) throws -> Bool? {
        guard let setting = settings[key] else { return nil }
        guard case .flag(let flag) = setting.value else { throw fault(setting, "'\(key)' is true or false") }
        return flag
    }

    /// A number that is not negative.
    func amount(_ key: String) throws -> Double? {
        guard let setting = settings[key] else { return nil }
        let amount: Double? =
            switch setting.value {
            case .integer(let number): Double(number)
            case .decimal(let number): number
            case .text, .flag: nil
            }
        guard let amount, amount >= 0, amount.isFinite else {
            throw fault(setting, "'\(key)' is a number of at least 0, without quotes")
        }
        return amount
    }

    /// A whole number within bounds.
    func count(_ key: String, within bounds: ClosedRange<Int>) throws -> Int? {
        guard let setting = settings[key] else { return nil }
        guard case .integer(let number) = setting.value, let count = Int(exactly: number), bounds.contains(count) else {
            let range = "\(bounds.lowerBound) to \(bounds.upperBound)"
            throw fault(setting, "'\(key)' is a whole number from \(range), without quotes")
        }
        return count
    }

    /// A number of bytes, or a text such as `10 GiB`.
    func size(_ key: String) throws -> ByteCount? {
        guard let setting = settings[key] else { return nil }
        switch setting.value {
        case .integer(let bytes) where bytes >= 0: return ByteCount(Int64(bytes))
        case .text(let text):
            if let size = ByteCount(text: text) { return size }
        case .integer, .decimal, .flag: break
        }
        throw fault(setting, "'\(key)' is a number of bytes, or a text such as \"10 GiB\"")
    }

    private func fault(_ setting: SettingsText.Setting, _ reason: String) -> SettingsText.Fault {
        SettingsText.Fault(line: setting.line, reason: reason)
    }
}
