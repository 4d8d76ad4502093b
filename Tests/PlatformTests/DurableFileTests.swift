import Foundation
import Platform
import Testing

@Suite("Durable files")
struct DurableFileTests {
    private func names(in directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    }

    @Test("replacing creates a file and then changes it, and leaves nothing beside it")
    func replace() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/file"
            try DurableFile.replace(path, with: Data("one".utf8), mode: 0o640)
            try DurableFile.replace(path, with: Data("two".utf8), mode: 0o640)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "two")
            #expect(try names(in: directory) == ["file"])
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o640)
        }
    }

    @Test("replacing swaps the file, so that a reader of the old one keeps it")
    func replaceKeepsReaders() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/file"
            try DurableFile.replace(path, with: Data("one".utf8))
            let reader = try #require(FileHandle(forReadingAtPath: path))
            try DurableFile.replace(path, with: Data("two".utf8))
            #expect(try reader.readToEnd() == Data("one".utf8))
        }
    }

    @Test("a replacement that cannot be made leaves the directory as it was")
    func replaceFails() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/occupied"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            let fault = try await fault { try DurableFile.replace(path, with: Data()) }
            #expect(fault.outcome == .notDone)
            #expect(fault.errno == EISDIR)
            #expect(try names(in: directory) == ["occupied"])
        }
    }

    @Test("creating exclusively never touches what is there")
    func createExclusive() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/file"
            try DurableFile.createExclusive(path, with: Data("one".utf8))
            let fault = try await fault { try DurableFile.createExclusive(path, with: Data("two".utf8)) }
            #expect(fault.code == .exists)
            #expect(fault.outcome == .notDone)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "one")
            #expect(try names(in: directory) == ["file"])
        }
    }

    @Test("a missing directory is not found and not made")
    func missingDirectory() async throws {
        try await withTemporaryDirectory { directory in
            let fault = try await fault { try DurableFile.replace("\(directory)/no/file", with: Data()) }
            #expect(fault.code == .notFound)
            #expect(fault.outcome == .notDone)
        }
    }

    @Test("removing can be repeated, and takes files and empty directories")
    func remove() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/file"
            try DurableFile.replace(path, with: Data())
            try DurableFile.remove(path)
            try DurableFile.remove(path)
            try DurableFile.remove("\(directory)/no/file")
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            try DurableFile.remove(path)
            #expect(try names(in: directory).isEmpty)
        }
    }

    @Test("a directory with content is not removed")
    func removeOccupied() async throws {
        try await withTemporaryDirectory { directory in
            try DurableFile.replace("\(directory)/file", with: Data())
            let fault = try await fault { try DurableFile.remove(directory) }
            #expect(fault.code == .exists)
            #expect(fault.outcome == .notDone)
        }
    }

    @Test("renaming moves between directories and replaces")
    func rename() async throws {
        try await withTemporaryDirectory { directory in
            try FileManager.default.createDirectory(atPath: "\(directory)/sub", withIntermediateDirectories: false)
            try DurableFile.replace("\(directory)/a", with: Data("a".utf8))
            try DurableFile.replace("\(directory)/sub/b", with: Data("b".utf8))
            try DurableFile.sync(file: "\(directory)/a")
            try DurableFile.rename("\(directory)/a", to: "\(directory)/sub/b")
            #expect(try String(contentsOfFile: "\(directory)/sub/b", encoding: .utf8) == "a")
            #expect(try names(in: directory) == ["sub"])
            let fault = try await fault { try DurableFile.rename("\(directory)/a", to: "\(directory)/c") }
            #expect(fault.code == .notFound)
        }
    }

    @Test("tells a sparse file's length from the space it takes")
    func facts() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/sparse"
            try DurableFile.replace(path, with: Data(repeating: 1, count: 4096))
            let file = try #require(FileHandle(forWritingAtPath: path))
            try file.truncate(atOffset: 1 << 30)
            try file.synchronize()
            let facts = try FileFacts.get(path)
            #expect(facts.length == 1 << 30)
            #expect(facts.allocatedBytes >= 4096)
            #expect(facts.allocatedBytes < 1 << 20)
            #expect(!facts.isDirectory)
            #expect(try FileFacts.find("\(directory)/none") == nil)
            let fault = try await fault { _ = try FileFacts.get("\(directory)/none") }
            #expect(fault.code == .notFound)
        }
    }

    @Test("tells the space of a file system")
    func space() async throws {
        try await withTemporaryDirectory { directory in
            let space = try FileSystemSpace.at(directory)
            #expect(space.totalBytes > 0)
            #expect(space.availableBytes <= space.totalBytes)
            let fault = try await fault { _ = try FileSystemSpace.at("\(directory)/none") }
            #expect(fault.code == .notFound)
        }
    }
}
