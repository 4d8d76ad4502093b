import CommandLine
import Foundation
import Logging
import Platform
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
    /// How many layers an active layer may stand on before the collector makes it independent.
    private(set) var softDepth: Int?

    /// Below the lower bound a disk would be copied after every few snapshots; the upper one is well short of the depth at which a
    /// snapshot is refused.
    private static let softDepths = 4...200

    /// How long what was destroyed can be recovered.
    private(set) var destroyedLifetime: Duration?

    private static let keys = [
        "listen", "data_dir", "behind_proxy", "log_level", "service.name", "service.code", "prices.currency",
        "prices.snapshot_gib_hour", "collection.soft_depth", "deletion.keep_hours",
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
        let settings = try SettingsText(text).settings
        let reader = Reader(settings)
        for setting in settings where !Self.keys.contains(setting.key) {
            let hint = NearMatches.hint(for: setting.key, among: Self.keys)
            let known = "The settings are \(Self.keys.joined(separator: ", "))"
            throw SettingsText.Fault(
                line: setting.line,
                reason: "there is no setting '\(setting.key)'. \(hint ?? known)"
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

    init(_ settings: [SettingsText.Setting]) {
        self.settings = Dictionary(settings.map { ($0.key, $0) }) { first, _ in first }
    }

    func line(of key: String) -> Int { settings[key]?.line ?? 0 }

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

    private func fault(_ setting: SettingsText.Setting, _ reason: String) -> SettingsText.Fault {
        SettingsText.Fault(line: setting.line, reason: reason)
    }
}
