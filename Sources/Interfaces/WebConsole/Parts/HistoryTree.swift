import SnapshotDomain
import SnapshotServices

/// The history around a volume as a person reads it: lines of moments, oldest first, that fork where several things stand
/// on one moment.
///
/// A line goes on where the present volume is, else where most follows. So even a long history is one flat list, and no
/// history is nested deeper than the logarithm of its size.
struct HistoryTree: PageValue {
    let moments: [HistoryMoment]

    /// Nil for a history that is gone.
    ///
    /// - Parameters:
    ///   - nodes: As the service gives them, parents first.
    ///   - mark: What the page is about, which is not linked.
    ///   - place: The environment of the page.
    ///   - visit: The request.
    /// - Throws: What the list of environments throws.
    init?(_ nodes: [TreeNode], about mark: Pin?, _ place: Place, _ visit: Visit) async throws {
        guard let base = nodes.first else { return nil }
        // What pins a layer can live elsewhere: a clone, or an instance of a public template.
        let builder = Builder(
            nodes,
            mark: mark,
            environments: try await visit.environments(),
            place: place,
            visit: visit
        )
        moments = builder.line(from: base.layer)
    }
}

/// One moment of a history, and the lines that leave it.
struct HistoryMoment: PageValue {
    let names: [HistoryName]
    /// What its own layer takes.
    let size: String
    /// Said where nothing has its name any more, or nothing that the visitor may see.
    let nameless: String?
    /// The volume that was asked about is here.
    let isHere: Bool
    var branches: [HistoryTree] = []
    /// How many lines are left out.
    var more: String?
}

/// A volume, snapshot or template in a history.
struct HistoryName: PageValue {
    let name: String
    /// Nil for the thing that the page is about.
    let address: String?
    let icon: String
    let kind: String
    /// Where it lives, if that is not here.
    let environment: String?
    let created: Moment
}

extension HistoryTree {
    fileprivate init(moments: [HistoryMoment]) {
        self.moments = moments
    }

    fileprivate struct Builder {
        /// The lines that leave one moment and are drawn: a template can carry thousands.
        static let mostBranches = 8

        let nodes: [LayerID: TreeNode]
        let children: [LayerID: [LayerID]]
        /// What stands on a layer, itself included; what the page is about outweighs it, and the present volume everything.
        let weights: [LayerID: Int]
        let mark: Pin?
        let environments: [EnvironmentID: SnapshotDomain.Environment]
        let place: Place
        let visit: Visit

        init(
            _ nodes: [TreeNode],
            mark: Pin?,
            environments: [EnvironmentID: SnapshotDomain.Environment],
            place: Place,
            visit: Visit
        ) {
            self.nodes = Dictionary(nodes.map { ($0.layer, $0) }) { first, _ in first }
            var children: [LayerID: [LayerID]] = [:]
            var weights: [LayerID: Int] = [:]
            for node in nodes {
                if let parent = node.parent { children[parent, default: []].append(node.layer) }
            }
            for node in nodes.reversed() {
                let isSubject = node.pins.contains { $0.pin == mark }
                weights[node.layer, default: 0] += node.isHere ? 2 * nodes.count : isSubject ? nodes.count : 1
                if let parent = node.parent { weights[parent, default: 0] += weights[node.layer] ?? 0 }
            }
            self.children = children
            self.weights = weights
            self.mark = mark
            self.environments = environments
            self.place = place
            self.visit = visit
        }

        func line(from first: LayerID) -> [HistoryMoment] {
            var moments: [HistoryMoment] = []
            var next: LayerID? = first
            while let layer = next, let node = nodes[layer] {
                let above = (children[layer] ?? []).sorted { (weights[$0] ?? 0, $1) > (weights[$1] ?? 0, $0) }
                next = above.first
                // A layer without a name that only one other stands on is about to be merged: nothing to tell a person.
                guard !node.pins.isEmpty || node.isHere || above.count > 1 else { continue }
                var moment = moment(node)
                let sides = above.dropFirst()
                moment.branches = sides.prefix(Self.mostBranches).map { HistoryTree(moments: line(from: $0)) }
                    .filter { !$0.moments.isEmpty }
                if sides.count > Self.mostBranches {
                    moment.more = visit.texts.count("history.more", sides.count - Self.mostBranches)
                }
                moments.append(moment)
            }
            return moments
        }

        private func moment(_ node: TreeNode) -> HistoryMoment {
            HistoryMoment(
                names: node.pins.map { HistoryName($0, about: mark, environments, place, visit) },
                size: visit.formats.size(node.allocated),
                nameless: node.pins.isEmpty ? visit.texts("history.nameless") : nil,
                isHere: node.isHere
            )
        }
    }
}

extension HistoryName {
    /// - Parameters:
    ///   - named: What holds a moment.
    ///   - mark: What the page is about.
    ///   - environments: Those that the visitor can see.
    ///   - place: The environment of the page.
    ///   - visit: The request.
    init(
        _ named: TreeNode.NamedPin,
        about mark: Pin? = nil,
        _ environments: [EnvironmentID: SnapshotDomain.Environment],
        _ place: Place,
        _ visit: Visit
    ) {
        let (kind, word, id) =
            switch named.pin {
            case .volume(let id): ("volumes", "volume", id.description)
            case .snapshot(let id): ("snapshots", "snapshot", id.description)
            case .template(let id): ("templates", "template", id.description)
            }
        let home = environments[named.environment]
        self.init(
            name: named.name.description,
            address: named.pin == mark ? nil : home.map { "/environments/\($0.name)/\(kind)/\(id)" },
            icon: kind,
            kind: visit.texts("history.\(word)"),
            environment: named.environment == place.id ? nil : home?.name.description,
            created: Moment(named.createdAt, visit)
        )
    }
}
