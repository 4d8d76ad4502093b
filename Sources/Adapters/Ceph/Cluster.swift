package import Foundation
import Glibc

/// How to reach a cluster.
package struct ClusterAddress: Hashable, Sendable {
    /// The absolute path of the configuration file, which names the monitors and the user's keyring.
    package var configuration: String
    /// The user's name without `client.`.
    package var user: String
    /// The name of the pool in the cluster.
    package var pool: String
    /// A namespace of the pool; nil for none.
    package var namespace: String?

    package init(configuration: String, user: String, pool: String, namespace: String? = nil) {
        self.configuration = configuration
        self.user = user
        self.pool = pool
        self.namespace = namespace
    }
}

/// How long the cluster may be silent before a call gives up.
///
/// Set on this connection only. In the file that machines use too, a guest would see an I/O error where it would have waited.
package struct ClusterPatience: Hashable, Sendable {
    package var connectSeconds: Int
    package var monitorSeconds: Int
    package var storageSeconds: Int

    package init(connectSeconds: Int = 5, monitorSeconds: Int = 10, storageSeconds: Int = 15) {
        self.connectSeconds = connectSeconds
        self.monitorSeconds = monitorSeconds
        self.storageSeconds = storageSeconds
    }
}

/// A connection to one pool of a cluster.
///
/// Every function blocks as long as the cluster is silent, up to its patience: call them on threads of your own.
///
/// The handles are thread-safe by librados' contract, set once and closed at the end: so `@unchecked Sendable` holds.
package final class Cluster: @unchecked Sendable {
    package let address: ClusterAddress
    let library: CephLibrary
    let handle: UnsafeMutableRawPointer
    let pool: UnsafeMutableRawPointer

    /// Connects, and opens the pool.
    ///
    /// Blocks for the patience at most.
    ///
    /// - Throws: ``CephFault``: 110 when nobody answers, 1, 13 or 22 for a user that the cluster does not know or who may
    ///   not, 2 for a missing file or pool, 0 without the libraries.
    package init(_ address: ClusterAddress, patience: ClusterPatience) throws(CephFault) {
        self.address = address
        let library = try CephLibrary.shared.get()
        self.library = library
        var cluster: UnsafeMutableRawPointer?
        try CephLibrary.check("rados_create", library.create(&cluster, "ceph", "client.\(address.user)", 0))
        guard let cluster else { throw CephFault(errno: ENOMEM, call: "rados_create") }
        var pool: UnsafeMutableRawPointer?
        do {
            try CephLibrary.check(
                "reading \(address.configuration)",
                library.readConfiguration(cluster, address.configuration)
            )
            let options = [
                "client_mount_timeout": "\(patience.connectSeconds)",
                "rados_mon_op_timeout": "\(patience.monitorSeconds)",
                "rados_osd_op_timeout": "\(patience.storageSeconds)",
                // Whoever has the image next need not wait for what we keep in memory.
                "rbd_cache": "false",
            ]
            for (name, value) in options.sorted(by: { $0.key < $1.key }) {
                try CephLibrary.check("setting \(name)", library.set(cluster, name, value))
            }
            try CephLibrary.check("connecting as client.\(address.user)", library.connect(cluster))
            try CephLibrary.check("opening the pool \(address.pool)", library.openPool(cluster, address.pool, &pool))
        } catch {
            library.shutDown(cluster)
            throw error
        }
        guard let pool else {
            library.shutDown(cluster)
            throw CephFault(errno: ENOMEM, call: "rados_ioctx_create")
        }
        if let namespace = address.namespace { library.setNamespace(pool, namespace) }
        handle = cluster
        self.pool = pool
    }

    deinit {
        library.closePool(pool)
        library.shutDown(handle)
    }

    /// The addresses under which the cluster knows this connection.
    package func ownAddresses() throws(CephFault) -> String {
        var text: UnsafeMutablePointer<CChar>?
        try CephLibrary.check("rados_getaddrs", library.addresses(handle, &text))
        defer { Glibc.free(text) }
        return text.map { String(cString: $0) } ?? ""
    }

    /// Cuts a client off for an hour: what it still sends is refused, and what it watches and locks is free.
    package func shutOut(_ client: String) throws(CephFault) {
        var text = Array(client.utf8CString)
        try CephLibrary.check("shutting out \(client)", library.blocklist(handle, &text, 3_600))
    }

    /// Asks the monitors, in JSON.
    package func ask(_ command: String) throws(CephFault) -> Data {
        var answer: UnsafeMutablePointer<CChar>?
        var length = 0
        let code = command.withCString { text in
            withUnsafePointer(to: Optional(text)) { texts in
                library.monitorCommand(handle, texts, 1, nil, 0, &answer, &length, nil, nil)
            }
        }
        defer { library.free(answer) }
        try CephLibrary.check("asking the monitors", code)
        return answer.map { Data(bytes: $0, count: length) } ?? Data()
    }

    /// Whether everybody who watches an object answers within a time.
    package func watchersAnswer(object: String, withinMilliseconds limit: UInt64) throws(CephFault) -> Bool {
        var reply: UnsafeMutablePointer<CChar>?
        var length = 0
        let code = library.notify(pool, object, nil, 0, limit, &reply, &length)
        defer { library.free(reply) }
        if code == -ETIMEDOUT { return false }
        try CephLibrary.check("asking who watches \(object)", code)
        return true
    }

    // MARK: Sorted maps

    /// Sets and removes keys of an object's map, all or none, durably; makes the object if need be.
    package func change(
        _ object: String,
        set values: [String: String],
        remove keys: [String]
    ) throws(CephFault) {
        guard let operation = library.makeWrite() else { throw CephFault(errno: ENOMEM, call: "rados_create_write_op") }
        defer { library.dropWrite(operation) }
        let pairs = values.sorted { $0.key < $1.key }
        let code = withCStrings(pairs.map(\.key)) { names in
            withCStrings(pairs.map(\.value)) { contents in
                withCStrings(keys) { gone in
                    if !pairs.isEmpty {
                        let lengths = pairs.map { $0.value.utf8.count }
                        library.setKeys(operation, names, contents, lengths, pairs.count)
                    }
                    if !keys.isEmpty { library.removeKeys(operation, gone, keys.count) }
                    return library.write(operation, pool, object, nil, 0)
                }
            }
        }
        try CephLibrary.check("writing \(object)", code)
    }

    /// All of an object's map; empty when there is no such object.
    package func values(of object: String) throws(CephFault) -> [String: String] {
        var found: [String: String] = [:]
        var last = ""
        while true {
            guard let operation = library.makeRead() else {
                throw CephFault(errno: ENOMEM, call: "rados_create_read_op")
            }
            defer { library.dropRead(operation) }
            var (iterator, more, code) = (UnsafeMutableRawPointer?.none, UInt8(0), CInt(0))
            // The pointers are written when the operation is carried out.
            let answer = withUnsafeMutablePointer(to: &iterator) { iterator in
                withUnsafeMutablePointer(to: &more) { more in
                    withUnsafeMutablePointer(to: &code) { code in
                        library.getValues(operation, last, "", 1_000, iterator, more, code)
                        return library.read(operation, pool, object, 0)
                    }
                }
            }
            defer { if let iterator { library.endValues(iterator) } }
            if answer == -ENOENT || code == -ENOENT { return found }
            try CephLibrary.check("reading \(object)", answer)
            try CephLibrary.check("reading \(object)", code)
            guard let iterator else { return found }
            while true {
                var (key, value, length) = (UnsafeMutablePointer<CChar>?.none, UnsafeMutablePointer<CChar>?.none, 0)
                try CephLibrary.check("reading \(object)", library.nextValue(iterator, &key, &value, &length))
                guard let key else { break }
                last = String(cString: key)
                let bytes = UnsafeRawBufferPointer(start: value, count: length)
                found[last] = String(decoding: bytes, as: UTF8.self)
            }
            guard more != 0 else { return found }
        }
    }
}

/// Lends an array of C strings.
private func withCStrings<Value>(
    _ texts: [String],
    _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Value
) -> Value {
    let copies = texts.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return (copies.map { UnsafePointer($0) } + [nil]).withUnsafeBufferPointer { pointers in
        // Never empty: a nil stands at the end.
        pointers.baseAddress.map(body) ?? body(UnsafePointer(bitPattern: 8).unsafelyUnwrapped)
    }
}
