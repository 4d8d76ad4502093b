import Foundation
import FoundationNetworking

/// Reads an instance's console from where it stopped.
struct ConsoleReader: Sendable {
    let call: Call
    let instance: String
    private var offset: Int64 = 0
    private var filter = ConsoleFilter()

    init(call: Call, instance: String) {
        self.call = call
        self.instance = instance
    }

    /// Writes everything from the last place on to the output.
    mutating func readAll() async throws {
        while try await readChunk() {}
    }

    /// Whether there may be more.
    private mutating func readChunk() async throws -> Bool {
        let endpoint = try await call.endpoint(.instance, instance, "console", query: ["offset": String(offset)])
        let (text, response) = try await call.client.bytes(endpoint)
        if call.surroundings.terminal.isOutput {
            try call.surroundings.emit(Data(filter.pass(String(decoding: text, as: UTF8.self)).utf8))
        } else {
            try call.surroundings.emit(text)
        }
        guard let next = response.value(forHTTPHeaderField: "X-Next-Offset").flatMap({ Int64($0) }), next > offset
        else {
            return false
        }
        offset = next
        return true
    }
}
