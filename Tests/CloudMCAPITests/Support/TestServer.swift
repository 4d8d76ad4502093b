import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import SnapshotServices
import TestKit

@testable import CloudMCAPI
@testable import HTTPCommon

/// The API on a port of the loopback, for what only shows on a connection.
struct TestServer {
    let port: Int
    let log: LogCollector

    /// Serves while the body runs, and not a moment longer.
    static func run(_ cloud: any CloudService, _ body: (TestServer) async throws -> Void) async throws {
        let router = makeApplicationRouter(faces: [CloudMCRoutes.errorFace])
        CloudMCRoutes(cloud: cloud, accounts: .ofNobody, configuration: CloudMCConfiguration()).add(to: router)
        try await run(router, body)
    }

    /// Serves any routes.
    static func run(_ router: Router<IncomingContext>, _ body: (TestServer) async throws -> Void) async throws {
        let log = LogCollector()
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in continuation.yield(channel.localAddress?.port ?? 0) },
            logger: log.logger
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run() }
            var iterator = ports.makeAsyncIterator()
            let port = await iterator.next() ?? 0
            try await body(TestServer(port: port, log: log))
            group.cancelAll()
        }
    }

    /// Sends bytes as they are and reads until the server closes.
    ///
    /// With `cutsOff` the client closes at once instead, as a machine that loses its network would.
    func exchange(_ bytes: String, cutsOff: Bool = false) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: bytes))
            guard !cutsOff else { return "" }
            var answer = ""
            for try await buffer in inbound { answer += String(buffer: buffer) }
            return answer
        }
    }
}
