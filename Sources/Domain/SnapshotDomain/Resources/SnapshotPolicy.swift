package import Foundation

/// When snapshots of a volume shall be taken by themselves, and how many of them are kept.
///
/// A volume has at most one for each interval.
package struct SnapshotPolicy: Hashable, Sendable, Identifiable {
    /// How often.
    ///
    /// Stored.
    package enum Interval: String, Sendable, Codable, CaseIterable {
        case hourly
        case daily
        case weekly
        case monthly
    }

    /// The moment within an interval, by the clock of a time zone.
    package struct Schedule: Hashable, Sendable {
        package let minute: Int
        /// Nil for hourly ones.
        package let hour: Int?
        /// From 1 for Sunday for weekly ones, the day of the month for monthly ones, else nil.
        package let day: Int?

        /// - Throws: ``ServiceError`` with code `invalidInput` for a moment that the interval does not have.
        package init(_ interval: Interval, minute: Int, hour: Int? = nil, day: Int? = nil) throws(ServiceError) {
            func refuse(_ what: String, _ bounds: ClosedRange<Int>) -> ServiceError {
                ServiceError(
                    .invalidInput,
                    "The \(what) of a \(interval.rawValue) schedule is from \(bounds.lowerBound) to \(bounds.upperBound).",
                    subject: .field("schedule")
                )
            }
            guard (0...59).contains(minute) else { throw refuse("minute", 0...59) }
            self.minute = minute
            self.hour = interval == .hourly ? nil : hour ?? -1
            if let hour = self.hour, !(0...23).contains(hour) { throw refuse("hour", 0...23) }
            switch interval {
            case .hourly, .daily:
                self.day = nil
            case .weekly, .monthly:
                // Every month has 28 days.
                let bounds = interval == .weekly ? 1...7 : 1...28
                guard let day, bounds.contains(day) else { throw refuse("day", bounds) }
                self.day = day
            }
        }
    }

    /// How many snapshots can be kept.
    package static let keptBounds = 1...8

    package let id: PolicyID
    package let environment: EnvironmentID
    package let volume: VolumeID
    package let interval: Interval
    package var schedule: Schedule
    /// A name of the time zone database.
    package var timeZone: String
    package var kept: Int
    /// An inactive one is kept and does nothing.
    package var isActive: Bool
    package var createdAt: Date

    /// - Throws: ``ServiceError`` with code `invalidInput` for a number of snapshots that cannot be kept.
    package init(
        id: PolicyID,
        environment: EnvironmentID,
        volume: VolumeID,
        interval: Interval,
        schedule: Schedule,
        timeZone: String,
        kept: Int,
        isActive: Bool = true,
        createdAt: Date
    ) throws(ServiceError) {
        guard Self.keptBounds.contains(kept) else {
            throw ServiceError(
                .invalidInput,
                "A policy keeps from \(Self.keptBounds.lowerBound) to \(Self.keptBounds.upperBound) snapshots, not \(kept).",
                subject: .field("maxsnaps")
            )
        }
        self.id = id
        self.environment = environment
        self.volume = volume
        self.interval = interval
        self.schedule = schedule
        self.timeZone = TimeZone(identifier: timeZone) == nil ? "GMT" : timeZone
        self.kept = kept
        self.isActive = isActive
        self.createdAt = createdAt
    }
}

package typealias PolicyID = Identifier<SnapshotPolicy>
