import Glibc
import NIOCore

extension SetupFault {
    /// Why nobody can listen at an address.
    ///
    /// Nil for an error that is about something else.
    init?(listeningAt address: ListenAddress, _ error: any Error) {
        guard let error = error as? IOError else { return nil }
        switch error.errnoCode {
        case EADDRINUSE:
            self.init("Another program listens at \(address) already; stop it, or choose another port with --listen.")
        case EADDRNOTAVAIL:
            self.init("This machine has no address \(address.host); choose one that it has with --listen.")
        case EACCES:
            self.init("Port \(address.port) is for root only; choose one above 1023 with --listen.")
        default:
            return nil
        }
    }
}
