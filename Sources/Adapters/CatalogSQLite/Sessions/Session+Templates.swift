import GRDB
import SnapshotDomain
import SnapshotPorts

extension Session {
    func findTemplate(_ id: TemplateID) throws -> Template? {
        try run { try TemplateRecord.find($0, where: "id = ?", [id.stored])?.template }
    }

    func findTemplate(named name: ResourceName, in environment: EnvironmentID) throws -> Template? {
        try run {
            try TemplateRecord
                .find($0, where: "environment_id = ? AND name = ?", [environment.stored, name.description])?.template
        }
    }

    func copies(of template: TemplateID) throws -> [TemplateCopy] {
        try run {
            try TemplateCopyRecord.list($0, where: "template_id = ?", [template.stored], orderedBy: "pool").map(\.copy)
        }
    }

    func listTemplates(_ filter: TemplateFilter, order: ListOrder, page: PageRequest) throws -> CatalogPage<Template> {
        var query = ListQuery<TemplateRecord>()
        query.filter(
            filter.isOwn ? "environment_id = ?" : "(environment_id = ? OR is_public = 1)",
            filter.visibleIn.stored
        )
        query.filter(states: filter.states?.map(\.rawValue).sorted())
        query.filter(text: filter.text, in: "searchable(name)")
        return try run { try query.page($0, orderedBy: order.sql(), page).map(\.template) }
    }
}

extension WriteSession {
    func insert(_ template: Template) throws {
        try run { try TemplateRecord(template).insert(into: $0) }
    }

    func update(_ template: Template) throws {
        try run { try TemplateRecord(template).update(in: $0) }
    }

    func insert(_ copy: TemplateCopy) throws {
        try run { try TemplateCopyRecord(copy).insert(into: $0) }
    }

    func deleteCopy(of template: TemplateID, in pool: PoolID) throws {
        try run {
            try TemplateCopyRecord.delete(
                $0,
                where: "template_id = ? AND pool = ?",
                [template.stored, pool.description]
            )
        }
    }

    func deleteTemplate(_ id: TemplateID) throws {
        try run { try TemplateRecord.delete($0, where: "id = ?", [id.stored]) }
    }
}
