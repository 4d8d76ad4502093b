package import Hummingbird

/// How the failures of one face are written.
///
/// Also what no handler of the face ever saw, such as an unknown path below its root, must be answered in its format:
/// so the choice is made by the path, before and outside of all routes.
package struct ErrorFace: Sendable {
    package typealias Renderer = @Sendable (RequestFailure, Request) -> Response

    /// Roots of the face, such as `/api/v2`.
    package let roots: [String]
    package let render: Renderer

    package init(roots: [String], render: @escaping Renderer) {
        self.roots = roots
        self.render = render
    }

    /// For paths of no face.
    static let plain = ErrorFace(roots: ["/"]) { failure, _ in
        .text("\(failure.message)\nRequest: \(failure.requestID)\n", status: failure.status)
    }

    /// How many components of the path one of the roots matches; nil when none does.
    ///
    /// Doubled slashes do not count.
    func match(_ path: String) -> Int? {
        let components = path.split(separator: "/")
        return
            roots
            .map { $0.split(separator: "/") }
            .filter { components.starts(with: $0) }
            .map(\.count)
            .max()
    }
}
