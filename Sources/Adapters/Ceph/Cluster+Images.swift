import Glibc

/// Making, finding and removing images. All of these block.
extension Cluster {
    /// Layering, exclusive lock, object map, fast diff, deep flatten: what a cluster gives an image by itself.
    private static let features: UInt64 = 1 << 0 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5
    /// `RBD_IMAGE_OPTION_FEATURES` and `RBD_IMAGE_OPTION_CLONE_FORMAT` of `librbd.h`.
    private static let featuresOption: CInt = 1
    private static let cloneFormatOption: CInt = 12

    package func createImage(_ name: String, sizeBytes: Int64) throws(CephFault) {
        try withOptions { options in
            library.createImage(pool, name, UInt64(sizeBytes), options)
        } named: {
            "creating the image \(name)"
        }
    }

    /// Makes an image that shows another one's snapshot.
    ///
    /// Says explicitly which kind of clone it wants: only the second kind needs no protected snapshot.
    package func clone(_ parent: String, snapshot: String, to name: String) throws(CephFault) {
        try withOptions(cloneFormat: 2) { options in
            library.cloneImage(pool, parent, snapshot, pool, name, options)
        } named: {
            "cloning \(parent)@\(snapshot) to \(name)"
        }
    }

    private func withOptions(
        cloneFormat: UInt64? = nil,
        _ call: (UnsafeMutableRawPointer) -> CInt,
        named what: () -> String
    ) throws(CephFault) {
        var options: UnsafeMutableRawPointer?
        library.makeOptions(&options)
        guard let options else { throw CephFault(errno: ENOMEM, call: what()) }
        defer { library.dropOptions(options) }
        try CephLibrary.check(what(), library.setOption(options, Self.featuresOption, Self.features))
        if let cloneFormat {
            // Refused where nothing is cloned.
            try CephLibrary.check(what(), library.setOption(options, Self.cloneFormatOption, cloneFormat))
        }
        try CephLibrary.check(what(), call(options))
    }

    /// Removes an image that has no snapshots and that nobody has open.
    package func removeImage(_ name: String) throws(CephFault) {
        try CephLibrary.check("removing the image \(name)", library.removeImage(pool, name))
    }

    package func renameImage(_ name: String, to other: String) throws(CephFault) {
        try CephLibrary.check("renaming the image \(name)", library.renameImage(pool, name, other))
    }

    /// The names of all images.
    package func imageNames() throws(CephFault) -> [String] {
        // `rbd_image_spec_t`: the pointers to an image's internal number and to its name.
        typealias Spec = (id: UnsafeMutablePointer<CChar>?, name: UnsafeMutablePointer<CChar>?)
        var room = 64
        while true {
            let specs = UnsafeMutablePointer<Spec>.allocate(capacity: room)
            specs.initialize(repeating: (nil, nil), count: room)
            defer { specs.deallocate() }
            var count = room
            let code = library.listImages(pool, UnsafeMutableRawPointer(specs), &count)
            if code == -ERANGE {
                room = max(count, room * 2)
                continue
            }
            try CephLibrary.check("listing the images", code)
            defer { library.dropImageList(UnsafeMutableRawPointer(specs), count) }
            return (0..<count).compactMap { specs[$0].name.map { String(cString: $0) } }
        }
    }

    /// Runs a body with an image open, and closes it whatever happens: no handle outlives its operation.
    ///
    /// - Parameters:
    ///   - name: The image.
    ///   - snapshot: Shows the image as it was then, for reading only.
    ///   - isReadOnly: Watches and locks nothing: does not see what others change meanwhile, and disturbs nobody.
    ///   - body: The work.
    /// - Returns: What `body` returned.
    /// - Throws: ``CephFault`` with 2 when there is no such image or snapshot, or what `body` throws.
    package func withImage<Value>(
        _ name: String,
        snapshot: String? = nil,
        isReadOnly: Bool,
        _ body: (Image) throws -> Value
    ) throws -> Value {
        var handle: UnsafeMutableRawPointer?
        let open = isReadOnly || snapshot != nil ? library.openImageReadOnly : library.openImage
        let code =
            if let snapshot { snapshot.withCString { open(pool, name, &handle, $0) } } else {
                open(pool, name, &handle, nil)
            }
        try CephLibrary.check("opening the image \(name)", code)
        guard let handle else { throw CephFault(errno: ENOMEM, call: "opening the image \(name)") }
        defer { _ = library.closeImage(handle) }
        return try body(Image(name: name, handle: handle, library: library))
    }
}
