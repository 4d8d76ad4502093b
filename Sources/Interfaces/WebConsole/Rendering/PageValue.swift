import Foundation
import Mustache

/// What a template may be given: made for it, of strings, numbers, truth values, lists and further page values.
///
/// Mustache reads every property of whatever it gets, private ones too. So values of the domain never go to it; only types
/// that say that they were made for a page.
protocol PageValue: Sendable {}

extension PageValue {
    /// The value as dictionaries, which Mustache reads in constant time.
    ///
    /// Left to itself it would reflect each value anew for each name that it looks up.
    func asFields() -> [String: Any] {
        var fields: [String: Any] = [:]
        for child in Mirror(reflecting: self).children {
            guard let name = child.label else { continue }
            // What is missing must be there as missing: else Mustache looks for a namesake further out.
            fields[name] = Self.plain(child.value) ?? NSNull()
        }
        return fields
    }

    private static func plain(_ value: Any) -> Any? {
        switch value {
        case let text as String: return text
        case let flag as Bool: return flag
        case let number as Int: return number
        case let page as any PageValue: return page.asFields()
        case let texts as TextPath: return texts
        case let list as [any PageValue]: return list.map { $0.asFields() as Any }
        case let list as [String]: return list.map { $0 as Any }
        default:
            let mirror = Mirror(reflecting: value)
            guard mirror.displayStyle == .optional else {
                preconditionFailure("\(type(of: value)) was not made for a page; a template must not see it")
            }
            return mirror.children.first.flatMap { plain($0.value) }
        }
    }
}
