import Foundation
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// The page of one template.
enum TemplateDetail {
    struct DetailPage: PageValue {
        let head: DetailHead
        let facts: [Fact]
        let options: [Fact]
        let deploy: Link?
        let dependents: [HistoryName]
        /// Those that are not named: too many, or out of the visitor's sight.
        let others: String?
        let isFree: Bool
    }

    /// The things that stand on it and are named: there can be thousands.
    private static let mostNamed = 50

    static func show(_ visit: Visit) async throws -> Response {
        let place = try await visit.place()
        let id: TemplateID = try visit.id(of: "templates")
        let view = try await visit.cloud.template(id, in: place.id, visit.caller)
        let environments = try await visit.environments()
        let template = view.template
        let named = view.dependents.prefix(mostNamed)
        let page = DetailPage(
            head: DetailHead(
                list: Link(visit.texts("tab.templates"), place.address("templates")),
                name: template.name.description,
                text: template.description.isEmpty ? nil : template.description,
                state: Badge(view, visit),
                menu: TemplateRow.menu(view, place, visit)
            ),
            facts: facts(view, place, visit),
            options: options(template.options, visit),
            deploy: view.shownState == .ready && place.may(.create)
                ? Link(visit.texts("action.deploy"), place.address("instances", "new") + "?template=\(id)") : nil,
            dependents: named.map { HistoryName($0, environments, place, visit) },
            others: view.dependentCount > named.count
                ? visit.texts.count("template.other_dependents", view.dependentCount - named.count) : nil,
            isFree: view.dependentCount == 0
        )
        return try await visit.page(
            "template",
            page,
            Visit.Setting(
                title: page.head.name,
                place: place,
                tab: .templates,
                isBusy: page.head.state.isBusy,
                commandLine: "template show \(id)",
                apiCall: ("GET", "/templates/\(id)")
            )
        )
    }

    private static func facts(_ view: TemplateView, _ place: Place, _ visit: Visit) -> [Fact] {
        let (texts, formats) = (visit.texts, visit.formats)
        return [
            Fact(texts("volume.size"), formats.size(view.template.size)),
            Fact(texts("volume.space"), formats.size(view.space.exclusive)),
            Fact(texts("volume.shared_space"), formats.size(view.space.shared)),
            Fact(texts("pool.pool"), view.pools.map(\.description).joined(separator: ", ")),
            Fact(texts("template.public"), TemplateRow.sharing(view.template, place, visit)),
            Fact(texts("list.created"), Moment(view.template.createdAt, visit)),
        ]
    }

    private static func options(_ options: TemplateOptions, _ visit: Visit) -> [Fact] {
        let texts = visit.texts
        func answer(_ flag: Bool) -> String { texts(flag ? "list.yes" : "list.no") }
        return [
            Fact(texts("template.os"), OSType.all.first { $0.id == options.osType }?.name ?? options.osType),
            Fact(texts("template.supports_ssh_key"), answer(options.isSSHKeyEnabled)),
            Fact(texts("template.supports_password"), answer(options.isPasswordEnabled)),
            Fact(texts("template.supports_scaling"), answer(options.isDynamicallyScalable)),
        ]
    }
}
