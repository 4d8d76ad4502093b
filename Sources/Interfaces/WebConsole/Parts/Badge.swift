import SnapshotDomain
import SnapshotServices

/// The state of a thing: a word, a sign and a colour, and how far it is if it is on its way.
struct Badge: PageValue {
    /// How the style sheet paints it, and which sign it has.
    enum Tone: String {
        case good, busy, off, bad
    }

    let text: String
    let tone: String
    let isBusy: Bool
    /// 0 to 100.
    let percent: Int?
    /// How far, and how long it will take.
    let progress: String?
    /// Why it failed.
    let reason: String?

    init(_ text: String, _ tone: Tone, _ activity: ResourceActivity = .idle, reason: String? = nil, _ visit: Visit) {
        self.text = text
        self.tone = tone.rawValue
        self.reason = reason
        isBusy = tone == .busy || activity.job != nil
        guard let known = activity.progress, known.totalBytes > .zero else {
            percent = nil
            let queued = activity.queuePosition.map { visit.texts.count("state.queued", $0) }
            // Of how much is not always known.
            let done = activity.progress.flatMap { $0.doneBytes > .zero ? visit.formats.size($0.doneBytes) : nil }
            progress = queued ?? done
            return
        }
        percent = Int((known.fraction * 100).rounded(.down))
        let (done, total) = (visit.formats.size(known.doneBytes), visit.formats.size(known.totalBytes))
        if let seconds = known.remainingSeconds {
            progress = visit.texts.count("state.progress_left", seconds, ["done": done, "total": total])
        } else {
            progress = visit.texts("state.progress", ["done": done, "total": total])
        }
    }
}

extension Badge {
    init(_ view: SnapshotView, _ visit: Visit) {
        let state = view.shownState
        let isDamaged = state == .completed && view.snapshot.damage != nil
        let tone: Tone =
            switch state {
            case .completed: isDamaged ? .bad : .good
            case .creating, .destroying: .busy
            case .failed: .bad
            }
        let word = isDamaged ? "snapshot.damaged" : "snapshot.state.\(state)"
        self.init(visit.texts(word), tone, view.activity, reason: view.failure?.message, visit)
    }

    init(_ view: VolumeView, _ visit: Visit) {
        let state = view.shownState
        let tone: Tone =
            switch state {
            case .ready: .good
            case .failed: .bad
            case .destroyed: .off
            case .creating, .snapshotting, .reverting, .resizing, .moving, .attaching, .detaching, .destroying:
                .busy
            }
        self.init(visit.texts("volume.state.\(state)"), tone, view.activity, reason: view.failure?.message, visit)
    }

    init(_ view: InstanceView, _ visit: Visit) {
        let state = view.shownState
        let tone: Tone =
            switch state {
            case .running: .good
            case .stopped, .destroyed: .off
            case .unknown, .failed: .bad
            case .starting, .stopping, .destroying: .busy
            }
        self.init(visit.texts("instance.state.\(state)"), tone, view.activity, reason: view.failure?.message, visit)
    }

    init(_ view: TemplateView, _ visit: Visit) {
        let state = view.shownState
        let tone: Tone =
            switch state {
            case .ready: .good
            case .creating, .destroying: .busy
            case .failed: .bad
            }
        self.init(visit.texts("template.state.\(state)"), tone, view.activity, reason: view.failure?.message, visit)
    }
}
