import Foundation
import Platform
import QEMU
import SnapshotDomain
import SnapshotPorts
import Testing

@testable import HypervisorQEMU

@Suite("A console's log")
struct ConsoleLogTests {
    private func withLog(_ content: [UInt8], _ body: (ConsoleLog) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            try Data(content).write(to: URL(fileURLWithPath: "\(directory)/console.log"))
            try await body(ConsoleLog(path: "\(directory)/console.log"))
        }
    }

    @Test("is read piece by piece, without a gap and without cutting a character", arguments: 1...7)
    func pieces(limit: Int) async throws {
        let text = "año 2026 €\n😀 ende"
        try await withLog(Array(text.utf8)) { log in
            var read = ""
            var offset: Int64 = 0
            for _ in 0..<100 {
                let piece = try log.read(from: offset, atMost: max(4, limit))
                guard piece.nextOffset > offset else { break }
                read += piece.text
                offset = piece.nextOffset
            }
            #expect(read == text)
        }
    }

    @Test("that is no text is read all the same")
    func rubbish() async throws {
        try await withLog([0x80, 0xFF, 0x41, 0xF0]) { log in
            let piece = try log.read(from: 0, atMost: 100)
            #expect(piece.text == "\u{FFFD}\u{FFFD}A\u{FFFD}")
            #expect(piece.nextOffset == 4)
        }
    }

    @Test(
        "beyond its end there is nothing, and a negative offset counts from there",
        arguments: [(10, "", 10), (99, "", 10), (-3, "789", 10), (-99, "01234", 5)] as [(Int64, String, Int64)]
    )
    func ends(offset: Int64, text: String, next: Int64) async throws {
        try await withLog(Array("0123456789".utf8)) { log in
            let piece = try log.read(from: offset, atMost: 5)
            #expect(piece == ConsoleText(text: text, nextOffset: next))
        }
    }

    @Test("gives old space back, keeps its offsets, and says what is gone")
    func trimming() async throws {
        let line = "a line of thirty-two characters\n"
        let count = Int(ConsoleLog.largest) / line.utf8.count + 100_000
        try await withLog(Array(String(repeating: line, count: count).utf8)) { log in
            let length = try FileFacts.get(log.path).length
            try log.trim()
            let facts = try FileFacts.get(log.path)
            try #require(facts.length == length)
            try #require(facts.allocatedBytes < ConsoleLog.largest, "this file system has no holes")
            let piece = try log.read(from: 0, atMost: 64)
            #expect(piece.text.hasPrefix("["))
            #expect(piece.text.hasSuffix("gone]\n" + line + line))
            #expect(piece.nextOffset > length - ConsoleLog.kept - 8_192)
            #expect(try log.read(from: -32, atMost: 64).text == line)
        }
    }
}

@Suite("Machine folders")
struct MachineFolderTests {
    @Test("a record is read as it was written")
    func record() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/machine.json"
            #expect(try MachineRecord.find(path) == nil)
            var record = MachineRecord(try description())
            record.expected = .running
            record.sshPort = 4_022
            record.leaving = [3: [LayerNode(.random()).name, ImageNode(.random()).name]]
            try record.save(to: path)
            #expect(try MachineRecord.find(path) == record)
        }
    }

    @Test("a short folder needs no link, a deep one gets one that sockets fit behind")
    func alias() async throws {
        try await withTemporaryDirectory { directory in
            let runtime = "\(directory)/run"
            #expect(try SocketAlias.make(for: "\(directory)/m", in: runtime) == "\(directory)/m")
            let deep = "\(directory)/" + String(repeating: "d", count: 90)
            try FileManager.default.createDirectory(atPath: deep, withIntermediateDirectories: true)
            let link = try SocketAlias.make(for: deep, in: runtime)
            let folder = MachineFolder(id: .random(), machines: deep, sockets: link)
            #expect(folder.spareMonitor.utf8.count <= 107)
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == deep)
            #expect(try SocketAlias.make(for: deep, in: runtime) == link)
        }
    }

    @Test("links to folders that are gone are swept")
    func staleLinks() async throws {
        try await withTemporaryDirectory { directory in
            let runtime = "\(directory)/run"
            let folders = ["a", "b"].map { "\(directory)/" + String(repeating: $0, count: 90) }
            for folder in folders {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            }
            let gone = try SocketAlias.make(for: folders[0], in: runtime)
            try FileManager.default.removeItem(atPath: folders[0])
            let kept = try SocketAlias.make(for: folders[1], in: runtime)
            let names = try FileManager.default.contentsOfDirectory(atPath: runtime)
            #expect(names == [(kept as NSString).lastPathComponent])
            #expect(kept != gone)
        }
    }

    @Test("a folder that others may write to is not trusted with links")
    func openFolder() async throws {
        try await withTemporaryDirectory { directory in
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: directory)
            let deep = "\(directory)/" + String(repeating: "d", count: 90)
            #expect(throws: PlatformFault.self) { try SocketAlias.make(for: deep, in: directory) }
        }
    }
}

@Suite("Command lines")
struct CommandLineTests {
    @Test(
        "an instance's name becomes a host name",
        arguments: [
            ("web01", "web01"), ("Web Server_1", "Web-Server-1"), ("--ñ--", "instance"), ("a,b=c", "a-b-c"),
            (String(repeating: "x", count: 62) + " y", String(repeating: "x", count: 62)),
        ]
    )
    func hostname(name: String, hostname: String) throws {
        #expect(try line(name: name).hostname == hostname)
    }

    @Test("an isolated machine has no network card")
    func isolation() throws {
        #expect(try !line(network: .isolated).words.contains { $0.contains("net") })
        #expect(try line(network: .user).words.contains { $0.contains("hostfwd=tcp:127.0.0.1:0-:22") })
    }

    @Test("the serial number of a disk fits into what virtio has for it, and is its volume's own")
    func serial() {
        let volumes = (0..<100).map { _ in VolumeID.random() }
        let serials = volumes.map { MachineCommandLine.serial(of: $0) }
        #expect(serials.allSatisfy { $0.utf8.count == 20 })
        #expect(Set(serials).count == volumes.count)
    }

    @Test("the slot of a disk is read from its name and from its path, and of nothing else")
    func slots() {
        #expect(MachineCommandLine.slot(ofDisk: "disk7") == 7)
        #expect(MachineCommandLine.slot(ofDisk: "/machine/peripheral/disk12/virtio-backend") == 12)
        for other in [
            "", "port3", "/machine/peripheral/port3", "/machine/peripheral/", "disk", "/machine/unattached/x",
        ] {
            #expect(MachineCommandLine.slot(ofDisk: other) == nil)
        }
    }

    private func line(name: String = "web", network: NetworkMode = .isolated) throws -> MachineCommandLine {
        MachineCommandLine(
            machine: try description(name: name, network: network),
            openables: [:],
            folder: MachineFolder(id: .random(), machines: "/m", sockets: "/s"),
            accelerator: .tcg,
            sshPort: 0
        )
    }
}

private func description(name: String = "web", network: NetworkMode = .isolated) throws -> MachineDescription {
    MachineDescription(
        id: .random(),
        name: try ResourceName(name),
        cpuCount: 1,
        memory: .mebibytes(64),
        macAddress: "52:54:00:12:34:56",
        network: network,
        disks: []
    )
}
