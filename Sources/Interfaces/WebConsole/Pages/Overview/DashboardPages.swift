import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// The tab *Dashboard*: the environment at a glance.
enum DashboardPages {
    static let all: [ConsoleRoute] = [
        .get(ConsoleRoute.within("/dashboard")) { visit in try await show(visit) },
        .get(ConsoleRoute.within("/tasks/:id/cancel")) { visit in try await cancel(visit) },
        .post(ConsoleRoute.within("/tasks/:id/cancel")) { visit in try await cancel(visit) },
    ]

    struct DashboardPage: PageValue {
        let heading: String
        let tiles: [Tile]
        let spaceText: String
        let spaces: [SpaceBar]
        let tasks: [TaskRow]
        let hasNoTasks: Bool
        let activity: [ActivityRow]
        let allActivity: Link
    }

    /// One kind of resource: how many there are, and in which states.
    struct Tile: PageValue {
        struct Part: PageValue {
            let text: String
            let address: String
            let tone: String
        }

        let title: String
        let icon: String
        let address: String
        let total: String
        let parts: [Part]
    }

    private static func show(_ visit: Visit) async throws -> Response {
        let place = try await visit.place()
        let overview = try await visit.cloud.overview(of: place.id, visit.caller)
        let activity = try await visit.cloud.listActivity(
            ActivityFilter(environment: place.id),
            page: PageRequest(limit: 8),
            visit.caller
        )
        let texts = visit.texts
        let isDivided = overview.pools.count > 1
        let page = DashboardPage(
            heading: place.name,
            tiles: tiles(overview.census, place, visit),
            spaceText: isDivided ? texts("dashboard.pools_text") : texts("dashboard.space_text"),
            spaces: overview.pools.map { SpaceBar($0, isNamed: isDivided, visit) },
            tasks: overview.openTasks.map { TaskRow($0, place, visit) },
            hasNoTasks: overview.openTasks.isEmpty,
            activity: activity.rows.map { ActivityRow($0, place, visit) },
            allActivity: Link(texts("dashboard.all_activity"), place.address("activity"))
        )
        return try await visit.page(
            "dashboard",
            page,
            Visit.Setting(
                title: texts("tab.dashboard"),
                place: place,
                tab: .dashboard,
                isBusy: !overview.openTasks.isEmpty,
                commandLine: "task list",
                apiCall: ("GET", "/tasks")
            )
        )
    }

    private static func tiles(_ census: Census, _ place: Place, _ visit: Visit) -> [Tile] {
        var instances = parts("instances", census.instances.filter { $0.key != .available }, place, visit)
        let available = census.instances[.available] ?? 0
        for (power, count) in [
            (Instance.Power.stopped, available - census.runningInstances), (.running, census.runningInstances),
        ] where count > 0 {
            let part = Tile.Part(
                text: visit.texts.count("dashboard.power.\(power.rawValue)", count),
                address: place.address("instances") + query(of: "instances", power.rawValue),
                tone: power == .running ? "good" : "off"
            )
            instances.insert(part, at: 0)
        }
        return [
            tile("instances", census.instances, instances, place, visit),
            tile("volumes", census.volumes, parts("volumes", census.volumes, place, visit), place, visit),
            tile("snapshots", census.snapshots, parts("snapshots", census.snapshots, place, visit), place, visit),
            tile("templates", census.templates, parts("templates", census.templates, place, visit), place, visit),
        ]
    }

    private static func tile(
        _ kind: String,
        _ counts: [ResourceState.Word: Int],
        _ parts: [Tile.Part],
        _ place: Place,
        _ visit: Visit
    ) -> Tile {
        Tile(
            title: visit.texts("tab.\(kind)"),
            icon: kind,
            address: place.address(kind) + query(of: kind, nil),
            // What was destroyed is a part beside the others: the list behind the tile does not show it.
            total: visit.formats.number(counts.filter { $0.key != .destroyed }.values.reduce(0, +)),
            parts: parts
        )
    }

    private static func parts(
        _ kind: String,
        _ counts: [ResourceState.Word: Int],
        _ place: Place,
        _ visit: Visit
    ) -> [Tile.Part] {
        ResourceState.Word.allCases.compactMap { word in
            guard let count = counts[word], count > 0 else { return nil }
            let tone: Badge.Tone =
                switch word {
                case .available: .good
                case .creating, .deleting: .busy
                case .failed: .bad
                case .destroyed: .off
                }
            return Tile.Part(
                text: visit.texts.count("dashboard.state.\(word.rawValue)", count),
                address: place.address(kind) + query(of: kind, word.rawValue),
                tone: tone.rawValue
            )
        }
    }

    /// What restricts a list to what is counted: the list of templates shows other environments' public ones, too.
    private static func query(of kind: String, _ state: String?) -> String {
        let parts = [kind == "templates" ? "only=own" : nil, state.map { "state=\($0)" }].compactMap(\.self)
        return parts.isEmpty ? "" : "?" + parts.joined(separator: "&")
    }

    private static func cancel(_ visit: Visit) async throws -> Response {
        let place = try await visit.place(for: .change)
        let id: JobID = try visit.id(of: "tasks")
        let task = try await visit.cloud.task(id, visit.caller)
        let texts = visit.texts
        let name = ActivityRow.title(of: task.job.kind.event, texts)
        let sheet = Sheet(
            list: Link(texts("tab.dashboard"), place.address("dashboard")),
            name: task.job.title.description,
            heading: texts("dashboard.cancel"),
            intro: texts("dashboard.cancel_text", ["event": name, "name": task.job.title.description]),
            address: visit.path,
            cancelAddress: place.address("dashboard"),
            isDanger: true
        )
        let setting = Visit.Setting(
            title: sheet.heading,
            place: place,
            tab: .dashboard,
            commandLine: "task cancel \(id)",
            serviceCall: ("POST", "/tasks/\(id)?operation=cancel")
        )
        let meanings: [ServiceError.Code: String] = [.wrongState: texts("dashboard.cancel_late")]
        return try await visit.sheet(sheet, setting, explaining: meanings) { () async throws(ServiceError) in
            _ = try await visit.cloud.cancelTask(id, visit.caller)
            return visit.redirect(
                to: place.address("dashboard"),
                saying: Notice(.taskCancelled, task.job.title.description)
            )
        }
    }
}

/// A job that runs or waits.
struct TaskRow: PageValue {
    let id: String
    let event: String
    let name: String
    let who: String
    let since: Moment
    let state: Badge
    /// Nil where the visitor may not, or where it has been asked for already.
    let cancel: String?

    init(_ view: TaskView, _ place: Place, _ visit: Visit) {
        let (job, texts) = (view.job, visit.texts)
        id = job.id.description
        event = ActivityRow.title(of: job.kind.event, texts)
        name = job.title.description
        who = job.actor.name
        since = Moment(job.createdAt, visit)
        let isWaiting = view.status == .queued
        let word = job.isCancelRequested ? "cancelling" : isWaiting ? "waiting" : "running"
        state = Badge(
            texts("dashboard.task.\(word)"),
            isWaiting ? .off : .busy,
            ResourceActivity(
                job: job.id,
                kind: job.kind,
                progress: view.progress,
                queuePosition: view.queuePosition
            ),
            visit
        )
        let mayCancel = place.may(.change) && !job.isCancelRequested
        cancel = mayCancel ? place.address("tasks", id, "cancel") : nil
    }
}

/// What a pool's room is taken by.
struct SpaceBar: PageValue {
    struct Part: PageValue {
        let title: String
        let size: String
        let word: String
        /// In thousandths of the bar.
        let start: Int
        let width: Int
    }

    /// The pool's name, where there are several.
    let name: String?
    /// The same for those who do not see it.
    let text: String
    let parts: [Part]
    /// Why the pool does not answer.
    let trouble: String?

    init(_ status: PoolStatus, isNamed: Bool, _ visit: Visit) {
        let texts = visit.texts
        name = isNamed ? status.pool.description : nil
        trouble = status.trouble
        let account = status.account
        let shared = account.shared
        let exclusive = account.total - shared
        var sizes: [(word: String, size: ByteCount)] = [("exclusive", exclusive), ("shared", shared)]
        var total = account.total
        // Of a pool that does not answer the rest is not known.
        if let capacity = status.capacity {
            total = capacity.total
            sizes.append(("other", max(.zero, capacity.total - capacity.free - account.total)))
            sizes.append(("free", capacity.free))
        }
        var position = 0
        parts = sizes.map { word, size in
            let share = total > .zero ? Double(size.bytes) / Double(total.bytes) : 0
            // What is there must be seen.
            let width = size > .zero ? max(4, min(1_000 - position, Int((share * 1_000).rounded()))) : 0
            defer { position += width }
            return Part(
                title: texts("dashboard.space.\(word)"),
                size: visit.formats.size(size),
                word: word,
                start: position,
                width: width
            )
        }
        text = parts.map { "\($0.title): \($0.size)" }.joined(separator: ", ")
    }
}
