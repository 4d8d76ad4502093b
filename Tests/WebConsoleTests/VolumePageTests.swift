import Foundation
import HTTPTypes
import SnapshotPorts
import TestKit
import Testing

@testable import SnapshotDomain
@testable import SnapshotServices
@testable import WebConsole

@Suite("Console: volumes")
struct VolumePageTests {
    private static let root = "/volumes/\(Sample.id(20) as VolumeID)"
    private static let free = "/volumes/\(Sample.id(21) as VolumeID)"
    private static let attached = "/volumes/\(Sample.id(22) as VolumeID)"

    @Test(
        "every page says everything in every language",
        arguments: [
            ("/volumes", ["Añadir volumen", "Add volume", "Ajouter un volume"]),
            ("/volumes/new", ["Un disco de datos vacío", "An empty data disk", "Un disque de données vide"]),
            (root, ["Estás aquí", "You are here", "Vous êtes ici"]),
            (attached, ["Para independizarlo", "To make it independent", "Pour le rendre indépendant"]),
            (free + "/attach", ["Asociar", "Attach", "Attacher"]),
            (attached + "/detach", ["Desmonta antes", "Unmount its", "Démontez d’abord"]),
            (free + "/grow", ["Tamaño actual", "Present size", "Taille actuelle"]),
            (free + "/delete", ["se conservan", "snapshots stay", "sont conservés"]),
            (root + "/undo", ["recupera lo que", "gets back what", "retrouve ce qu"]),
        ]
    )
    func languages(_ path: String, _ words: [String]) async throws {
        let console = try TestConsole(StorageCloud())
        for (language, word) in zip(Language.allCases, words) {
            let page = try await console.get(path, in: language)
            #expect(page.status == 200)
            #expect(page.text.contains(word), "\(language) lacks '\(word)'")
            #expect(!page.text.contains("⟦"))
        }
    }

    @Test("the page of a volume shows where it came from, its snapshots and its history")
    func detail() async throws {
        let text = try await TestConsole(StorageCloud()).get(Self.root).text
        for word in [
            "web10", "golden", "Show all 7 snapshots", "4 layers", "Without a name", "before-upgrade", "clone", "lab",
            "Undo revert",
        ] {
            #expect(text.contains(word), "no '\(word)'")
        }
        // A clone lives elsewhere, and its link leads there.
        #expect(text.contains("/environments/lab/volumes/"))
    }

    @Test("the list is restricted and ordered by its address")
    func list() async throws {
        let cloud = StorageCloud()
        let console = try TestConsole(cloud)
        let page = try await console.get("/volumes?type=data&sort=-size&instance=\(Sample.id(10) as InstanceID)&text=d")
        let filter = VolumeFilter(environment: Sample.production.id, instance: Sample.id(10), role: .data, text: "d")
        #expect(cloud.acts == [.list(filter, ListOrder(.size, descending: true))])
        #expect(page.text.contains("Remove the filter"))
        #expect(page.text.contains("aria-sort=\"descending\""))
        #expect(!page.text.contains("ROOT-web01"))
    }

    @Test("a viewer can look and not touch")
    func viewer() async throws {
        let cloud = StorageCloud()
        let console = try TestConsole(cloud, as: .viewer)
        #expect(try await console.get(Self.root).text.contains("/undo\"") == false)
        for act in ["attach", "detach", "grow", "delete", "undo"] {
            #expect(try await console.post("\(Self.root)/\(act)", "size=99&instance=x").status == 403)
        }
        #expect(try await console.post("/volumes/new", "name=a&size=1").status == 403)
        #expect(cloud.changes.isEmpty)
    }

    // MARK: Acts

    @Test("each act does what its page said, and leads to the list")
    func acts() async throws {
        let cloud = StorageCloud()
        let console = try TestConsole(cloud)
        let instance: InstanceID = Sample.id(10)
        let acts: [(String, String, StorageCloud.Act, String)] = [
            (
                "/volumes/new", "name=new&offering=custom&size=3&instance=\(instance)",
                .create(.blank(.gibibytes(3)), name: "new", offering: "custom", instance), "volumeCreated"
            ),
            (
                "/volumes/new", "name=new&offering=disk-10&size=&instance=",
                .create(.blank(.gibibytes(10)), name: "new", offering: "disk-10", nil), "volumeCreated"
            ),
            (Self.free + "/attach", "instance=\(instance)", .attach(Sample.id(21), to: instance), "volumeAttached"),
            (Self.attached + "/detach", "", .detach(Sample.id(22)), "volumeDetached"),
            (Self.free + "/grow", "size=3", .resize(Sample.id(21), to: .gibibytes(3)), "volumeResized"),
            (Self.free + "/delete", "", .deleteVolume(Sample.id(21)), "volumeDeleted"),
            (Self.root + "/undo", "restart=on", .revert(.undo(Sample.id(20)), restarts: true), "volumeUndone"),
            (Self.root + "/undo", "", .revert(.undo(Sample.id(20)), restarts: false), "volumeUndone"),
        ]
        for (path, form, act, notice) in acts {
            let page = try await console.post(path, form)
            #expect(page.status == 303)
            #expect(page.location == "/environments/production/volumes")
            #expect(page.notice?.hasPrefix(notice) == true)
            #expect(cloud.changes.last == act)
        }
        #expect(cloud.changes.count == acts.count)
    }

    @Test(
        "what is wrong is said at its field, and the form stays filled",
        arguments: [
            ("/volumes/new", "name=&size=3", "name"), ("/volumes/new", "name=..%2Fx&size=3", "name"),
            ("/volumes/new", "name=good&offering=custom&size=0", "size"),
            ("/volumes/new", "name=good&offering=custom&size=many", "size"),
            ("/volumes/new", "name=good&offering=custom&size=99999999999999999999", "size"),
            ("/volumes/new", "name=good&offering=custom&size=16385", "size"),
            ("/volumes/new", "name=good&offering=custom&size=-1", "size"),
            ("/volumes/new", "name=good&size=3&instance=nobody", "instance"),
            (free + "/grow", "size=2", "size"), (free + "/grow", "size=1.5", "size"), (free + "/grow", "", "size"),
            (free + "/attach", "instance=../x", "instance"), (free + "/attach", "", "instance"),
        ]
    )
    func wrong(_ path: String, _ form: String, _ field: String) async throws {
        let cloud = StorageCloud()
        let page = try await TestConsole(cloud).post(path, form)
        #expect(page.status == 400)
        #expect(page.text.contains("role=\"alert\""))
        let mark = try #require(page.text.range(of: "aria-invalid=\"true\""))
        #expect(page.text[..<mark.lowerBound].suffix(200).contains("name=\"\(field)\""))
        if form.contains("name=good") { #expect(page.text.contains("value=\"good\"")) }
        if form.contains("size=many") { #expect(page.text.contains("value=\"many\"")) }
        #expect(cloud.changes.isEmpty)
    }

    @Test("an id that is none is not found", arguments: ["x", "..", "%2e%2e%2fetc", "00000000"])
    func badID(_ id: String) async throws {
        #expect(try await TestConsole(StorageCloud()).get("/volumes/\(id)").status == 404)
    }
}
