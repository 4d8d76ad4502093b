import Foundation
import SnapshotDomain

/// Reads a recorded program back, by the kind of its job.
enum ProgramRegistry {
    static func program(of job: Job) throws -> any JobProgram {
        try type(of: job.kind).decode(job.program)
    }

    /// Exhaustive, so that a new kind cannot be forgotten.
    private static func type(of kind: Job.Kind) -> any JobProgram.Type {
        switch kind {
        case .createSnapshots: TakeSnapshots.self
        case .deleteSnapshot: DeleteSnapshot.self
        case .verifySnapshot: VerifySnapshot.self
        case .revertVolumes: RevertVolumes.self
        case .createVolume: CreateVolume.self
        case .deleteVolume: DeleteVolume.self
        case .attachVolume: AttachVolume.self
        case .detachVolume: DetachVolume.self
        case .resizeVolume: ResizeVolume.self
        case .moveVolume: MoveVolume.self
        case .createTemplate: CreateTemplate.self
        case .importTemplate: ImportTemplate.self
        case .deleteTemplate: DeleteTemplate.self
        case .deployInstances: DeployInstances.self
        case .startInstance: StartInstance.self
        case .stopInstance: StopInstance.self
        case .rebootInstance: RebootInstance.self
        case .deleteInstance: DeleteInstance.self
        case .destroyInstance: DestroyInstance.self
        case .restoreInstance: RestoreInstance.self
        case .deleteEnvironment: DeleteEnvironment.self
        }
    }
}

extension JobProgram {
    static func decode(_ data: Data) throws -> any JobProgram {
        try JSONDecoder().decode(Self.self, from: data)
    }

    func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return try encoder.encode(self)
    }
}
