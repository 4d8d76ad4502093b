/// A word that somebody hung on a resource, for their own purposes: a key, unique on the resource, and a value.
package struct ResourceTag: Hashable, Sendable {
    package static let longestKey = 255
    package static let longestValue = 4_096
    package static let mostOnOne = 50

    package let resource: ResourceReference
    /// Where the resource is.
    package let environment: EnvironmentID
    package let key: String
    package let value: String

    /// - Throws: ``ServiceError`` with code `invalidInput` that says what is too long or missing.
    package init(
        on resource: ResourceReference,
        in environment: EnvironmentID,
        key: String,
        value: String
    ) throws(ServiceError) {
        guard (1...Self.longestKey).contains(key.count), key.utf8.count <= 4 * Self.longestKey else {
            throw ServiceError(
                .invalidInput,
                "The key of a tag has 1 to \(Self.longestKey) characters, not \(key.count).",
                subject: .field("key")
            )
        }
        guard value.count <= Self.longestValue, value.utf8.count <= 4 * Self.longestValue else {
            throw ServiceError(
                .invalidInput,
                "The value of a tag has at most \(Self.longestValue) characters, not \(value.count).",
                subject: .field("value")
            )
        }
        self.resource = resource
        self.environment = environment
        self.key = key
        self.value = value
    }
}

/// A tag that a list asks for; without a value, one of any.
package struct TagCondition: Hashable, Sendable {
    package var key: String
    package var value: String?

    package init(key: String, value: String? = nil) {
        self.key = key
        self.value = value
    }
}
