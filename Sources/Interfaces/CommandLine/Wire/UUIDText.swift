import Foundation

/// Whether a reference on the command line is an identity or a name.
enum UUIDText {
    static func isValid(_ text: String) -> Bool {
        UUID(uuidString: text) != nil
    }
}
