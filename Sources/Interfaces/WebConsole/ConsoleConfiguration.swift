package import SnapshotDomain

/// What the console says about the service around its resources.
package struct ConsoleConfiguration: Sendable {
    /// What a snapshot costs, as the operator's price list has it.
    package struct Prices: Sendable {
        package var currency: String
        /// For one GiB of a snapshot in an hour.
        package var snapshotPerGibibyteHour: Double

        package init(currency: String, snapshotPerGibibyteHour: Double) {
            self.currency = currency
            self.snapshotPerGibibyteHour = snapshotPerGibibyteHour
        }
    }

    package var serviceName: String
    package var serviceCode: String
    /// The cookies go only over TLS: what stands before the service ends it.
    package var isSecure: Bool
    /// Nil hides what things cost.
    package var prices: Prices?
    /// The largest image that is taken in a file.
    package var largestUpload = ByteCount.gibibytes(4 * 1_024)

    package init(
        serviceName: String = "Compute",
        serviceCode: String = "compute",
        isSecure: Bool = false,
        prices: Prices? = nil
    ) {
        self.serviceName = serviceName
        self.serviceCode = serviceCode
        self.isSecure = isSecure
        self.prices = prices
    }
}
