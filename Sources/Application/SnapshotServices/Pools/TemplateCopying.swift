import SnapshotDomain
import SnapshotPorts

/// Copies of templates in other pools than their own: made with the first deployment there, used by all later ones.
///
/// The copy's layer is pinned by the template from before it is made, so it is kept, counted and collected with it.
struct TemplateCopyPlan: Codable, Hashable, Sendable {
    var template: TemplateID
    var source: LayerID
    var from: PoolID
    var layer: LayerID
    var pool: PoolID
}

extension CatalogWriter {
    /// The layer of a template in a pool, and how it gets there if it has yet to.
    ///
    /// A copy that another deployment is making is made by whoever comes first.
    func layer(
        of template: Template,
        in pool: PoolID
    ) throws -> (layer: LayerID, plan: TemplateCopyPlan?) {
        guard template.pool != pool else { return (template.layer, nil) }
        let id: LayerID
        if let copy = try copies(of: template.id).first(where: { $0.pool == pool }) {
            id = copy.layer
            if try findLayer(id)?.phase == .ready { return (id, nil) }
        } else {
            id = .random()
            try insert(
                Layer(id: id, pool: pool, parent: nil, size: template.size, allocated: .zero, phase: .building)
            )
            try insert(TemplateCopy(template: template.id, pool: pool, layer: id))
        }
        let plan = TemplateCopyPlan(
            template: template.id,
            source: template.layer,
            from: template.pool,
            layer: id,
            pool: pool
        )
        return (id, plan)
    }

    /// Forgets a copy that was not made, unless another job is about to make it.
    func abandon(_ plan: TemplateCopyPlan, of job: JobID) throws {
        guard try findLayer(plan.layer)?.phase == .building, try !isWanted(plan.layer, beside: job) else { return }
        try deleteCopy(of: plan.template, in: plan.pool)
        try deleteLayer(plan.layer)
    }
}

extension CatalogReader {
    /// Every layer that a template pins.
    func layers(of template: TemplateID) throws -> [LayerID] {
        guard let row = try findTemplate(template) else { return [] }
        return try [row.layer] + copies(of: template).map(\.layer)
    }

    fileprivate func isWanted(_ layer: LayerID, beside job: JobID) throws -> Bool {
        try openJobs().contains { other in
            guard other.id != job, other.kind == .deployInstances else { return false }
            return try ProgramRegistry.program(of: other).ownLayers.contains(layer)
        }
    }
}

extension JobWork {
    /// Makes the copy of a template, or waits until another deployment has made it.
    func ensure(_ plan: TemplateCopyPlan) async throws {
        try await world.copyTurns.alone(on: plan.layer) {
            guard try await world.catalog.read({ try $0.findLayer(plan.layer)?.phase }) != .ready else { return }
            try await step("copy") {
                try await transfer(plan.source, from: plan.from, to: plan.layer, in: plan.pool)
                let stored = try await storedLayer(plan.layer, in: plan.pool)
                try await world.catalog.write { writer in
                    guard var row = try writer.findLayer(plan.layer) else { return }
                    row.size = stored.size
                    try writer.update(row)
                    try writer.finishLayer(plan.layer, allocated: stored.allocated)
                }
            }
            world.ledger.invalidate()
            world.feed.publish([.template(plan.template)], in: job.environment)
        }
    }

    /// Takes back a copy that was not made to its end, unless another job needs it.
    func takeBack(_ plan: TemplateCopyPlan) async throws {
        try await world.copyTurns.alone(on: plan.layer) {
            let isLeft = try await world.catalog.read { [id = job.id] reader in
                guard try reader.findLayer(plan.layer)?.phase == .building else { return false }
                return try !reader.isWanted(plan.layer, beside: id)
            }
            if isLeft { try await world.store(plan.pool).deleteLayer(plan.layer) }
        }
    }
}
