import SnapshotDomain
import SnapshotServices

/// Where a pool of a Ceph cluster is.
struct ClusterPlace: Hashable, Sendable, CustomStringConvertible {
    /// The path of the cluster's configuration file.
    var conf: String
    /// Without `client.`.
    var user: String
    var pool: String
    var namespace: String?

    var description: String {
        "\(pool)\(namespace.map { "/\($0)" } ?? "") as client.\(user), by \(conf)"
    }
}

/// One `[[pools]]` of the configuration.
struct PoolSetting: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// Nil for the folder that the data folder has for it.
        case qcow2(path: String?)
        case rbd(ClusterPlace)
    }

    var name: PoolID
    var kind: Kind
    var isDefault = false
    var reserve: ByteCount?
    var limit: ByteCount?

    /// The pool that there is without any configuration.
    static let local = PoolSetting(name: .local, kind: .qcow2(path: nil))

    func profile(in directory: DataDirectory) -> PoolProfile {
        let (kind, place) =
            switch kind {
            case .qcow2(let path): ("qcow2", path ?? directory.pool(name))
            case .rbd(let place): ("rbd", place.description)
            }
        return PoolProfile(name, kind: kind, place: place, isDefault: isDefault, reserve: reserve, limit: limit)
    }
}

extension ByteCount {
    /// Reads a size as people write it: `10 GiB`, `512MiB`.
    init?(text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        let shifts = ["B": 0, "KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40]
        guard let number = Int64(digits), let shift = shifts[String(unit)], number <= Int64.max >> shift else {
            return nil
        }
        self.init(number << shift)
    }
}
