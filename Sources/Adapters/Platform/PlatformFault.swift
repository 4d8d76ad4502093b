import Glibc

/// Why a call into the operating system failed, and what that left behind.
package struct PlatformFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure a caller may decide on.
    package enum Code: Sendable, CaseIterable {
        case notFound
        case exists
        case noSpace
        case permission
        case locked
        case timedOut
        case cancelled
        case io
    }

    /// What is known about the effect of the failed call.
    package enum Outcome: Sendable, CaseIterable {
        /// Nothing changed.
        case notDone
        /// Some or all of it may have happened: look before acting again.
        case unknown
    }

    package let code: Code
    package let outcome: Outcome
    /// One sentence: what failed, on which thing.
    package let message: String
    /// The error number of the system call, when there was one.
    package let errno: Int32?

    package init(_ code: Code, outcome: Outcome, _ message: String, errno: Int32? = nil) {
        self.code = code
        self.outcome = outcome
        self.message = message
        self.errno = errno
    }

    package var description: String { message }
}

extension PlatformFault {
    /// A fault for an error number, with the system's own words appended to `attempt`.
    package static func system(_ attempt: String, errno number: Int32, outcome: Outcome = .notDone) -> PlatformFault {
        PlatformFault(code(for: number), outcome: outcome, "\(attempt): \(words(for: number))", errno: number)
    }

    private static func code(for number: Int32) -> Code {
        switch number {
        case ENOENT, ENOTDIR, ESRCH: .notFound
        case EEXIST, ENOTEMPTY: .exists
        case ENOSPC, EDQUOT, EFBIG: .noSpace
        case EACCES, EPERM, EROFS: .permission
        case EWOULDBLOCK, EBUSY, ETXTBSY: .locked
        case ETIMEDOUT: .timedOut
        case ECANCELED: .cancelled
        default: .io
        }
    }

    private static func words(for number: Int32) -> String {
        // Each thread has its own buffer, as of glibc 2.32.
        String(cString: strerror(number))
    }
}
