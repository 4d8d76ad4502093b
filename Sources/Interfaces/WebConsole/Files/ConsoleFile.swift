import ConsoleFiles
import Crypto
import Foundation

/// A file of the console, embedded in the program.
struct ConsoleFile: Sendable {
    /// Below the folder of the console's files, such as `pages/layout.mustache`.
    let path: String
    let bytes: Data

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The last part of the path without its extension.
    var name: String {
        let file = path.split(separator: "/").last ?? ""
        return String(file.split(separator: ".").first ?? file)
    }

    /// Every embedded file.
    static let all: [ConsoleFile] = {
        var files: [ConsoleFile] = []
        while true {
            let file = console_file_at(files.count)
            guard let path = file.path, let bytes = file.bytes else { return files }
            files.append(ConsoleFile(path: String(cString: path), bytes: Data(bytes: bytes, count: file.length)))
        }
    }()

    static func all(in folder: String) -> [ConsoleFile] {
        all.filter { $0.path.hasPrefix(folder + "/") }
    }
}

/// A file that browsers fetch: under an address that changes with its content, so that they keep it for ever.
struct Asset: Sendable {
    let file: ConsoleFile
    /// Such as `/assets/0f3a…/console.css`.
    let address: String
    let type: String

    init(_ file: ConsoleFile) {
        self.file = file
        let digest = SHA256.hash(data: file.bytes).prefix(6).map {
            String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
        }
        let fileName = file.path.split(separator: "/").last ?? ""
        address = "/assets/\(digest.joined())/\(fileName)"
        type =
            switch fileName.split(separator: ".").last {
            case "css": "text/css; charset=utf-8"
            case "js": "text/javascript; charset=utf-8"
            case "svg": "image/svg+xml"
            default: "application/octet-stream"
            }
    }

    static let all = ConsoleFile.all(in: "assets").map(Asset.init)

    /// The address of a file by its name; one that leads nowhere for a name that no file has.
    static func address(_ fileName: String) -> String {
        all.first { $0.address.hasSuffix("/" + fileName) }?.address ?? "/assets/missing/\(fileName)"
    }
}
