import Foundation
import HTTPTypes
package import Hummingbird
package import Logging
import NIOCore
import SnapshotDomain
package import SnapshotPorts

extension Response {
    /// Streams an image to the caller as a file.
    ///
    /// A chunk is read when the last one was taken, so a slow reader costs no memory. A failure after the head was sent can
    /// only cut the body short; the client sees it by `Content-Length`, an operator in the log. The file name is only
    /// proposed to the client, and need not be safe.
    package static func download(_ image: ImageStream, fileName: String, logger: Logger) -> Response {
        var headers: HTTPFields = [
            .contentType: "application/octet-stream",
            .contentDisposition: disposition(fileName),
        ]
        if let sha256 = image.sha256 {
            let digest = Data(sha256).base64EncodedString()
            headers[.digest] = "sha-256=\(digest)"
            headers[.reprDigest] = "sha-256=:\(digest):"
        }
        let body = ResponseBody(contentLength: Int(image.length.bytes)) { writer in
            do {
                for try await chunk in image.chunks {
                    try await writer.write(ByteBuffer(bytes: chunk))
                }
                try await writer.finish(nil)
                withExtendedLifetime(image) {}
            } catch {
                logger.warning("download was cut short", metadata: ["error": "\(String(reflecting: error))"])
                throw error
            }
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    /// RFC 6266: an ASCII form for everyone, and the exact name in UTF-8.
    static func disposition(_ fileName: String) -> String {
        let safe = fileName.unicodeScalars.map { isPlain($0) ? String($0) : "_" }.joined()
        let exact = fileName.utf8.map { byte in
            let scalar = Unicode.Scalar(byte)
            guard !isPlain(scalar) else { return String(scalar) }
            return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }
        return "attachment; filename=\"\(safe)\"; filename*=UTF-8''\(exact.joined())"
    }

    /// Whether a character means itself everywhere in a header.
    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", ".", "-", "_": true
        default: false
        }
    }
}
