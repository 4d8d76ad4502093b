import Glibc

/// The functions of librados and librbd that we call, found by name when the first pool of a cluster is opened.
///
/// Nothing of Ceph is needed to build the service, nor to run it without such a pool (`docs/decisions/0011`). The price is
/// this list: the compiler cannot compare it with Ceph's headers, so the store's contract runs on a real cluster. `void *` handles
/// are `UnsafeMutableRawPointer`; ``Cluster``, ``ClusterPool`` and ``Image`` keep them apart.
struct CephLibrary: Sendable {
    typealias Handle = UnsafeMutableRawPointer
    typealias Text = UnsafePointer<CChar>
    typealias Buffer = UnsafeMutablePointer<CChar>
    typealias Out<Value> = UnsafeMutablePointer<Value>
    typealias Texts = UnsafePointer<Text?>
    typealias Progress = @convention(c) (UInt64, UInt64, Handle?) -> CInt
    typealias DiffSink = @convention(c) (UInt64, Int, CInt, Handle?) -> CInt

    // Cluster
    let create: @convention(c) (Out<Handle?>, Text, Text, UInt64) -> CInt
    let readConfiguration: @convention(c) (Handle, Text) -> CInt
    let set: @convention(c) (Handle, Text, Text) -> CInt
    let connect: @convention(c) (Handle) -> CInt
    let shutDown: @convention(c) (Handle) -> Void
    let addresses: @convention(c) (Handle, Out<Buffer?>) -> CInt
    let blocklist: @convention(c) (Handle, Buffer, UInt32) -> CInt
    let monitorCommand:
        @convention(c) (
            Handle, Texts, Int, Text?, Int, Out<Buffer?>, Out<Int>, Out<Buffer?>?, Out<Int>?
        ) -> CInt
    let free: @convention(c) (Buffer?) -> Void

    // Pool
    let openPool: @convention(c) (Handle, Text, Out<Handle?>) -> CInt
    let closePool: @convention(c) (Handle) -> Void
    let setNamespace: @convention(c) (Handle, Text) -> Void
    let notify: @convention(c) (Handle, Text, Text?, CInt, UInt64, Out<Buffer?>, Out<Int>) -> CInt

    // Sorted maps of objects
    let makeWrite: @convention(c) () -> Handle?
    let dropWrite: @convention(c) (Handle) -> Void
    let write: @convention(c) (Handle, Handle, Text, Handle?, CInt) -> CInt
    let setKeys: @convention(c) (Handle, Texts, Texts, UnsafePointer<Int>, Int) -> Void
    let removeKeys: @convention(c) (Handle, Texts, Int) -> Void
    let makeRead: @convention(c) () -> Handle?
    let dropRead: @convention(c) (Handle) -> Void
    let read: @convention(c) (Handle, Handle, Text, CInt) -> CInt
    let getValues: @convention(c) (Handle, Text, Text, UInt64, Out<Handle?>, Out<UInt8>, Out<CInt>) -> Void
    let nextValue: @convention(c) (Handle, Out<Buffer?>, Out<Buffer?>, Out<Int>) -> CInt
    let endValues: @convention(c) (Handle) -> Void

    // Images
    let makeOptions: @convention(c) (Out<Handle?>) -> Void
    let dropOptions: @convention(c) (Handle) -> Void
    let setOption: @convention(c) (Handle, CInt, UInt64) -> CInt
    let createImage: @convention(c) (Handle, Text, UInt64, Handle) -> CInt
    let cloneImage: @convention(c) (Handle, Text, Text, Handle, Text, Handle) -> CInt
    let removeImage: @convention(c) (Handle, Text) -> CInt
    let renameImage: @convention(c) (Handle, Text, Text) -> CInt
    let listImages: @convention(c) (Handle, Handle?, Out<Int>) -> CInt
    let dropImageList: @convention(c) (Handle?, Int) -> Void
    let openImage: @convention(c) (Handle, Text, Out<Handle?>, Text?) -> CInt
    let openImageReadOnly: @convention(c) (Handle, Text, Out<Handle?>, Text?) -> CInt
    let closeImage: @convention(c) (Handle) -> CInt
    let imageSize: @convention(c) (Handle, Out<UInt64>) -> CInt
    let imageID: @convention(c) (Handle, Buffer, Int) -> CInt
    let parent: @convention(c) (Handle, Handle, Handle) -> CInt
    let dropLinkedImage: @convention(c) (Handle) -> Void
    let dropSnapshotSpec: @convention(c) (Handle) -> Void
    let resize: @convention(c) (Handle, UInt64) -> CInt
    let flatten: @convention(c) (Handle, Progress, Handle?) -> CInt
    let listSnapshots: @convention(c) (Handle, Handle, Out<CInt>) -> CInt
    let endSnapshots: @convention(c) (Handle) -> Void
    let createSnapshot: @convention(c) (Handle, Text) -> CInt
    let removeSnapshot: @convention(c) (Handle, Text) -> CInt
    let rollBack: @convention(c) (Handle, Text) -> CInt
    let listChildren: @convention(c) (Handle, Handle?, Out<Int>) -> CInt
    let dropChildren: @convention(c) (Handle?, Int) -> Void
    let diff: @convention(c) (Handle, Text?, UInt64, UInt64, UInt8, UInt8, DiffSink, Handle?) -> CInt
    let readBytes: @convention(c) (Handle, UInt64, Int, Buffer, CInt) -> Int
    let writeBytes: @convention(c) (Handle, UInt64, Int, Text, CInt) -> Int
    let flush: @convention(c) (Handle) -> CInt
    let listWatchers: @convention(c) (Handle, Handle?, Out<Int>) -> CInt
    let dropWatchers: @convention(c) (Handle?, Int) -> Void
    let lockOwners: @convention(c) (Handle, Out<CInt>, Out<Buffer?>, Out<Int>) -> CInt
    let dropLockOwners: @convention(c) (Out<Buffer?>, Int) -> Void
    let breakLock: @convention(c) (Handle, CInt, Text) -> CInt

    /// Loaded once for the process, and never unloaded: the libraries have threads.
    static let shared = Result { () throws(CephFault) in try CephLibrary() }

    private init() throws(CephFault) {
        let rados = try Self.load(["librados.so.2"], package: "librados2")
        let rbd = try Self.load(["librbd.so.1"], package: "librbd1")
        create = try rados.function("rados_create2")
        readConfiguration = try rados.function("rados_conf_read_file")
        set = try rados.function("rados_conf_set")
        connect = try rados.function("rados_connect")
        shutDown = try rados.function("rados_shutdown")
        addresses = try rados.function("rados_getaddrs")
        blocklist = try rados.function("rados_blocklist_add", or: "rados_blacklist_add")
        monitorCommand = try rados.function("rados_mon_command")
        free = try rados.function("rados_buffer_free")
        openPool = try rados.function("rados_ioctx_create")
        closePool = try rados.function("rados_ioctx_destroy")
        setNamespace = try rados.function("rados_ioctx_set_namespace")
        notify = try rados.function("rados_notify2")
        makeWrite = try rados.function("rados_create_write_op")
        dropWrite = try rados.function("rados_release_write_op")
        write = try rados.function("rados_write_op_operate")
        setKeys = try rados.function("rados_write_op_omap_set")
        removeKeys = try rados.function("rados_write_op_omap_rm_keys")
        makeRead = try rados.function("rados_create_read_op")
        dropRead = try rados.function("rados_release_read_op")
        read = try rados.function("rados_read_op_operate")
        getValues = try rados.function("rados_read_op_omap_get_vals2")
        nextValue = try rados.function("rados_omap_get_next")
        endValues = try rados.function("rados_omap_get_end")
        makeOptions = try rbd.function("rbd_image_options_create")
        dropOptions = try rbd.function("rbd_image_options_destroy")
        setOption = try rbd.function("rbd_image_options_set_uint64")
        createImage = try rbd.function("rbd_create4")
        cloneImage = try rbd.function("rbd_clone3")
        removeImage = try rbd.function("rbd_remove")
        renameImage = try rbd.function("rbd_rename")
        listImages = try rbd.function("rbd_list2")
        dropImageList = try rbd.function("rbd_image_spec_list_cleanup")
        openImage = try rbd.function("rbd_open")
        openImageReadOnly = try rbd.function("rbd_open_read_only")
        closeImage = try rbd.function("rbd_close")
        imageSize = try rbd.function("rbd_get_size")
        imageID = try rbd.function("rbd_get_id")
        parent = try rbd.function("rbd_get_parent")
        dropLinkedImage = try rbd.function("rbd_linked_image_spec_cleanup")
        dropSnapshotSpec = try rbd.function("rbd_snap_spec_cleanup")
        resize = try rbd.function("rbd_resize")
        flatten = try rbd.function("rbd_flatten_with_progress")
        listSnapshots = try rbd.function("rbd_snap_list")
        endSnapshots = try rbd.function("rbd_snap_list_end")
        createSnapshot = try rbd.function("rbd_snap_create")
        removeSnapshot = try rbd.function("rbd_snap_remove")
        rollBack = try rbd.function("rbd_snap_rollback")
        listChildren = try rbd.function("rbd_list_children3")
        dropChildren = try rbd.function("rbd_linked_image_spec_list_cleanup")
        diff = try rbd.function("rbd_diff_iterate2")
        readBytes = try rbd.function("rbd_read2")
        writeBytes = try rbd.function("rbd_write2")
        flush = try rbd.function("rbd_flush")
        listWatchers = try rbd.function("rbd_watchers_list")
        dropWatchers = try rbd.function("rbd_watchers_list_cleanup")
        lockOwners = try rbd.function("rbd_lock_get_owners")
        dropLockOwners = try rbd.function("rbd_lock_get_owners_cleanup")
        breakLock = try rbd.function("rbd_lock_break")
    }

    /// A library that is open.
    private struct Loaded {
        let name: String
        let handle: Handle

        func function<Function>(_ name: String, or older: String? = nil) throws(CephFault) -> Function {
            if let found = dlsym(handle, name) ?? older.flatMap({ dlsym(handle, $0) }) {
                return unsafeBitCast(found, to: Function.self)
            }
            throw CephFault(
                errno: 0,
                call: "dlsym",
                message:
                    "\(self.name) has no function \(name): it is older than Ceph 16, which is the oldest that works"
            )
        }
    }

    private static func load(_ names: [String], package: String) throws(CephFault) -> Loaded {
        for name in names {
            if let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL) { return Loaded(name: name, handle: handle) }
        }
        let reason = dlerror().map { String(cString: $0) } ?? "unknown"
        throw CephFault(
            errno: 0,
            call: "dlopen",
            message: "the package \(package) is missing; install it on the service's machine (\(reason))"
        )
    }
}

extension CephLibrary {
    /// Runs one call, whose negative answer is an error number.
    @discardableResult
    static func check(_ call: @autoclosure () -> String, _ answer: CInt) throws(CephFault) -> CInt {
        guard answer >= 0 else {
            throw CephFault(errno: -answer, call: call(), message: String(cString: strerror(-answer)))
        }
        return answer
    }
}
