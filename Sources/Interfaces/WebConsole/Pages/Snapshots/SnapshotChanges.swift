import Foundation
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotServices

/// What is done to a snapshot without touching what it holds: another name, a look at its bytes.
enum SnapshotChanges {
    static func rename(_ visit: Visit) async throws -> Response {
        let place = try await visit.place(for: .change)
        let snapshot = try await visit.snapshot(place).snapshot
        var sheet = visit.sheet(about: snapshot, "action.rename", place)
        sheet.fields = [
            .text("name", visit.texts("list.name"), visit.value("name", snapshot.name.description)),
            .area("description", visit.texts("list.description"), visit.value("description", snapshot.description)),
        ]
        let setting = visit.setting(
            sheet,
            place,
            commandLine: "snapshot update \(snapshot.id) --name …",
            "update",
            of: snapshot
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            let view = try await visit.cloud.updateSnapshot(
                snapshot.id,
                name: try ResourceName(visit.form["name"] ?? ""),
                description: visit.form["description"] ?? "",
                in: place.id,
                visit.caller
            )
            return visit.redirect(
                to: place.address("snapshots", snapshot.id.description),
                saying: Notice(.snapshotRenamed, view.snapshot.name.description)
            )
        }
    }

    static func verify(_ visit: Visit) async throws -> Response {
        let place = try await visit.place(for: .create)
        let snapshot = try await visit.snapshot(place).snapshot
        let texts = visit.texts
        var sheet = visit.sheet(about: snapshot, "action.verify", place)
        sheet.intro = texts(snapshot.verification == nil ? "snapshot.verify_first" : "snapshot.verify_again")
        sheet.facts = [Fact(texts("snapshot.verify_reads"), visit.formats.size(snapshot.size))]
        if let verification = snapshot.verification {
            sheet.facts.append(Fact(texts("snapshot.verified_last"), Moment(verification.verifiedAt, visit)))
        }
        let setting = visit.setting(
            sheet,
            place,
            commandLine: "snapshot verify \(snapshot.id)",
            "verify",
            of: snapshot
        )
        return try await visit.sheet(sheet, setting) { () async throws(ServiceError) in
            _ = try await visit.cloud.verifySnapshot(snapshot.id, in: place.id, visit.caller)
            return visit.redirect(
                to: place.address("snapshots", snapshot.id.description),
                saying: Notice(.snapshotVerifying, snapshot.name.description, at: place.address("activity"))
            )
        }
    }
}

extension Visit {
    /// The snapshot of the path.
    func snapshot(_ place: Place) async throws(ServiceError) -> SnapshotView {
        try await cloud.snapshot(try id(of: "snapshots"), in: place.id, caller)
    }

    /// A sheet about a snapshot, with a heading from the catalogue, that leads back to the snapshot when it is cancelled.
    func sheet(about snapshot: Snapshot, _ heading: String, _ place: Place) -> Sheet {
        Sheet(
            list: Link(texts("tab.snapshots"), place.address("snapshots")),
            name: snapshot.name.description,
            heading: texts(heading),
            address: path,
            cancelAddress: place.address("snapshots", snapshot.id.description)
        )
    }

    func setting(
        _ sheet: Sheet,
        _ place: Place,
        commandLine: String,
        _ operation: String,
        of snapshot: Snapshot
    ) -> Setting {
        Setting(
            title: sheet.heading,
            place: place,
            tab: .snapshots,
            commandLine: commandLine,
            apiCall: ("POST", "/snapshots/\(snapshot.id)?operation=\(operation)")
        )
    }
}
