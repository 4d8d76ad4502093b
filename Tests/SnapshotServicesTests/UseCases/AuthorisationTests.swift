import Foundation
import Platform
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import SnapshotServices

extension CloudTests {
    /// Who may call what: every method of ``CloudService`` with every role.
    @Suite("authorisation")
    struct Authorisation {
        /// What a caller can be in an environment.
        enum Caller: CaseIterable {
            case stranger, viewer, editor, owner, operatorOfService

            func call(in environment: EnvironmentID) -> CallContext {
                let role: Role? =
                    switch self {
                    case .stranger, .operatorOfService: nil
                    case .viewer: .viewer
                    case .editor: .editor
                    case .owner: .owner
                    }
                let user = User(
                    id: .random(),
                    name: "\(self)",
                    isOperator: self == .operatorOfService,
                    createdAt: Date(timeIntervalSince1970: 0)
                )
                let principal = Principal(user: user, roles: role.map { [environment: $0] } ?? [:])
                return CallContext(principal: principal, requestID: "test")
            }

            fileprivate func has(_ right: Right) -> Bool {
                switch (right, self) {
                case (_, .operatorOfService), (.ofSelf, _): true
                case (.ofOperators, _): false
                case (.of(let least), .viewer): least == .viewer
                case (.of(let least), .editor): least <= .editor
                case (.of, .owner): true
                case (.of, .stranger): false
                }
            }
        }

        @Test("a call needs the right that its documentation names, and tells strangers nothing")
        func table() async throws {
            try await withCloud { cloud in
                let accounts = Accounts(world: cloud.world, secrets: TestSecrets())
                for method in Self.methods + Self.accountMethods {
                    for caller in Caller.allCases {
                        let place = try await cloud.makePlace()
                        let call = caller.call(in: place.environment)
                        let error = await Self.error {
                            try await method.body(Product(cloud: cloud.cloud, accounts: accounts), place, call)
                        }
                        let wanted: String
                        let isAsWanted: Bool
                        if caller.has(method.right) {
                            wanted = "be let in"
                            isAsWanted = error?.code != .notAllowed && !Self.isHidden(error)
                        } else if caller == .stranger, case .of = method.right {
                            wanted = "find nothing"
                            isAsWanted = Self.isHidden(error)
                        } else {
                            wanted = "not be allowed"
                            isAsWanted = error?.code == .notAllowed
                        }
                        #expect(
                            isAsWanted,
                            "\(caller) should \(wanted) by \(method.name): \(String(describing: error))"
                        )
                    }
                }
            }
        }

        @Test("every method that names an environment or a resource is in the table")
        func completeness() throws {
            let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            let source = tests.appendingPathComponent(
                "../../../Sources/Application/SnapshotServices/Cloud/CloudService.swift"
            )
            let text = try String(contentsOf: source, encoding: .utf8)
            let declared = Set(text.matches(of: /func ([a-zA-Z]+)\(/).map { String($0.output.1) })
            // A key makes the caller; lists of environments, tags, one policy, the status and the stream of changes show what one
            // may see, and what can be chosen is the same for all.
            let open: Set = [
                "principal", "listEnvironments", "uploadPath", "status", "changes", "tags", "policy",
                "listComputeOfferings", "listDiskOfferings", "listPools",
            ]
            #expect(declared == open.union(Self.methods.map(\.name)))
        }

        @Test("every method of the accounts that has a caller is in the table")
        func completenessOfAccounts() throws {
            let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("../../../Sources/Application/SnapshotServices/Accounts")
            let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            let text = try files.map { try String(contentsOf: $0, encoding: .utf8) }.joined()
            let callable = /package func ([a-zA-Z]+)\([^)]*call: CallContext/
            let declared = Set(text.matches(of: callable).map { String($0.output.1) })
            #expect(declared == Set(Self.accountMethods.map(\.name)))
        }

        @Test("lists of environments and the stream of changes show what the caller can read")
        func filters() async throws {
            try await withCloud { cloud in
                let viewer = Caller.viewer.call(in: cloud.home.id)
                let visible = try await cloud.cloud.listEnvironments(viewer)
                #expect(visible.map(\.id) == [cloud.home.id])
                let stranger = Caller.stranger.call(in: cloud.home.id)
                let hidden = try await cloud.cloud.listEnvironments(stranger)
                #expect(hidden.isEmpty)
                let changes = await cloud.cloud.changes(after: nil, viewer).events
                cloud.world.feed.publish([.environment(cloud.abroad.id)], in: cloud.abroad.id)
                cloud.world.feed.publish([.environment(cloud.home.id)], in: cloud.home.id)
                for await event in changes {
                    #expect(event.environment == cloud.home.id)
                    break
                }
            }
        }

        @Test("a key opens what its user may do, and no other key anything")
        func keys() async throws {
            try await withCloud { cloud in
                let user = User(id: .random(), name: "ana", isOperator: false, createdAt: cloud.time.now)
                try await cloud.catalog.write { [home = cloud.home.id, now = cloud.time.now] writer in
                    try writer.insert(user, passwordVerifier: "x")
                    try writer.setRole(.editor, of: user.id, in: home)
                    for (key, kind) in [("open", StoredKey.Kind.rest), ("sign", .query)] {
                        try writer.insert(
                            StoredKey(
                                digest: TestSecrets().digest(of: key),
                                kind: kind,
                                user: user.id,
                                environment: nil,
                                secret: nil,
                                createdAt: now
                            )
                        )
                    }
                }
                let principal = try await cloud.cloud.principal(restKey: "open", address: "127.0.0.1")
                #expect(principal?.user.name == "ana")
                #expect(principal?.role(in: cloud.home.id) == .editor)
                #expect(principal?.role(in: cloud.abroad.id) == nil)
                #expect(try await cloud.cloud.principal(restKey: "opem", address: nil) == nil)
                #expect(try await cloud.cloud.principal(restKey: "sign", address: nil) == nil, "a key of another face")
            }
        }

        private static func isHidden(_ error: ServiceError?) -> Bool {
            error?.code == .notFound && ["environments", "tasks"].contains(error?.subject?.kind)
        }

        private static func error(_ body: () async throws -> Void) async -> ServiceError? {
            do {
                try await body()
                return nil
            } catch {
                return error as? ServiceError
            }
        }
    }
}

private enum Right: Equatable {
    case of(Role)
    case ofOperators
    /// Everybody has it about themselves.
    case ofSelf
}

/// What the faces talk to.
private struct Product {
    var cloud: LocalCloud
    var accounts: Accounts
}

/// An environment of its own for each attempt, with one job that has ended.
private struct Ground {
    var environment: EnvironmentID
    var job: JobID
}

extension TestCloud {
    fileprivate func makePlace() async throws -> Ground {
        let environment = Environment(
            id: .random(),
            name: try EnvironmentName("e\(UUID().uuidString.lowercased())"),
            description: "",
            createdAt: time.now
        )
        let job = Job(
            id: .random(),
            kind: .createVolume,
            title: "over",
            environment: environment.id,
            actor: Principal.service.actor,
            subjects: [],
            program: Data(),
            phase: .ended(.succeeded, at: time.now),
            createdAt: time.now
        )
        try await catalog.write { writer in
            try writer.insert(environment)
            try writer.insert(job)
        }
        return Ground(environment: environment.id, job: job.id)
    }
}

extension CloudTests.Authorisation {
    fileprivate struct Method: Sendable {
        var name: String
        var right: Right
        var body: @Sendable (Product, Ground, CallContext) async throws -> Void

        init(
            _ name: String,
            _ right: Right,
            _ body: @escaping @Sendable (LocalCloud, Ground, CallContext) async throws -> Void
        ) {
            self.name = name
            self.right = right
            self.body = { product, ground, call in try await body(product.cloud, ground, call) }
        }

        /// A method of the accounts.
        init(
            of name: String,
            _ right: Right,
            _ body: @escaping @Sendable (Accounts, Ground, CallContext) async throws -> Void
        ) {
            self.name = name
            self.right = right
            self.body = { product, ground, call in try await body(product.accounts, ground, call) }
        }
    }

    /// People who are not there will do: rights are checked first.
    fileprivate static let accountMethods: [Method] = people + keys

    private static let people: [Method] = [
        Method(of: "listUsers", .ofOperators) { accounts, _, call in _ = try await accounts.listUsers(call) },
        Method(of: "user", .ofSelf) { accounts, _, call in
            _ = try await accounts.user(call.principal.user.id, call)
        },
        Method(of: "user", .ofOperators) { accounts, _, call in _ = try await accounts.user(.random(), call) },
        Method(of: "createUser", .ofOperators) { accounts, _, call in
            _ = try await accounts.createUser(try UserName(RandomName.make()), call)
        },
        Method(of: "setPassword", .ofOperators) { accounts, _, call in
            _ = try await accounts.setPassword(of: .random(), call)
        },
        Method(of: "changePassword", .ofSelf) { accounts, _, call in
            let error = await #expect(throws: ServiceError.self) {
                try await accounts.changePassword("wrong", to: try NewPassword("correct horse battery"), call)
            }
            #expect(error?.subject == .field("current"))
        },
        Method(of: "setDisabled", .ofOperators) { accounts, _, call in
            _ = try await accounts.setDisabled(true, .random(), call)
        },
        Method(of: "setOperator", .ofOperators) { accounts, _, call in
            _ = try await accounts.setOperator(true, .random(), call)
        },
        Method(of: "deleteUser", .ofOperators) { accounts, _, call in
            try await accounts.deleteUser(.random(), call)
        },
        Method(of: "addMember", .of(.owner)) { accounts, ground, call in
            _ = try await accounts.addMember("nobody", as: .viewer, in: ground.environment, call)
        },
        Method(of: "setRole", .of(.owner)) { accounts, ground, call in
            _ = try await accounts.setRole(.viewer, of: .random(), in: ground.environment, call)
        },
        Method(of: "removeMember", .of(.owner)) { accounts, ground, call in
            try await accounts.removeMember(.random(), from: ground.environment, call)
        },
    ]

    private static let keys: [Method] = [
        Method(of: "listKeys", .ofSelf) { accounts, _, call in
            _ = try await accounts.listKeys(of: call.principal.user.id, call)
        },
        Method(of: "listKeys", .ofOperators) { accounts, _, call in
            _ = try await accounts.listKeys(of: .random(), call)
        },
        Method(of: "createKey", .ofSelf) { accounts, _, call in
            _ = try await accounts.createKey(for: .rest, of: call.principal.user.id, call)
        },
        Method(of: "createKey", .ofOperators) { accounts, ground, call in
            _ = try await accounts.createKey(for: .query(ground.environment), of: .random(), call)
        },
        Method(of: "queryKey", .ofOperators) { accounts, ground, call in
            let label = try ResourceName("x")
            _ = try await accounts.queryKey(in: ground.environment, of: .random(), label: label, call)
        },
        Method(of: "knownQueryKey", .ofSelf) { accounts, _, call in
            _ = try await accounts.knownQueryKey(in: nil, of: call.principal.user.id, call)
        },
        Method(of: "knownQueryKey", .ofOperators) { accounts, _, call in
            _ = try await accounts.knownQueryKey(in: nil, of: .random(), call)
        },
        Method(of: "deleteKey", .ofSelf) { accounts, _, call in
            try await accounts.deleteKey(.random(), of: call.principal.user.id, call)
        },
        Method(of: "deleteKey", .ofOperators) { accounts, _, call in
            try await accounts.deleteKey(.random(), of: .random(), call)
        },
    ]

    /// Resources that are not there will do: rights are checked first.
    fileprivate static let methods: [Method] =
        environments + instances + volumes + snapshots + templates + policies + tags + tasks

    private static let environments: [Method] = [
        Method("environment", .of(.viewer)) { cloud, ground, call in
            _ = try await cloud.environment(ground.environment.description, call)
        },
        Method("overview", .of(.viewer)) { cloud, ground, call in
            _ = try await cloud.overview(of: ground.environment, call)
        },
        Method("createEnvironment", .ofOperators) { cloud, _, call in
            let name = try EnvironmentName("n\(UUID().uuidString.lowercased())")
            _ = try await cloud.createEnvironment(name: name, description: "", call)
        },
        Method("updateEnvironment", .of(.owner)) { cloud, ground, call in
            _ = try await cloud.updateEnvironment(ground.environment, name: nil, description: "new", call)
        },
        Method("deleteEnvironment", .of(.owner)) { cloud, ground, call in
            _ = try await cloud.deleteEnvironment(ground.environment, call)
        },
        Method("members", .of(.viewer)) { cloud, ground, call in
            _ = try await cloud.members(of: ground.environment, call)
        },
    ]

    private static let instances: [Method] = [
        Method("listInstances", .of(.viewer)) { cloud, ground, call in
            let filter = InstanceFilter(environment: ground.environment)
            _ = try await cloud.listInstances(filter, order: .byName, page: .all, call)
        },
        Method("listInstances", .ofOperators) { cloud, _, call in
            _ = try await cloud.listInstances(InstanceFilter(), order: .byName, page: .all, call)
        },
        Method("instance", .of(.viewer)) { cloud, ground, call in
            _ = try await cloud.instance(.random(), in: ground.environment, call)
        },
        Method("deploy", .of(.editor)) { cloud, ground, call in
            let request = DeployRequest(source: .template(.random()), name: try ResourceName("x"))
            _ = try await cloud.deploy(request, in: ground.environment, call)
        },
        Method("startInstance", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.startInstance(.random(), in: ground.environment, call)
        },
        Method("stopInstance", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.stopInstance(.random(), isForced: true, in: ground.environment, call)
        },
        Method("rebootInstance", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.rebootInstance(.random(), in: ground.environment, call)
        },
        Method("renameInstance", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.renameInstance(.random(), to: try ResourceName("x"), in: ground.environment, call)
        },
        Method("deleteInstance", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.deleteInstance(.random(), DeleteInstanceRequest(), in: ground.environment, call)
        },
        Method("destroyInstance", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.destroyInstance(.random(), with: [], in: ground.environment, call)
        },
        Method("recoverInstance", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.recoverInstance(.random(), in: ground.environment, call)
        },
        Method("restoreInstance", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.restoreInstance(.random(), to: nil, in: ground.environment, call)
        },
        Method("console", .of(.viewer)) { cloud, ground, call in
            _ = try await cloud.console(of: .random(), from: 0, atMost: 10, in: ground.environment, call)
        },
        Method("screenshot", .of(.viewer)) { cloud, ground, call in
            _ = try await cloud.screenshot(of: .random(), in: ground.environment, call)
        },
    ]

    private static let policies: [Method] = [
        Method("listPolicies", .of(.viewer)) { cloud, ground, call in
            _ = try await cloud.listPolicies(of: .random(), in: ground.environment, call)
        },
        Method("setPolicy", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.setPolicy(.hourly, PolicyChange(), of: .random(), in: ground.environment, call)
        },
        Method("updatePolicy", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.updatePolicy(.random(), PolicyChange(), in: ground.environment, call)
        },
        Method("deletePolicies", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.deletePolicies([.random()], in: ground.environment, call)
        },
    ]

    private static let tags: [Method] = [
        Method("listTags", .of(.viewer)) { cloud, ground, call in
            _ = try await cloud.listTags(TagFilter(environment: ground.environment), page: .all, call)
        },
        Method("addTags", .of(.editor)) { cloud, ground, call in
            let tag = try ResourceTag(on: .volume(.random()), in: ground.environment, key: "a", value: "")
            _ = try await cloud.addTags([tag], in: ground.environment, call)
        },
        Method("removeTags", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.removeTags(nil, of: [.volume(.random())], in: ground.environment, call)
        },
    ]

    private static let volumes: [Method] = [
        Method("listVolumes", .of(.viewer)) { cloud, ground, call in
            let filter = VolumeFilter(environment: ground.environment)
            _ = try await cloud.listVolumes(filter, order: .byName, page: .all, call)
        },
        Method("listVolumes", .ofOperators) { cloud, _, call in
            _ = try await cloud.listVolumes(VolumeFilter(), order: .byName, page: .all, call)
        },
        Method("volume", .of(.viewer)) { cloud, ground, call in
            _ = try await cloud.volume(.random(), in: ground.environment, call)
        },
        Method("tree", .of(.viewer)) { cloud, ground, call in
            _ = try await cloud.tree(of: .random(), in: ground.environment, call)
        },
        Method("createVolume", .of(.editor)) { cloud, ground, call in
            let request = CreateVolumeRequest(source: .snapshot(.random(), isFull: false), name: try ResourceName("x"))
            _ = try await cloud.createVolume(request, in: ground.environment, call)
        },
        Method("deleteVolume", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.deleteVolume(.random(), in: ground.environment, call)
        },
        Method("destroyVolume", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.destroyVolume(.random(), in: ground.environment, call)
        },
        Method("recoverVolume", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.recoverVolume(.random(), in: ground.environment, call)
        },
        Method("attachVolume", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.attachVolume(.random(), to: .random(), in: ground.environment, call)
        },
        Method("detachVolume", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.detachVolume(.random(), in: ground.environment, call)
        },
        Method("resizeVolume", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.resizeVolume(.random(), to: .gibibytes(1), in: ground.environment, call)
        },
        Method("moveVolume", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.moveVolume(.random(), to: .local, in: ground.environment, call)
        },
        Method("checkPool", .ofOperators) { cloud, _, call in _ = try await cloud.checkPool(.local, call) },
    ]

    private static let snapshots: [Method] = [
        Method("listSnapshots", .of(.viewer)) { cloud, ground, call in
            let filter = SnapshotFilter(environment: ground.environment)
            _ = try await cloud.listSnapshots(filter, order: .byName, page: .all, call)
        },
        Method("listSnapshots", .ofOperators) { cloud, _, call in
            _ = try await cloud.listSnapshots(SnapshotFilter(), order: .byName, page: .all, call)
        },
        Method("snapshot", .of(.viewer)) { cloud, ground, call in
            _ = try await cloud.snapshot(.random(), in: ground.environment, call)
        },
        Method("takeSnapshots", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.takeSnapshots(
                TakeSnapshotRequest(target: .volume(.random())),
                in: ground.environment,
                call
            )
        },
        Method("updateSnapshot", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.updateSnapshot(.random(), name: nil, description: "", in: ground.environment, call)
        },
        Method("planDeletion", .of(.viewer)) { cloud, ground, call in
            _ = try await cloud.planDeletion(of: [.random()], in: ground.environment, call)
        },
        Method("deleteSnapshot", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.deleteSnapshot(.random(), in: ground.environment, call)
        },
        Method("revert", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.revert(.snapshot(.random()), restarts: true, in: ground.environment, call)
        },
        Method("verifySnapshot", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.verifySnapshot(.random(), in: ground.environment, call)
        },
        Method("export", .of(.viewer)) { cloud, ground, call in
            _ = try await cloud.export(.random(), as: .raw, in: ground.environment, call)
        },
    ]

    private static let templates: [Method] = [
        Method("listTemplates", .of(.viewer)) { cloud, ground, call in
            _ = try await cloud.listTemplates(
                TemplateFilter(visibleIn: ground.environment),
                order: .byName,
                page: .all,
                call
            )
        },
        Method("template", .of(.viewer)) { cloud, ground, call in
            _ = try await cloud.template(.random(), in: ground.environment, call)
        },
        Method("createTemplate", .of(.editor)) { cloud, ground, call in
            let request = CreateTemplateRequest(
                source: .snapshot(.random(), isFull: false),
                name: try ResourceName("x")
            )
            _ = try await cloud.createTemplate(request, in: ground.environment, call)
        },
        Method("updateTemplate", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.updateTemplate(.random(), name: nil, description: "", in: ground.environment, call)
        },
        Method("setTemplate", .ofOperators) { cloud, ground, call in
            _ = try await cloud.setTemplate(.random(), isPublic: true, in: ground.environment, call)
        },
        Method("createComputeOffering", .ofOperators) { cloud, _, call in
            let wanted = NewComputeOffering(name: "x\(UUID())", cpuCount: 1, memory: .gibibytes(1))
            _ = try await cloud.createComputeOffering(wanted, call)
        },
        Method("createDiskOffering", .ofOperators) { cloud, _, call in
            _ = try await cloud.createDiskOffering(NewDiskOffering(name: "x\(UUID())", size: .gibibytes(1)), call)
        },
        Method("retireComputeOffering", .ofOperators) { cloud, _, call in
            try await cloud.retireComputeOffering("nothing", call)
        },
        Method("retireDiskOffering", .ofOperators) { cloud, _, call in
            try await cloud.retireDiskOffering("nothing", call)
        },
        Method("deleteTemplate", .of(.editor)) { cloud, ground, call in
            _ = try await cloud.deleteTemplate(.random(), in: ground.environment, call)
        },
    ]

    private static let tasks: [Method] = [
        Method("task", .of(.viewer)) { cloud, ground, call in _ = try await cloud.task(ground.job, call) },
        Method("awaitTask", .of(.viewer)) { cloud, ground, call in
            _ = try await cloud.awaitTask(ground.job, atMost: .seconds(1), call)
        },
        Method("listTasks", .of(.viewer)) { cloud, ground, call in
            _ = try await cloud.listTasks(in: ground.environment, page: .all, call)
        },
        Method("cancelTask", .of(.editor)) { cloud, ground, call in _ = try await cloud.cancelTask(ground.job, call) },
        Method("listActivity", .of(.viewer)) { cloud, ground, call in
            _ = try await cloud.listActivity(ActivityFilter(environment: ground.environment), page: .all, call)
        },
        Method("listActivity", .ofOperators) { cloud, _, call in
            _ = try await cloud.listActivity(ActivityFilter(), page: .all, call)
        },
    ]
}
