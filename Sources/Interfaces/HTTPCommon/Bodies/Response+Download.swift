import Foundation
import HTTPTypes
package import Hummingbird
package import Logging
import NIOCore
import SnapshotDomain
package import SnapshotPorts

extension Response {
    /// Streams an image to the caller as a file. A chunk is read when the last one was taken, so a slow reader costs no memory.
    ///
    /// A failure after the head was sent can only cut the body short; the client sees it by `Content-Length`, an operator
    /// in the log.
    ///
    /// - Parameter fileName: Proposed to the client; need not be safe.
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
            } catch {
                logger.warning("download was cut short", metadata: ["error": "\(String(reflecting: error))"])
                throw error
            }
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    /// RFC 6266: an ASCII form for everyone, and the exact name in UTF-8.
    static func disposition(_ fileName: String) -> String {
        let safe = fileName.unicodeScalars.map { scalar in
            scalar.isASCII
                && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                    || ".-_".unicodeScalars.contains(scalar))
                ? String(scalar) : "_"
        }
        let exact = fileName.utf8.map { byte in
            let scalar = Unicode.Scalar(byte)
            let isPlain =
                scalar.isASCII
                && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                    || ".-_".unicodeScalars.contains(scalar))
            return isPlain ? String(scalar) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }
        return "attachment; filename=\"\(safe.joined())\"; filename*=UTF-8''\(exact.joined())"
    }
}
