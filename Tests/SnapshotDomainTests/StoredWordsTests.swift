import SnapshotDomain
import Testing

/// Words that are in catalogs and on the wire.
///
/// They may be added to; a change of one is a migration.
@Suite("Stored words are frozen")
struct StoredWordsTests {
    @Test("states and phases")
    func states() {
        #expect(
            ResourceState.Word.allCases.map(\.rawValue) == ["creating", "available", "deleting", "failed", "destroyed"]
        )
        #expect(Layer.Phase.allCases.map(\.rawValue) == ["building", "ready", "doomed"])
        #expect(Instance.Power.allCases.map(\.rawValue) == ["running", "stopped"])
        #expect(ActivityEntry.Status.allCases.map(\.rawValue) == ["started", "succeeded", "failed", "cancelled"])
    }

    @Test("kinds")
    func kinds() {
        #expect(Volume.Role.allCases.map(\.rawValue) == ["root", "data"])
        #expect(Role.allCases.map(\.rawValue) == ["viewer", "editor", "owner"])
        #expect(
            ResourceReference.Kind.allCases.map(\.rawValue)
                == ["volume", "snapshot", "snapshot_group", "template", "instance"]
        )
        #expect(NetworkMode.allCases.map(\.rawValue) == ["isolated", "user"])
        #expect(ConsistencyMode.allCases.map(\.rawValue) == ["crash", "filesystem", "memory"])
        #expect(ConsistencyRequest.OnMiss.allCases.map(\.rawValue) == ["settle", "fail"])
        #expect(
            OSType.all.map(\.id) == [
                "other-linux-64", "debian-12", "ubuntu-24.04", "rhel-9", "windows-server-2022", "other-64",
            ]
        )
        #expect(ComputeOffering.builtIn.map(\.id) == ["tiny", "small", "medium", "large", "custom"])
        #expect(DiskOffering.builtIn.map(\.id) == ["disk-1", "disk-10", "disk-100", "custom"])
    }

    @Test("jobs")
    func jobs() {
        #expect(
            Job.Kind.allCases.map(\.rawValue) == [
                "create_snapshots", "delete_snapshot", "verify_snapshot", "revert_volumes", "create_volume",
                "delete_volume", "attach_volume", "detach_volume", "resize_volume", "move_volume", "create_template",
                "import_template", "delete_template", "deploy_instances", "start_instance", "stop_instance",
                "reboot_instance", "delete_instance", "delete_environment", "destroy_instance", "restore_instance",
            ]
        )
    }

    @Test("codes of errors")
    func errors() {
        #expect(
            ServiceError.Code.allCases.map(\.rawValue) == [
                "invalid_input", "not_authenticated", "not_allowed", "not_found", "name_taken", "wrong_state",
                "in_use", "no_space", "limit_exceeded", "bad_image", "guest_failed", "damaged", "unavailable",
                "cancelled", "internal_error",
            ]
        )
    }
}
