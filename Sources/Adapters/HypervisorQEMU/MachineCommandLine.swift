import QEMU
import SnapshotDomain
import SnapshotPorts

/// The words after `qemu-system-x86_64` for one machine.
///
/// Every device has a fixed place, so that a guest finds the same hardware after every start: the screen, the agent's
/// channel, the network and the source of randomness in the first slots of the bus, and a root port for every disk,
/// present or still to come. The machine type is pinned, for the same reason. Fifteen root ports and a screen cost no
/// boot time that could be measured (`-cpu max` neither; the network card's boot ROM does, and is left out).
struct MachineCommandLine {
    /// Pinned: a guest finds the same machine after every start, and a saved memory fits it.
    static let machineType = "pc-q35-7.2"
    /// The disks that fit: the root disk and those that can be added.
    static let slots = 0...VolumeLimits.dataVolumesPerInstance

    var machine: MachineDescription
    /// What each disk is opened as, by slot.
    var openables: [Int: OpenableDisk]
    var folder: MachineFolder
    var accelerator: SnapshotPorts.Accelerator.Kind
    /// The port on loopback for the guest's SSH; 0 lets the kernel choose one.
    var sshPort: Int
    /// Whether the machine waits for its memory instead of beginning anew.
    var isLoading = false

    var words: [String] {
        (isLoading ? ["-incoming", "defer"] : []) + process + board + monitors + console + agent + randomness + network
            + screen + disks
    }

    private var process: [String] {
        [
            "-name", "guest=\(hostname),debug-threads=on",
            "-uuid", machine.id.description,
            "-pidfile", folder.pidFile,
            "-nodefaults", "-no-user-config", "-display", "none",
            "-msg", "timestamp=on",
            // A guest that breaks out of its devices can start no program and gain no privilege.
            "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
        ]
    }

    private var board: [String] {
        [
            "-machine", Self.machineType,
            "-accel", accelerator == .kvm ? "kvm" : "tcg,thread=multi,tb-size=128",
            // All that the accelerator can do: recent distributions refuse to run on QEMU's default processor.
            "-cpu", "max",
            "-smp", "\(machine.cpuCount)",
            "-m", "\(machine.memory.rounded(upTo: 1 << 20).bytes >> 20)M",
            // Read by cloud-init and by the demo guest.
            "-smbios", "type=1,serial=ds=nocloud;h=\(hostname)",
            // Processors wait until the service has the machine in hand.
            "-S",
            // A guest that powers off ends the process; one that reboots is reset, one that panics goes on as it likes.
            "-action", "reboot=reset,shutdown=poweroff,panic=none",
            "-device", "pvpanic",
        ]
    }

    private var monitors: [String] {
        [folder.monitor, folder.spareMonitor, folder.guardMonitor].enumerated().flatMap { index, path in
            [
                "-chardev", "socket,id=monitor\(index),path=\(optionValue(path)),server=on,wait=off",
                "-mon", "chardev=monitor\(index),mode=control",
            ]
        }
    }

    private var console: [String] {
        ["-chardev", "file,id=console,path=\(optionValue(folder.console)),append=on", "-serial", "chardev:console"]
    }

    private var agent: [String] {
        [
            "-device", "virtio-serial-pci,id=channels,bus=pcie.0,addr=0x2",
            "-chardev", "socket,id=\(Self.agentChannel),path=\(optionValue(folder.agent)),server=on,wait=off",
            "-device", "virtserialport,bus=channels.0,chardev=\(Self.agentChannel),name=org.qemu.guest_agent.0",
        ]
    }

    private var randomness: [String] {
        [
            "-object", "rng-random,id=randomness,filename=/dev/urandom",
            "-device", "virtio-rng-pci,rng=randomness,bus=pcie.0,addr=0x4",
        ]
    }

    private var network: [String] {
        guard machine.network == .user else { return [] }
        return [
            "-netdev", "user,id=net,hostfwd=tcp:127.0.0.1:\(sshPort)-:22",
            "-device", "virtio-net-pci,netdev=net,mac=\(machine.macAddress),romfile=,bus=pcie.0,addr=0x3",
        ]
    }

    private var screen: [String] { ["-device", "VGA,bus=pcie.0,addr=0x1"] }

    private var disks: [String] {
        let ports = Self.slots.flatMap { slot in
            let place = "addr=\(slot < 8 ? "0x10" : "0x11").\(slot % 8)" + (slot % 8 == 0 ? ",multifunction=on" : "")
            return ["-device", "pcie-root-port,id=\(Self.port(slot)),chassis=\(slot + 1),bus=pcie.0,\(place)"]
        }
        // Disks may share ancestors, as a volume and the clone of its snapshot do. A layer is opened once.
        var opened: Set<String> = []
        let nodes = openables.sorted { $0.key < $1.key }
            .flatMap { $0.value.blockdevArguments() }
            .filter { node in node["node-name"]?.string.map { opened.insert($0).inserted } ?? false }
            .flatMap { ["-blockdev", JSONValue.object($0).text] }
        let bootSlot = machine.disks.map(\.slot).min()
        let devices = machine.disks.sorted { $0.slot < $1.slot }.flatMap { disk -> [String] in
            guard let openable = openables[disk.slot] else { return [] }
            var device = Self.device(for: disk, node: openable.topNode)
            if disk.slot == bootSlot { device["bootindex"] = 0 }
            return ["-device", JSONValue.object(device).text]
        }
        return ports + nodes + devices
    }

    /// The instance's name as a host name: letters, digits and inner hyphens, at most 63.
    var hostname: String {
        let mapped = machine.name.description.map { character in
            character.isASCII && (character.isLetter || character.isNumber) ? character : "-"
        }
        let trimmed = String(mapped.drop { $0 == "-" }.prefix(63).reversed().drop { $0 == "-" }.reversed())
        return trimmed.isEmpty ? "instance" : trimmed
    }
}

extension MachineCommandLine {
    static let agentChannel = "agent"

    /// The identifier of the disk in a slot, as QEMU knows it.
    static func disk(_ slot: Int) -> String { "disk\(slot)" }

    /// The slot of a disk by its identifier or its path in QEMU's tree of objects; nil for other devices.
    static func slot(ofDisk name: String) -> Int? {
        let folder = "/machine/peripheral/"
        let identifier = name.hasPrefix(folder) ? name.dropFirst(folder.count).prefix { $0 != "/" } : name[...]
        guard identifier.hasPrefix("disk") else { return nil }
        return Int(identifier.dropFirst(4))
    }

    /// The arguments of `device_add` for a disk.
    ///
    /// An error of the pool is the guest's to handle, as that of a real disk: QEMU must never stop a machine for it.
    static func device(for disk: MachineDisk, node: String) -> [String: JSONValue] {
        [
            "driver": "virtio-blk-pci",
            "id": .string(self.disk(disk.slot)),
            "bus": .string(port(disk.slot)),
            "drive": .string(node),
            "serial": .string(serial(of: disk.volume)),
            "werror": "report",
            "rerror": "report",
        ]
    }

    /// What the guest sees as the disk's serial number: virtio has room for 20 characters, a UUID has 32 digits.
    static func serial(of volume: VolumeID) -> String {
        String(volume.description.filter { $0 != "-" }.prefix(20))
    }

    private static func port(_ slot: Int) -> String { "port\(slot)" }
}
