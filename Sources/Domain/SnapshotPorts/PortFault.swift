/// Whether work that failed may have been done all the same.
package enum FaultOutcome: String, Sendable {
    /// Nothing was left behind.
    case notDone
    /// The answer was lost: the caller looks before it acts.
    case unknown
}

/// How a block store fails.
package struct BlockStoreFault: Error, Sendable, CustomStringConvertible {
    /// What decides about a retry, and what people are told.
    package enum Code: String, Sendable, CaseIterable {
        case notFound
        /// A layer of that name exists with another shape.
        case exists
        /// Another program holds the layer.
        case busy
        /// Something stands on the layer, or it is open in more places than can be changed at once.
        case inUse
        case noSpace
        /// An image is damaged, of another format, too large, or refers to other files.
        case badImage
        /// Stored bytes are not readable or not what they were.
        case damaged
        case unavailable
        case cancelled
        case io
    }

    package var code: Code
    package var outcome: FaultOutcome
    /// One sentence that names the thing and what to do.
    package var message: String
    /// For the log only.
    package var cause: String?

    package init(_ code: Code, _ outcome: FaultOutcome, _ message: String, cause: String? = nil) {
        self.code = code
        self.outcome = outcome
        self.message = message
        self.cause = cause
    }

    package var description: String {
        "\(code.rawValue) (\(outcome.rawValue)): \(message)" + (cause.map { " [\($0)]" } ?? "")
    }
}

/// How a hypervisor fails.
package struct HypervisorFault: Error, Sendable, CustomStringConvertible {
    /// What decides about a retry, and what people are told.
    package enum Code: String, Sendable, CaseIterable {
        case notFound
        /// The machine is not in the state that the call needs.
        case wrongState
        /// The machine's program is missing, or ended while it started.
        case cannotStart
        /// The guest, or its agent, did not answer in time.
        case guestUnresponsive
        /// A saved memory is not what was written.
        case damaged
        /// The guest's agent said no.
        case guestRefused
        /// No free place for another disk.
        case noSlot
        case unavailable
        case cancelled
        case io
    }

    package var code: Code
    package var outcome: FaultOutcome
    package var message: String
    package var cause: String?

    package init(_ code: Code, _ outcome: FaultOutcome, _ message: String, cause: String? = nil) {
        self.code = code
        self.outcome = outcome
        self.message = message
        self.cause = cause
    }

    package var description: String {
        "\(code.rawValue) (\(outcome.rawValue)): \(message)" + (cause.map { " [\($0)]" } ?? "")
    }
}

/// How the catalog fails.
package struct CatalogFault: Error, Sendable, CustomStringConvertible {
    /// What decides about a retry, and what people are told.
    package enum Code: String, Sendable, CaseIterable {
        /// Another row has the name.
        case nameTaken
        /// What it refers to is not as the caller found it: it is gone, it is in use, or its place is taken.
        case conflict
        /// The schema refuses a value: a mistake of the program's.
        case refused
        /// The file was written by a newer program, or is not a catalog.
        case unsupported
        case noSpace
        case damaged
        case io

        /// Whether the same change fails again, however long one waits.
        package var isLasting: Bool {
            switch self {
            case .nameTaken, .conflict, .refused, .damaged, .unsupported: true
            case .noSpace, .io: false
            }
        }
    }

    package var code: Code
    package var outcome: FaultOutcome
    package var message: String
    /// For the log only.
    package var cause: String?

    package init(_ code: Code, _ outcome: FaultOutcome, _ message: String, cause: String? = nil) {
        self.code = code
        self.outcome = outcome
        self.message = message
        self.cause = cause
    }

    package var description: String {
        "\(code.rawValue) (\(outcome.rawValue)): \(message)" + (cause.map { " [\($0)]" } ?? "")
    }
}

/// How fetching an image fails.
package struct ImageFetchFault: Error, Sendable, CustomStringConvertible {
    /// What decides about a retry, and what people are told.
    package enum Code: String, Sendable, CaseIterable {
        /// The address may not be asked, leads nowhere, or redirects without end.
        case badAddress
        /// The source has no such image, or does not give it to us.
        case refused
        /// The source answered with something that is no image.
        case badContent
        /// The source does not prove who it is.
        case untrusted
        case tooLarge
        /// Nobody answers at the address.
        case unreachable
        /// The connection broke off.
        case interrupted
        /// The source sends nothing, or too slowly to ever end.
        case stalled
        case noSpace
        case cancelled
        case io
    }

    package var code: Code
    package var outcome: FaultOutcome
    /// One sentence or two: what failed, and what to do.
    package var message: String
    /// For the log only.
    package var cause: String?

    package init(_ code: Code, _ outcome: FaultOutcome, _ message: String, cause: String? = nil) {
        self.code = code
        self.outcome = outcome
        self.message = message
        self.cause = cause
    }

    package var description: String {
        "\(code.rawValue) (\(outcome.rawValue)): \(message)" + (cause.map { " [\($0)]" } ?? "")
    }
}
