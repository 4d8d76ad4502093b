import Foundation
import QEMU
import SnapshotDomain
import SnapshotPorts
import Testing

@Suite("Disks as QEMU opens them")
struct OpenableDiskTests {
    private let image = RBDDisk(
        nodeName: ImageNode(.random()).name,
        pool: "vms",
        namespace: "lab",
        image: "instanta.1",
        configuration: "/etc/ceph/ceph.conf",
        user: "instanta"
    )

    @Test("an image of a cluster is described, and read as it was written")
    func description() throws {
        let source = try DiskSource(image)
        #expect(source.scheme == "qemu-rbd")
        #expect(try source.blockChain() == nil)
        #expect(try OpenableDisk(source) == .image(image))
        #expect(try DiskSource(image) == source)
    }

    @Test("an image is opened as one node, by what was configured and nothing else")
    func arguments() throws {
        let arguments = try #require(OpenableDisk.image(image).blockdevArguments().first)
        #expect(OpenableDisk.image(image).topNode == image.nodeName)
        #expect(arguments["driver"] == "rbd")
        #expect(arguments["node-name"]?.string == image.nodeName)
        #expect(arguments["namespace"] == "lab")
        #expect(arguments["read-only"] == false)
        #expect(arguments["discard"] == "unmap")
        var plain = image
        plain.namespace = nil
        let few = plain.blockdevArguments(nodeName: "other", isWritable: false, snapshot: "one")
        #expect(few["namespace"] == nil)
        #expect(few["node-name"] == "other")
        #expect(few["read-only"] == true)
        #expect(few["snapshot"] == "one")
    }

    @Test("a chain without layers, and what lies elsewhere, are no disks; a damaged description is an error")
    func refused() throws {
        #expect(try OpenableDisk(DiskSource(BlockChain([]))) == nil)
        #expect(try OpenableDisk(DiskSource(scheme: "elsewhere", description: Data())) == nil)
        #expect(throws: (any Error).self) {
            try OpenableDisk(DiskSource(scheme: "qemu-rbd", description: Data("no JSON".utf8)))
        }
    }
}
