import Foundation
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// The page of one volume: what it is, its latest snapshots, and its history.
enum VolumeDetail {
    struct DetailPage: PageValue {
        let head: DetailHead
        let facts: [Fact]
        let undos: [UndoBar]
        /// That its chain stays too long, and what to do.
        let depthWarning: String?
        let snapshots: [SnapshotLine]
        /// How many there are, and where.
        let allSnapshots: Link?
        let take: Link?
        let history: HistoryTree?
    }

    /// A snapshot in short.
    struct SnapshotLine: PageValue {
        let name: String
        let address: String
        let state: Badge
        let created: Moment
    }

    /// The snapshots that the page itself shows.
    private static let latest = 5

    static func show(_ visit: Visit) async throws -> Response {
        let place = try await visit.place()
        let id: VolumeID = try visit.id(of: "volumes")
        let view = try await visit.cloud.volume(id, in: place.id, visit.caller)
        let nodes = try await visit.cloud.tree(of: id, in: place.id, visit.caller)
        let snapshots = try await visit.cloud.listSnapshots(
            SnapshotFilter(environment: place.id, volume: id),
            order: .newestFirst,
            page: PageRequest(limit: latest),
            visit.caller
        )
        let texts = visit.texts
        let name = view.volume.name.description
        let lines = snapshots.rows.map { row in
            SnapshotLine(
                name: row.snapshot.name.description,
                address: place.address("snapshots", row.snapshot.id.description),
                state: Badge(row, visit),
                created: Moment(row.snapshot.createdAt, visit)
            )
        }
        let canTake = place.may(.create) && view.volume.state == .available
        let page = DetailPage(
            head: DetailHead(
                list: Link(texts("tab.volumes"), place.address("volumes")),
                name: name,
                state: Badge(view, visit),
                menu: try await menu(view, place, visit)
            ),
            facts: try await facts(view, nodes, place, visit),
            undos: UndoBar(view, place, visit).map { [$0] } ?? [],
            depthWarning: view.chain.missingRoom.map {
                texts("volume.too_deep", ["missing": visit.formats.size($0)])
            },
            snapshots: lines,
            allSnapshots: lines.isEmpty
                ? nil
                : Link(
                    texts.count("volume.all_snapshots", snapshots.total),
                    place.address("snapshots") + "?volume=\(id)"
                ),
            take: canTake
                ? Link(texts("action.take_snapshot"), place.address("volumes", id.description, "snapshot")) : nil,
            history: try await HistoryTree(nodes, about: .volume(id), place, visit)
        )
        return try await visit.page(
            "volume",
            page,
            Visit.Setting(
                title: name,
                place: place,
                tab: .volumes,
                isBusy: page.head.state.isBusy || lines.contains { $0.state.isBusy },
                commandLine: "volume show \(id)",
                apiCall: ("GET", "/volumes/\(id)")
            )
        )
    }

    /// What lists offer, and to move it where there is another pool.
    private static func menu(_ view: VolumeView, _ place: Place, _ visit: Visit) async throws -> [MenuItem] {
        var items = VolumeRow.menu(view, place, visit)
        guard view.volume.state == .available, place.may(.change), try await PoolChoice(visit).isNeeded else {
            return items
        }
        let move = MenuItem(
            title: visit.texts("action.move"),
            address: place.address("volumes", view.volume.id.description, "move"),
            icon: "right"
        )
        items.insert(move, at: items.last?.isDanger == true ? items.count - 1 : items.count)
        return items
    }

    private static func facts(
        _ view: VolumeView,
        _ nodes: [TreeNode],
        _ place: Place,
        _ visit: Visit
    ) async throws -> [Fact] {
        let (texts, formats, volume) = (visit.texts, visit.formats, view.volume)
        var facts = [
            Fact(texts("volume.size"), formats.size(volume.size)),
            Fact(texts("volume.type"), texts(volume.role == .root ? "volume.root" : "volume.data")),
        ]
        if let instance = view.instance, let slot = volume.attachment?.slot {
            facts += [
                Fact(texts("volume.instance"), instance.name, at: place.address("instances", instance.id.description)),
                Fact(texts("volume.slot"), formats.number(slot)),
            ]
        } else {
            facts.append(Fact(texts("volume.instance"), texts("volume.detached")))
        }
        facts += [
            Fact(texts("volume.space"), formats.size(view.space.exclusive)),
            Fact(texts("volume.shared_space"), formats.size(view.space.shared)),
            Fact(texts("pool.pool"), volume.pool.description),
            Fact(texts("volume.depth"), texts.count("volume.layers", depth(nodes))),
            Fact(texts("list.created"), Moment(volume.createdAt, visit)),
        ]
        if let template = volume.template {
            facts.append(try await origin(template, place, visit))
        }
        return facts
    }

    /// The template that it was deployed from, which may be gone or out of sight by now.
    private static func origin(_ template: TemplateID, _ place: Place, _ visit: Visit) async throws -> Fact {
        let label = visit.texts("volume.created_from")
        do {
            let view = try await visit.cloud.template(template, in: place.id, visit.caller)
            return Fact(label, view.template.name, at: place.address("templates", template.description))
        } catch {
            guard error.code == .notFound else { throw error }
            return Fact(label, visit.texts("volume.template_gone"))
        }
    }

    /// The layers that a read may pass through.
    private static func depth(_ nodes: [TreeNode]) -> Int {
        let parents = Dictionary(nodes.map { ($0.layer, $0.parent) }) { first, _ in first }
        var depth = 0
        var next = nodes.first(where: \.isHere)?.layer
        while let layer = next, depth < nodes.count {
            depth += 1
            next = parents[layer] ?? nil
        }
        return depth
    }
}
