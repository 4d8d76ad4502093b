import SnapshotDomain
import SnapshotServices

enum PolicyCommands {
    static let all: [Command] = [create, list, update, delete]

    private static let intervals = SnapshotPolicy.Interval.allCases.map { $0.rawValue.uppercased() }
    private static let schedule = Parameter(
        "schedule",
        .text,
        "The moment: MM hourly, MM:HH daily, MM:HH:DD weekly (1 is Sunday) and monthly (1 to 28)."
    )
    private static let timeZone = Parameter(
        "timezone",
        .text,
        "The time zone, such as Europe/Zurich; unknown ones are GMT."
    )
    private static let kept = Parameter("maxsnaps", .integer, "How many snapshots are kept, 1 to 8.")
    private static let shown = Parameter("fordisplay", .flag, "False for a policy that is kept and does nothing.")

    private static let notYet = "Policies are kept and checked; this version does not take snapshots by them yet."

    private static let create = Command(
        name: "createSnapshotPolicy",
        summary: "Sets the policy of a volume for an interval; one that is there is changed, and keeps its id.",
        kind: .synchronous,
        access: .may(.change),
        parameters: [
            Parameter("volumeid", .id(.volume), "The volume.").required.placing,
            Parameter("intervaltype", .word(intervals), "How often.").required, schedule.required, timeZone.required,
            kept.required, shown, .project,
        ],
        result: ResultDescription(Shapes.policy),
        deviations: [notYet],
        handler: { call in
            let word = call.arguments.word("intervaltype") ?? ""
            guard let interval = SnapshotPolicy.Interval(rawValue: word.lowercased()) else {
                throw call.refuse("intervaltype is one of \(intervals.joined(separator: ", ")).")
            }
            let policy = try await call.cloud.setPolicy(
                interval,
                try call.change(of: interval),
                of: try call.requiredID("volumeid"),
                in: try call.environment,
                call.caller
            )
            return .object(Shapes.policy.json(policy), named: Shapes.policy.name)
        }
    )

    private static let list = Command.list(
        "listSnapshotPolicies",
        "Lists the policies of a volume.",
        [
            Parameter("volumeid", .id(.volume), "The volume; this, id or both are needed.").placing,
            Parameter("id", .text, "The policy."),
        ],
        of: Shapes.policy
    ) { call in
        let volume: VolumeID? = call.arguments.id("volumeid")
        var found: [SnapshotPolicy]
        if let text = call.arguments.text("id") {
            let policy = try await call.policy(text, "id")
            found = volume == nil || volume == policy.volume ? [policy] : []
        } else {
            guard let volume else { throw call.refuse("one of volumeid and id is needed.") }
            found = try await call.cloud.listPolicies(of: volume, in: try call.environment, call.caller)
        }
        found.sort { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
        return try call.answer(found, Shapes.policy)
    }

    private static let update = Command(
        name: "updateSnapshotPolicy",
        summary: "Changes a policy.",
        kind: .asynchronous,
        access: .may(.read),
        parameters: [Parameter("id", .text, "The policy.").required, schedule, timeZone, kept, shown],
        result: ResultDescription(Shapes.policy),
        deviations: [notYet, "Beyond the protocol, schedule, timezone and maxsnaps can be changed."],
        handler: { call in
            let policy = try await call.policy(call.arguments.text("id") ?? "", "id")
            let done = try await call.cloud.updatePolicy(
                policy.id,
                try call.change(of: policy.interval),
                in: policy.environment,
                call.caller
            )
            return .job(Receipt(line: done.line).job)
        }
    )

    private static let delete = Command(
        name: "deleteSnapshotPolicies",
        summary: "Deletes policies, all of them or none; the snapshots stay.",
        kind: .synchronous,
        access: .may(.read),
        parameters: [
            Parameter("id", .text, "The policy."),
            Parameter("ids", .list, "Several, separated by commas; not with id."),
        ],
        result: .success,
        handler: { call in
            let texts = (call.arguments.text("id").map { [$0] } ?? []) + call.arguments.list("ids")
            guard !texts.isEmpty else { throw call.refuse("one of id and ids is needed.") }
            var policies: [EnvironmentID: [PolicyID]] = [:]
            for text in texts {
                let policy = try await call.policy(text, "ids")
                policies[policy.environment, default: []].append(policy.id)
            }
            guard policies.count == 1, let (environment, ids) = policies.first else {
                throw call.refuse("the policies are in several environments; delete them one after the other.")
            }
            try await call.cloud.deletePolicies(ids, in: environment, call.caller)
            return .success
        }
    )
}

extension Call {
    func policy(_ text: String, _ parameter: String) async throws -> SnapshotPolicy {
        guard let id = PolicyID(text) else { throw PlaceFinder.unknown(text, parameter, command) }
        do throws(ServiceError) {
            return try await cloud.policy(id, caller)
        } catch {
            guard error.code == .notFound else { throw error }
            throw PlaceFinder.unknown(text, parameter, command)
        }
    }

    fileprivate func change(of interval: SnapshotPolicy.Interval) throws -> PolicyChange {
        PolicyChange(
            schedule: try arguments.text("schedule").map { try schedule($0, interval) },
            timeZone: arguments.text("timezone"),
            kept: arguments.integer("maxsnaps"),
            isActive: arguments.flag("fordisplay")
        )
    }

    /// Reads `MM:HH:DD`: what the interval does not need is ignored.
    private func schedule(_ text: String, _ interval: SnapshotPolicy.Interval) throws -> SnapshotPolicy.Schedule {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
        let needed =
            switch interval {
            case .hourly: 1
            case .daily: 2
            case .weekly, .monthly: 3
            }
        let read = parts.prefix(needed).compactMap(\.self)
        guard read.count == needed else {
            throw refuse("the schedule '\(text)' is not \(["MM", "MM:HH", "MM:HH:DD"][needed - 1]).")
        }
        return try SnapshotPolicy.Schedule(
            interval,
            minute: read[0],
            hour: needed > 1 ? read[1] : nil,
            day: needed > 2 ? read[2] : nil
        )
    }
}

extension Shapes {
    static let policy = Shape<SnapshotPolicy>(
        "snapshotpolicy",
        [
            .text("id", "The id.") { $0.id.description },
            .text("volumeid", "The volume.") { $0.volume.description },
            // A number by the protocol, and a word when it is sent.
            .integer("intervaltype", "0 hourly, 1 daily, 2 weekly, 3 monthly.") { policy in
                SnapshotPolicy.Interval.allCases.firstIndex(of: policy.interval).map(Int64.init)
            },
            .text("schedule", "The moment.") { policy in
                [policy.schedule.minute, policy.schedule.hour, policy.schedule.day].compactMap(\.self)
                    .map { ($0 < 10 ? "0" : "") + String($0) }
                    .joined(separator: ":")
            },
            .integer("maxsnaps", "How many snapshots are kept.") { Int64($0.kept) },
            .text("timezone", "The time zone.") { $0.timeZone },
            .flag("fordisplay", "False for one that does nothing.") { $0.isActive },
            .list("tags", "Always empty.") { _ in [] },
            .list("zone", "Always empty.") { _ in [] },
        ]
    )
}
