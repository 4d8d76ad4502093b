import Foundation
import HTTPCommon
import HTTPTypes
import Hummingbird
import SnapshotDomain
import SnapshotPorts
import SnapshotServices

/// A snapshot as a file of its own, to keep elsewhere.
enum SnapshotExport {
    static func ask(_ visit: Visit) async throws -> Response {
        let place = try await visit.place()
        let view = try await visit.snapshot(place)
        let snapshot = view.snapshot
        let (texts, formats) = (visit.texts, visit.formats)
        var sheet = visit.sheet(about: snapshot, "action.export", place)
        sheet.intro = texts("snapshot.export_intro")
        sheet.isDownload = true
        sheet.address = visit.path + "/download"
        let data = formats.size(view.space.exclusive + view.space.shared)
        let detail: (ImageFormat) -> String = { format in
            switch format {
            case .qcow2: texts("snapshot.export_qcow2", ["size": data])
            case .raw: texts("snapshot.export_raw", ["size": formats.size(snapshot.size)])
            }
        }
        sheet.fields = [
            .cards(
                "format",
                texts("snapshot.export_format"),
                ImageFormat.allCases.map { format in
                    FormField.Option(
                        value: format.rawValue,
                        title: format.rawValue,
                        detail: detail(format),
                        isChosen: format == .qcow2
                    )
                },
                hint: texts("snapshot.export_hint")
            )
        ]
        return try await visit.page(
            "sheet",
            sheet,
            Visit.Setting(
                title: sheet.heading,
                place: place,
                tab: .snapshots,
                commandLine: "snapshot export \(snapshot.id) --output \(snapshot.id).qcow2",
                apiCall: ("GET", "/snapshots/\(snapshot.id)/export?format=qcow2")
            )
        )
    }

    static func download(_ visit: Visit) async throws -> Response {
        let place = try await visit.place()
        guard let format = ImageFormat(rawValue: visit.query["format"] ?? ImageFormat.qcow2.rawValue) else {
            throw ServiceError(
                .invalidInput,
                "A snapshot is exported as qcow2 or raw; choose one of them.",
                subject: .field("format")
            )
        }
        let snapshot = try await visit.snapshot(place).snapshot
        let image = try await visit.cloud.export(snapshot.id, as: format, in: place.id, visit.caller)
        return .download(image, fileName: "\(snapshot.name).\(format.rawValue)", logger: visit.context.logger)
    }
}
