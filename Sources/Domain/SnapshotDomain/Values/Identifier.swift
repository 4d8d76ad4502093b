package import Foundation

/// The identity of one thing, typed by what it identifies.
///
/// Identifiers are random and chosen by the caller before the first step of any work, so that a step whose answer
/// was lost can be made again. The text form is a lower-case UUID; it is what every face shows and accepts.
package struct Identifier<Subject>: Hashable, Sendable, Codable, LosslessStringConvertible, Comparable {
    package let uuid: UUID

    package init(_ uuid: UUID) {
        self.uuid = uuid
    }

    /// A new random identity.
    package static func random() -> Self {
        Self(UUID())
    }

    /// Reads the text form, in any letter case.
    package init?(_ description: String) {
        // UUID itself reads as far as a null character.
        guard description.utf8.count == 36, let uuid = UUID(uuidString: description) else { return nil }
        self.uuid = uuid
    }

    package var description: String {
        uuid.uuidString.lowercased()
    }

    /// The order of the text forms.
    package static func < (left: Self, right: Self) -> Bool {
        left.halves < right.halves
    }

    private var halves: (UInt64, UInt64) {
        withUnsafeBytes(of: uuid.uuid) { bytes in
            (
                UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = Self(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is not an identifier")
        }
        self = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

package typealias EnvironmentID = Identifier<Environment>
package typealias InstanceID = Identifier<Instance>
package typealias VolumeID = Identifier<Volume>
package typealias SnapshotID = Identifier<Snapshot>
package typealias TemplateID = Identifier<Template>
package typealias LayerID = Identifier<Layer>
package typealias JobID = Identifier<Job>
package typealias UserID = Identifier<User>

/// Snapshots of several volumes taken at one instant share one.
package enum SnapshotGroup {}
package typealias SnapshotGroupID = Identifier<SnapshotGroup>

/// A key that a program calls with.
///
/// It can be spoken of by its identity without telling the key.
package enum AccessKey {}
package typealias KeyID = Identifier<AccessKey>
