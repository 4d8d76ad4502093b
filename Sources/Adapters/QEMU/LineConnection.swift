import Foundation
import Glibc
import NIOCore
import NIOPosix
import Platform
import Synchronization

/// A connection to a Unix socket over which lines of text travel both ways.
///
/// What is common to the monitor protocol and the guest agent: connecting within a limit, cutting lines, bounding their
/// length so that a broken peer cannot fill our memory, and telling once that the connection ended.
final class LineConnection: Sendable {
    /// Why the connection ended.
    enum End: Error, Sendable {
        case closed
        case lineTooLong(limit: Int)
        case failed(String)
    }

    private let channel: any Channel

    private init(_ channel: any Channel) {
        self.channel = channel
    }

    /// Connects to the socket at `path`.
    ///
    /// - Parameters:
    ///   - path: At most 107 bytes.
    ///   - group: Who runs the connection.
    ///   - timeout: How long connecting may take.
    ///   - maximumLineBytes: A longer line ends the connection.
    ///   - onLine: Called for each line, without its end, in order; must not block.
    ///   - onEnd: Called once, after the last line.
    /// - Returns: The open connection.
    /// - Throws: Code `unreachable`, `timedOut` or `cancelled`, with outcome `notDone`.
    static func open(
        _ path: String,
        group: any EventLoopGroup,
        timeout: Duration,
        maximumLineBytes: Int,
        onLine: @escaping @Sendable (Data) -> Void,
        onEnd: @escaping @Sendable (End) -> Void
    ) async throws(QMPFault) -> LineConnection {
        guard path.utf8.count <= UnixAddress.maximumPathBytes else {
            throw QMPFault(.unreachable, outcome: .notDone, "the path of a socket is too long: \(path)")
        }
        let deadline = ContinuousClock.now + timeout
        while true {
            do {
                let channel = try await ClientBootstrap(group: group)
                    .connectTimeout(TimeAmount(timeout))
                    .channelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(
                                LineReader(maximumLineBytes: maximumLineBytes, onLine: onLine, onEnd: onEnd)
                            )
                        }
                    }
                    .connect(unixDomainSocketPath: path)
                    .get()
                return LineConnection(channel)
            } catch let error as IOError where error.errnoCode == EAGAIN {
                // QEMU's sockets have room for one waiting client beside the one they serve.
                guard ContinuousClock.now < deadline else {
                    throw QMPFault(.timedOut, outcome: .notDone, "other clients are using \(path)")
                }
            } catch ChannelError.connectTimeout {
                throw QMPFault(.timedOut, outcome: .notDone, "connecting to \(path) took longer than \(timeout)")
            } catch {
                throw QMPFault(.unreachable, outcome: .notDone, "nobody answers at \(path): \(error)")
            }
            do {
                try await Task.sleep(for: .milliseconds(5))
            } catch {
                throw QMPFault(.cancelled, outcome: .notDone, "connecting to \(path) was cancelled")
            }
        }
    }

    /// Queues bytes for sending; a failure shows as the end of the connection.
    func send(_ bytes: some Sequence<UInt8>) {
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    }

    func close() {
        channel.close(promise: nil)
    }
}

/// Cuts incoming bytes into lines.
///
/// Lives on one event loop.
private final class LineReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let maximumLineBytes: Int
    private let onLine: @Sendable (Data) -> Void
    private let onEnd: @Sendable (LineConnection.End) -> Void
    private var pending = ByteBuffer()
    /// How many of the pending bytes are known to hold no line end, so that a long line is not searched again and again.
    private var searched = 0
    private var end: LineConnection.End?

    init(
        maximumLineBytes: Int,
        onLine: @escaping @Sendable (Data) -> Void,
        onEnd: @escaping @Sendable (LineConnection.End) -> Void
    ) {
        self.maximumLineBytes = maximumLineBytes
        self.onLine = onLine
        self.onEnd = onEnd
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard end == nil else { return }
        var incoming = unwrapInboundIn(data)
        pending.writeBuffer(&incoming)
        while let feed = pending.readableBytesView.dropFirst(searched).firstIndex(of: UInt8(ascii: "\n")) {
            let length = feed - pending.readerIndex
            let line = pending.readSlice(length: length).map { Data($0.readableBytesView) } ?? Data()
            pending.moveReaderIndex(forwardBy: 1)
            searched = 0
            guard length <= maximumLineBytes else { break }
            onLine(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
        }
        searched = pending.readableBytes
        if searched > maximumLineBytes {
            end = .lineTooLong(limit: maximumLineBytes)
            context.close(promise: nil)
        }
        pending.discardReadBytes()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end = end ?? .failed("\(error)")
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        onEnd(end ?? .closed)
        context.fireChannelInactive()
    }
}

extension TimeAmount {
    init(_ duration: Duration) {
        self = .nanoseconds(Int64(duration.timeInterval * 1e9))
    }
}
