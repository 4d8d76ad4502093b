import Foundation
import FoundationNetworking
import Glibc
import Platform
import SnapshotDomain
import SnapshotPorts

/// What went wrong, in the words of the port.
extension ImageFetchFault {
    private static let advice = "Check the address, or upload the image."

    init(_ error: any Error) {
        switch error {
        case let fault as ImageFetchFault:
            self = fault
        case let fault as PlatformFault where fault.code == .cancelled:
            self = .cancelled
        case let fault as PlatformFault where fault.code == .noSpace:
            self = .disk(ENOSPC)
        case let error as URLError:
            self.init(error)
        case is CancellationError:
            self = .cancelled
        default:
            self.init(.io, .unknown, "The image cannot be stored; look at the service's disk.", cause: "\(error)")
        }
    }

    private init(_ error: URLError) {
        let cause = "\(error.code.rawValue) \(error.localizedDescription)"
        switch error.code {
        case .cancelled:
            self = .cancelled
        case .secureConnectionFailed, .serverCertificateHasBadDate, .serverCertificateUntrusted,
            .serverCertificateHasUnknownRoot, .serverCertificateNotYetValid:
            self = .untrusted(cause)
        case .networkConnectionLost, .badServerResponse:
            self = .brokenOff(cause)
        case .timedOut:
            self = .stalled("nothing came for too long", cause)
        case _ where ["certificate", "ssl"].contains(where: cause.lowercased().contains):
            // The library has a code for few of the ways in which this fails.
            self = .untrusted(cause)
        default:
            let message = "The image cannot be fetched: nobody answers. \(Self.advice)"
            self.init(.unreachable, .notDone, message, cause: cause)
        }
    }

    static let cancelled = ImageFetchFault(.cancelled, .notDone, "The image was not fetched: it was cancelled.")

    static func badAddress(_ reason: String) -> Self {
        Self(
            .badAddress,
            .notDone,
            "The image is not fetched: its address \(reason). Use another address, or upload the image."
        )
    }

    static func untrusted(_ cause: String) -> Self {
        Self(
            .untrusted,
            .notDone,
            """
            The image is not fetched: the certificate of its host is not valid. Use a host whose certificate is, or upload \
            the image.
            """,
            cause: cause
        )
    }

    static func brokenOff(_ cause: String? = nil) -> Self {
        Self(
            .interrupted,
            .notDone,
            "The connection broke off before the whole image was there. Import it again, or upload it.",
            cause: cause
        )
    }

    static func stalled(_ reason: String, _ cause: String? = nil) -> Self {
        Self(
            .stalled,
            .notDone,
            "The image was not fetched: \(reason). Try again later, use another source, or upload the image.",
            cause: cause
        )
    }

    static func tooLarge(_ size: ByteCount) -> Self {
        Self(.tooLarge, .notDone, "The image is larger than \(size), the most that is fetched. Import a smaller one.")
    }

    static func noRoom(for missing: ByteCount?, _ room: ByteCount) -> Self {
        let amount = missing.map { "\($0) of the image are" } ?? "more of the image is"
        return Self(
            .noSpace,
            .notDone,
            """
            The pool has room for \(max(.zero, room)) and \(amount) still to come. Delete snapshots or templates that are not \
            needed, or add space, and import it again.
            """
        )
    }

    static func status(_ status: Int) -> Self {
        switch status {
        case 404, 410:
            Self(.refused, .notDone, "There is no image at this address (status \(status)). \(advice)")
        case 401, 403, 407:
            Self(
                .refused,
                .notDone,
                """
                The host does not give the image to the service (status \(status)). Use an address that needs no sign-in, or \
                upload the image.
                """
            )
        case 408, 429, 500...:
            Self(
                .unreachable,
                .notDone,
                "The host cannot send the image now (status \(status)). Try again later, or upload the image."
            )
        default:
            Self(.refused, .notDone, "The address answered with status \(status). \(advice)")
        }
    }

    static func badContent(_ what: String) -> Self {
        Self(.badContent, .notDone, "The address answered with \(what), and not with a disk image. \(advice)")
    }

    /// A failed call to the file system.
    static func disk(_ number: Int32) -> Self {
        switch number {
        case ENOSPC, EDQUOT, EFBIG:
            Self(
                .noSpace,
                .notDone,
                """
                The pool has no room for the rest of the image. Delete snapshots or templates that are not needed, or add \
                space, and import it again.
                """
            )
        default:
            Self(
                .io,
                .notDone,
                "The image cannot be stored; look at the service's disk.",
                cause: String(cString: strerror(number))
            )
        }
    }
}
