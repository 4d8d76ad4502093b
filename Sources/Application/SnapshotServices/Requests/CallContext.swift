package import SnapshotDomain

/// Who calls, and how the call is known: handed from a face through every layer.
package struct CallContext: Sendable {
    package var principal: Principal
    package var requestID: String
    /// A retry with the same key joins the job that the first call made.
    package var idempotencyKey: String?

    package init(principal: Principal, requestID: String, idempotencyKey: String? = nil) {
        self.principal = principal
        self.requestID = requestID
        self.idempotencyKey = idempotencyKey
    }
}

/// A change that was accepted: its job, and the resource as it is now.
package struct Submitted<Resource: Sendable>: Sendable {
    package var job: JobID
    package var resource: Resource

    package init(job: JobID, resource: Resource) {
        self.job = job
        self.resource = resource
    }
}
