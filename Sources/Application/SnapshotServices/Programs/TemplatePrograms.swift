import Foundation
import SnapshotDomain
import SnapshotPorts

/// Makes a template of a snapshot: a second pin on its layer, or a full copy of its content.
struct CreateTemplate: JobProgram {
    static let kind = Job.Kind.createTemplate

    var template: TemplateID
    var snapshot: SnapshotID
    /// Set for a full copy.
    var copy: LayerID?

    var ownLayers: Set<LayerID> { Set([copy].compactMap { $0 }) }
    var isHeavy: Bool { copy != nil }

    func perform(_ work: JobWork) async throws -> ByteCount? {
        guard let copy else { return nil }
        let snapshot = try await work.snapshot(snapshot)
        return try await work.step("copy") {
            try await work.copyLayer(snapshot.layer, to: copy, size: snapshot.size, in: snapshot.pool)
            return try await work.allocated(copy, in: snapshot.pool)
        }
    }

    func finish(_ allocated: ByteCount?, _ writer: any CatalogWriter, _ work: JobWork) throws {
        if let copy, let allocated { try writer.finishLayer(copy, allocated: allocated) }
        try writer.finishTemplate(template, size: nil)
    }

    func undo(_ work: JobWork) async throws {
        guard let copy, let row = try await work.world.catalog.read({ try $0.findTemplate(template) }) else { return }
        try await work.world.store(row.pool).deleteLayer(copy)
    }

    func abandon(_ residue: Void?, because error: ServiceError, _ writer: any CatalogWriter, _ work: JobWork) throws {
        try writer.abandonTemplate(template, ownLayer: copy, isClean: residue != nil, because: error)
    }
}

/// Makes a template of a stranger's image: fetched if it is behind an address, inspected in confinement, then converted into a
/// fresh layer.
///
/// | step | after a crash here | repeat |
/// | --- | --- | --- |
/// | the rows and the job | a template that is being made, of nothing | goes on |
/// | *fetch* | a part of the image in the uploads, and a note of what of it is durable | goes on behind it if the source has the same image still, else begins again |
/// | *inspect* | the whole image, noted as such | asks no source again |
/// | *convert* | a half-made layer in `tmp/`, or the layer | sweeps it and converts again, or finds it |
/// | the rows and the outcome | an upload that no open job needs | swept at the next start |
///
/// A failed or cancelled one deletes the layer, the rows, and the upload with its note.
struct ImportTemplate: JobProgram {
    static let kind = Job.Kind.importTemplate

    var template: TemplateID
    var layer: LayerID
    var pool: PoolID
    var path: String
    var format: ImageFormat
    /// The file is ours, and goes when the job ends.
    var isUpload: Bool
    /// Where the file comes from, if the job has to fetch it.
    var origin: RemoteImage?

    var ownLayers: Set<LayerID> { [layer] }
    var ownPools: Set<PoolID> { [pool] }
    var ownUploads: Set<String> { isUpload ? [path] : [] }
    // What is fetched is converted in its slot for the network: one that it gave back in between would have to be waited for.
    var isHeavy: Bool { origin == nil }
    var usesNetwork: Bool { origin != nil }

    func perform(_ work: JobWork) async throws -> StoredLayer {
        let store = try work.world.store(pool)
        // A run whose answer was lost did it all.
        if let stored = try await store.findLayer(layer) { return stored }
        if let origin { try await work.step("fetch") { try await fetch(origin, work) } }
        let facts = try await work.step("inspect") { try await store.inspectImage(at: path, format: format) }
        try await work.requireRoom(facts.needed, in: pool)
        return try await work.step("convert") {
            try await store.importImage(at: path, format: format, to: layer, progress: work.progress)
            return try await work.storedLayer(layer, in: pool)
        }
    }

    private func fetch(_ origin: RemoteImage, _ work: JobWork) async throws {
        let settings = work.world.settings
        let room = try await work.world.room(in: pool)
        try await work.world.images.fetch(
            origin,
            to: path,
            within: FetchBounds(size: settings.largestImage, room: room),
            progress: work.progress
        )
    }

    func finish(_ stored: StoredLayer, _ writer: any CatalogWriter, _ work: JobWork) throws {
        if var row = try writer.findLayer(layer) {
            row.size = stored.size
            try writer.update(row)
        }
        try writer.finishLayer(layer, allocated: stored.allocated)
        try writer.finishTemplate(template, size: stored.size)
    }

    func undo(_ work: JobWork) async throws {
        try await work.world.store(pool).deleteLayer(layer)
    }

    func tidyUp(_ work: JobWork) async {
        if isUpload { await work.world.uploads.discard(path) }
    }

    func abandon(_ residue: Void?, because error: ServiceError, _ writer: any CatalogWriter, _ work: JobWork) throws {
        try writer.abandonTemplate(template, ownLayer: layer, isClean: residue != nil, because: error)
    }
}

/// Deletes a template.
///
/// What was deployed from it reads through its layer and keeps that alive.
struct DeleteTemplate: JobProgram {
    static let kind = Job.Kind.deleteTemplate

    var template: TemplateID

    var needsPools: Bool { false }

    func perform(_ work: JobWork) async throws {
        let template = template
        let layers = try await work.unpin { reader in
            Set(try reader.layers(of: template))
        } rows: { writer in
            try writer.deleteTemplate(template)
        }
        try await work.step("collect", evenCancelled: true) { await work.collect(around: layers) }
    }

    func abandon(_ residue: Void?, because error: ServiceError, _ writer: any CatalogWriter, _ work: JobWork) throws {
        guard var row = try writer.findTemplate(template), case .deleting = row.state else { return }
        row.state = .available
        try writer.update(row)
    }
}

extension CatalogWriter {
    fileprivate func finishTemplate(_ id: TemplateID, size: ByteCount?) throws {
        guard var row = try findTemplate(id) else { return }
        if case .creating = row.state { row.state = .available }
        row.size = size ?? row.size
        try update(row)
    }

    fileprivate func abandonTemplate(
        _ id: TemplateID,
        ownLayer: LayerID?,
        isClean: Bool,
        because error: ServiceError
    ) throws {
        if isClean {
            try deleteTemplate(id)
            if let ownLayer { try deleteLayer(ownLayer) }
        } else if var row = try findTemplate(id) {
            row.state = .failed(reason: error.message)
            try update(row)
        }
    }
}
