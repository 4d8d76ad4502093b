import Foundation
import SnapshotDomain
import SnapshotPorts
import TestKit
import Testing

@testable import SnapshotServices

extension CloudTests {
    @Suite("refusals")
    struct Refusals {
        @Test("a resource of another environment is not found, as if it were not there")
        func otherEnvironment() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy()
                let volume = try await cloud.root(of: instance)
                let snapshot = try await cloud.snapshot(volume)
                let template = try #require(instance.template)
                let (abroad, call) = (cloud.abroad.id, cloud.call)
                try await cloud.expect(.notFound) { _ = try await $0.instance(instance.id, in: abroad, call) }
                try await cloud.expect(.notFound) { _ = try await $0.startInstance(instance.id, in: abroad, call) }
                try await cloud.expect(.notFound) {
                    _ = try await $0.stopInstance(instance.id, isForced: true, in: abroad, call)
                }
                try await cloud.expect(.notFound) {
                    _ = try await $0.deleteInstance(instance.id, DeleteInstanceRequest(), in: abroad, call)
                }
                try await cloud.expect(.notFound) { _ = try await $0.volume(volume.id, in: abroad, call) }
                try await cloud.expect(.notFound) { _ = try await $0.tree(of: volume.id, in: abroad, call) }
                try await cloud.expect(.notFound) { _ = try await $0.deleteVolume(volume.id, in: abroad, call) }
                try await cloud.expect(.notFound) {
                    _ = try await $0.takeSnapshots(TakeSnapshotRequest(target: .volume(volume.id)), in: abroad, call)
                }
                try await cloud.expect(.notFound) { _ = try await $0.snapshot(snapshot.id, in: abroad, call) }
                try await cloud.expect(.notFound) { _ = try await $0.deleteSnapshot(snapshot.id, in: abroad, call) }
                try await cloud.expect(.notFound) { _ = try await $0.export(snapshot.id, as: .raw, in: abroad, call) }
                try await cloud.expect(.notFound) {
                    _ = try await $0.revert(.snapshot(snapshot.id), restarts: true, in: abroad, call)
                }
                try await cloud.expect(.notFound) { _ = try await $0.template(template, in: abroad, call) }
                try await cloud.expect(.notFound) { _ = try await $0.deleteTemplate(template, in: abroad, call) }
                let deploy = DeployRequest(source: .template(template), name: try ResourceName("x"))
                try await cloud.expect(.notFound) { _ = try await $0.deploy(deploy, in: abroad, call) }
                try await cloud.checkInvariants()
            }
        }

        @Test("a public template is deployed elsewhere and changed at home only")
        func publicTemplate() async throws {
            try await withCloud { cloud in
                let template = try await cloud.makeTemplate("shared", isPublic: true)
                let (abroad, call) = (cloud.abroad.id, cloud.call)
                #expect(try await cloud.cloud.template(template.id, in: abroad, call).template.id == template.id)
                try await cloud.expect(.notAllowed) { _ = try await $0.deleteTemplate(template.id, in: abroad, call) }
                let submitted = try await cloud.cloud.deploy(
                    DeployRequest(source: .template(template.id), name: try ResourceName("x"), startsInstances: false),
                    in: abroad,
                    call
                )
                try await cloud.done(submitted.job)
                try await cloud.done(try await cloud.cloud.deleteTemplate(template.id, in: cloud.home.id, call))
                try await cloud.checkInvariants()
            }
        }

        @Test("a taken name is refused for each kind of thing")
        func takenNames() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy("web01")
                let volume = try await cloud.root(of: instance)
                let snapshot = try await cloud.snapshot(volume, "taken")
                let other = try await cloud.snapshot(volume, "other")
                let template = try await cloud.makeTemplate("golden")
                let (home, call) = (cloud.home.id, cloud.call)
                try await cloud.expect(.nameTaken) {
                    _ = try await $0.takeSnapshots(
                        TakeSnapshotRequest(target: .volume(volume.id), name: snapshot.name),
                        in: home,
                        call
                    )
                }
                try await cloud.expect(.nameTaken) {
                    _ = try await $0.updateSnapshot(other.id, name: snapshot.name, description: nil, in: home, call)
                }
                try await cloud.expect(.nameTaken) {
                    _ = try await $0.createVolume(
                        CreateVolumeRequest(source: .blank(.mebibytes(1)), name: volume.name),
                        in: home,
                        call
                    )
                }
                try await cloud.expect(.nameTaken) {
                    _ = try await $0.deploy(
                        DeployRequest(source: .template(template.id), name: instance.name),
                        in: home,
                        call
                    )
                }
                try await cloud.expect(.nameTaken) {
                    _ = try await $0.createTemplate(
                        CreateTemplateRequest(source: .snapshot(snapshot.id, isFull: false), name: template.name),
                        in: home,
                        call
                    )
                }
                try await cloud.expect(.nameTaken) {
                    _ = try await $0.createEnvironment(name: cloud.abroad.name, description: "", call)
                }
                try await cloud.expect(.nameTaken) {
                    _ = try await $0.updateEnvironment(home, name: cloud.abroad.name, description: nil, call)
                }
                try await cloud.checkInvariants()
            }
        }

        @Test("what is being deleted, attached or of the wrong kind is refused with the reason")
        func wrongStates() async throws {
            try await withCloud { cloud in
                let instance = try await cloud.deploy(dataVolume: true)
                let volumes = try await cloud.volumes(of: instance)
                let data = try await cloud.snapshot(volumes[1], "data")
                let (home, call) = (cloud.home.id, cloud.call)
                try await cloud.expect(.inUse) { _ = try await $0.deleteVolume(volumes[0].id, in: home, call) }
                try await cloud.expect(.inUse) { _ = try await $0.deleteVolume(volumes[1].id, in: home, call) }
                try await cloud.expect(.inUse) {
                    _ = try await $0.attachVolume(volumes[1].id, to: instance.id, in: home, call)
                }
                try await cloud.expect(.wrongState) { _ = try await $0.detachVolume(volumes[0].id, in: home, call) }
                try await cloud.expect(.invalidInput) {
                    _ = try await $0.createTemplate(
                        CreateTemplateRequest(source: .snapshot(data.id, isFull: false), name: try ResourceName("t")),
                        in: home,
                        call
                    )
                }
                try await cloud.expect(.invalidInput) {
                    _ = try await $0.deploy(
                        DeployRequest(source: .snapshot(data.id), name: try ResourceName("x")),
                        in: home,
                        call
                    )
                }
                try await cloud.expect(.wrongState) {
                    _ = try await $0.revert(.undo(volumes[0].id), restarts: true, in: home, call)
                }
                let loose = try await cloud.makeVolume("loose")
                try await cloud.expect(.wrongState) { _ = try await $0.detachVolume(loose.id, in: home, call) }
                let snapshot = try await cloud.snapshot(loose, "left")
                try await cloud.done(try await cloud.cloud.deleteVolume(loose.id, in: home, call))
                try await cloud.expect(.wrongState) {
                    _ = try await $0.revert(.snapshot(snapshot.id), restarts: true, in: home, call)
                }
                try await cloud.expect(.wrongState) { _ = try await $0.screenshot(of: instance.id, in: home, call) }
                try await cloud.checkInvariants()
            }
        }

        @Test("numbers out of their bounds are refused before anything is recorded")
        func bounds() async throws {
            try await withCloud { cloud in
                let template = try await cloud.makeTemplate()
                let volume = try await cloud.makeVolume("disk")
                let (home, call) = (cloud.home.id, cloud.call)
                let before = try await cloud.cloud.listTasks(in: home, page: .all, call).total
                func deploy(_ change: (inout DeployRequest) -> Void) async throws {
                    var request = DeployRequest(source: .template(template.id), name: try ResourceName("x"))
                    change(&request)
                    try await cloud.expect(.invalidInput) { [request] in
                        _ = try await $0.deploy(request, in: home, call)
                    }
                }
                try await deploy { $0.count = 0 }
                try await deploy { $0.count = 101 }
                try await deploy { $0.computeOffering = "gigantic" }
                try await deploy { $0.computeOffering = "custom" }
                try await deploy { $0.rootVolumeSize = .mebibytes(1) }
                try await deploy { $0.dataVolumeSize = .gibibytes(1 << 30) }
                try await deploy { request in
                    request.attaching = volume.id
                    request.count = 2
                }
                for size in [ByteCount(0), ByteCount(1), .mebibytes(1) + ByteCount(1), .gibibytes(17 << 10)] {
                    try await cloud.expect(.invalidInput) {
                        _ = try await $0.createVolume(
                            CreateVolumeRequest(source: .blank(size), name: try ResourceName("v")),
                            in: home,
                            call
                        )
                    }
                }
                try await cloud.expect(.invalidInput) {
                    _ = try await $0.resizeVolume(volume.id, to: .mebibytes(1), in: home, call)
                }
                try await cloud.expect(.invalidInput) {
                    var request = TakeSnapshotRequest(target: .volume(volume.id))
                    request.consistency.maxFreezeMilliseconds = 1
                    _ = try await $0.takeSnapshots(request, in: home, call)
                }
                try await cloud.expect(.invalidInput) {
                    _ = try await $0.createTemplate(
                        CreateTemplateRequest(
                            source: .file(path: "/nowhere", format: "vmdk", isUpload: false),
                            name: try ResourceName("t")
                        ),
                        in: home,
                        call
                    )
                }
                #expect(try await cloud.cloud.listTasks(in: home, page: .all, call).total == before)
            }
        }

        @Test(
            "names that could become paths, hide something or go on for ever are refused",
            arguments: [
                "", " ", "../etc/passwd", "a/b", #"a\b"#, "a\u{0}b", "line\nbreak", "tab\t", "\u{202E}gpj.exe",
                "\u{200B}x",
                " before", "after ", String(repeating: "n", count: 300),
            ]
        )
        func names(_ text: String) {
            let error = #expect(throws: ServiceError.self) { try ResourceName(text) }
            #expect(error?.code == .invalidInput)
        }

        @Test("a pool without room refuses work and says what to do")
        func noSpace() async throws {
            var settings = Settings.forTests
            settings.reserve = .gibibytes(1 << 20)
            try await withCloud(settings: settings) { cloud in
                let submitted = try await cloud.cloud.createVolume(
                    CreateVolumeRequest(source: .blank(.mebibytes(1)), name: try ResourceName("v")),
                    in: cloud.home.id,
                    cloud.call
                )
                let reason = try await cloud.failure(of: submitted.job)
                #expect(reason.code == .noSpace)
                #expect(reason.message.contains("Delete snapshots"))
                try await cloud.checkInvariants()
                #expect(try await cloud.catalog.read { try $0.findVolume(submitted.resource.volume.id) } == nil)
            }
        }

        @Test("every fault of a port has its words at the service boundary")
        func faults() {
            for code in BlockStoreFault.Code.allCases {
                #expect(ServiceError(reporting: BlockStoreFault(code, .notDone, "why")).message == "why")
            }
            for code in HypervisorFault.Code.allCases {
                #expect(ServiceError(reporting: HypervisorFault(code, .notDone, "why")).message == "why")
            }
            for code in ImageFetchFault.Code.allCases {
                #expect(ServiceError(reporting: ImageFetchFault(code, .notDone, "why")).message == "why")
            }
            for code in CatalogFault.Code.allCases {
                #expect(ServiceError(reporting: CatalogFault(code, .notDone, "why")).message == "why")
            }
            let codes: [CatalogFault.Code: ServiceError.Code] = [
                .nameTaken: .nameTaken, .conflict: .wrongState, .refused: .internalError, .noSpace: .noSpace,
            ]
            for (code, told) in codes {
                #expect(ServiceError(reporting: CatalogFault(code, .notDone, "why")).code == told)
            }
            #expect(ServiceError(reporting: CancellationError()).code == .cancelled)
            #expect(ServiceError(reporting: SimulatedCrash()).code == .internalError)
        }
    }
}

extension TestCloud {
    /// Expects a call to be refused.
    func expect(
        _ code: ServiceError.Code,
        _ location: SourceLocation = #_sourceLocation,
        _ body: (LocalCloud) async throws -> Void
    ) async throws {
        let error = await #expect(throws: ServiceError.self, sourceLocation: location) { try await body(cloud) }
        #expect(error?.code == code, "\(String(describing: error))", sourceLocation: location)
    }
}
