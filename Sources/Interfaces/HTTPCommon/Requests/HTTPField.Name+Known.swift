package import HTTPTypes

extension HTTPField.Name {
    package static let requestID = known("X-Request-Id")
    package static let forwardedFor = known("X-Forwarded-For")
    package static let idempotencyKey = known("Idempotency-Key")
    package static let prefer = known("Prefer")
    package static let preferenceApplied = known("Preference-Applied")
    package static let digest = known("Digest")
    package static let reprDigest = known("Repr-Digest")
    package static let referrerPolicy = known("Referrer-Policy")
    package static let frameOptions = known("X-Frame-Options")
    package static let resourcePolicy = known("Cross-Origin-Resource-Policy")

    /// A name that is written in the source.
    package static func known(_ literal: StaticString) -> HTTPField.Name {
        guard let name = HTTPField.Name("\(literal)") else {
            preconditionFailure("'\(literal)' is not a token, which a header name must be")
        }
        return name
    }
}
