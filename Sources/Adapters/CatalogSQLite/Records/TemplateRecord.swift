import GRDB
import SnapshotDomain

struct TemplateRecord: Record {
    static let table = "templates"

    let template: Template

    init(_ template: Template) {
        self.template = template
    }

    init(row: Row) throws {
        template = Template(
            id: try row.identifier("id"),
            environment: try row.identifier("environment_id"),
            name: try row.name("name"),
            description: try row.value("description"),
            pool: try row.pool(),
            layer: try row.identifier("layer_id"),
            size: try row.bytes("size"),
            options: TemplateOptions(
                osType: try row.value("os_type"),
                isSSHKeyEnabled: try row.value("is_ssh_key_enabled"),
                isPasswordEnabled: try row.value("is_password_enabled"),
                isDynamicallyScalable: try row.value("is_dynamically_scalable"),
                isPublic: try row.value("is_public")
            ),
            state: try row.resourceState(),
            createdAt: try row.instant("created_at")
        )
    }

    var columns: KeyValuePairs<String, (any DatabaseValueConvertible)?> {
        [
            "id": template.id.stored,
            "environment_id": template.environment.stored,
            "name": template.name.description,
            "description": template.description,
            "pool": template.pool.description,
            "layer_id": template.layer.stored,
            "size": template.size.bytes,
            "os_type": template.options.osType,
            "is_ssh_key_enabled": template.options.isSSHKeyEnabled,
            "is_password_enabled": template.options.isPasswordEnabled,
            "is_dynamically_scalable": template.options.isDynamicallyScalable,
            "is_public": template.options.isPublic,
            "state": template.state.word.rawValue,
            "job_id": template.state.job?.stored,
            "failure": template.state.failure,
            "created_at": template.createdAt.stored,
        ]
    }
}
