package import Foundation
package import HTTPTypes
package import Hummingbird
import NIOCore

extension Response {
    package static func text(
        _ text: String,
        type: String = "text/plain; charset=utf-8",
        status: HTTPResponse.Status = .ok,
        headers: HTTPFields = [:]
    ) -> Response {
        bytes(ByteBuffer(string: text), type: type, status: status, headers: headers)
    }

    package static func data(_ data: Data, type: String, headers: HTTPFields = [:]) -> Response {
        bytes(ByteBuffer(bytes: data), type: type, status: .ok, headers: headers)
    }

    private static func bytes(
        _ buffer: ByteBuffer,
        type: String,
        status: HTTPResponse.Status,
        headers: HTTPFields
    ) -> Response {
        var headers = headers
        headers[.contentType] = type
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: buffer))
    }
}
