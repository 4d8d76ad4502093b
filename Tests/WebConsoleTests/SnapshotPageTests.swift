import Foundation
import HTTPTypes
import SnapshotDomain
import SnapshotPorts
import SnapshotServices
import TestKit
import Testing

@testable import HTTPCommon
@testable import WebConsole

@Suite("Console: snapshots")
struct SnapshotPageTests {
    private static let one = "/snapshots/\(Sample.id(30) as SnapshotID)"
    private static let data = "/snapshots/\(Sample.id(31) as SnapshotID)"
    private static let undo = "/snapshots/\(Sample.id(32) as SnapshotID)"
    private static let failed = "/snapshots/\(Sample.id(33) as SnapshotID)"
    private static let instance = "/instances/\(Sample.id(10) as InstanceID)"

    struct Shown: Sendable, CustomTestStringConvertible {
        let path: String
        /// Words that the page must show, in Spanish, English and French.
        let words: [String]

        var testDescription: String { path }
    }

    @Test(
        "every page says everything in every language",
        arguments: [
            Shown(path: "/snapshots", words: ["Copias instantáneas", "Snapshots", "Instantanés"]),
            Shown(
                path: "/snapshots?volume=\(Sample.id(20) as VolumeID)",
                words: ["Volumen ROOT", "Volume ROOT", "Volume ROOT"]
            ),
            Shown(path: "/snapshots/new", words: ["Espacio esperado", "Expected space", "Espace prévu"]),
            Shown(path: one, words: ["A qué sobrevive", "What it survives", "À quoi il survit"]),
            Shown(path: undo, words: ["Se elimina por sí sola", "deleted by itself", "se supprime de lui-même"]),
            Shown(
                path: failed,
                words: ["Elimínala y toma otra", "Delete it and take another", "Supprimez-le et prenez-en"]
            ),
            Shown(
                path: one + "/delete",
                words: ["Eliminar copia instantánea", "Delete snapshot", "Supprimer l’instantané"]
            ),
            Shown(path: one + "/export", words: ["copia de seguridad", "it is a backup", "c’est une sauvegarde"]),
            Shown(path: one + "/rename", words: ["Cambiar nombre", "Rename", "Renommer"]),
            Shown(path: one + "/revert", words: ["Toda la instancia", "The whole instance", "Toute l’instance"]),
            Shown(path: one + "/template", words: ["Crear plantilla", "Create a template", "Créer un modèle"]),
            Shown(
                path: one + "/verify",
                words: ["Se lee todo su contenido", "All its content is read", "Tout son contenu est lu"]
            ),
            Shown(path: one + "/volume", words: ["Copia completa", "Full copy", "Copie complète"]),
            Shown(path: instance + "/snapshot", words: ["2 volúmenes", "2 volumes", "2 volumes"]),
            Shown(
                path: "/volumes/\(Sample.id(20) as VolumeID)/snapshot",
                words: ["Tomar copia instantánea", "Take snapshot", "Prendre un instantané"]
            ),
        ]
    )
    func languages(_ shown: Shown) async throws {
        let console = try TestConsole(SnapshotCloud())
        for (language, word) in zip(Language.allCases, shown.words) {
            let page = try await console.get(shown.path, in: language)
            #expect(page.status == 200)
            #expect(page.text.contains(word), "\(language) lacks '\(word)'")
            #expect(
                !page.text.contains("⟦"),
                "a text is missing: \(page.text.split(separator: "⟦").last?.prefix(40) ?? "")"
            )
        }
    }

    @Test("the page of a snapshot says what really happened, what depends on it, and where it stands")
    func detail() async throws {
        let text = try await TestConsole(SnapshotCloud()).get(Self.one).text
        for word in [
            "Before the move to version 2", "84 ms", "froze 2 file systems", "tree-sha256:00ff", "ROOT-web01",
            "You are here", "before-upgrade_data", "in another environment", "Revert the whole instance",
        ] {
            #expect(text.contains(word), "no '\(word)'")
        }
    }

    @Test("what was taken of a volume at rest was not frozen, and says so")
    func atRest() async throws {
        var view = Sample.snapshot(30)
        view.snapshot.consistency = ConsistencyRecord(requested: .crash, achieved: .filesystem)
        let text = try await TestConsole(SnapshotCloud([view])).get(Self.one).text
        #expect(text.contains("Nobody was writing to the volume"))
        #expect(!text.contains(" ms"))
    }

    @Test("a damaged snapshot says so in every language, on its page and in the list")
    func damaged() async throws {
        var view = Sample.snapshot(30)
        view.snapshot.damage = Damage(reason: "Its digest was other.", foundAt: Sample.instant)
        view.failure = ServiceError(.damaged, "Its digest was other.")
        let console = try TestConsole(SnapshotCloud([view]))
        let texts = [("Dañada", "No te fíes"), ("Damaged", "Do not rely"), ("Endommagé", "Ne vous y fiez pas")]
        for (language, (state, advice)) in zip(Language.allCases, texts) {
            let page = try await console.get(Self.one, in: language).text
            #expect(page.contains(state) && page.contains(advice), "\(language)")
            #expect(page.contains("Its digest was other."))
            #expect(try await console.get("/snapshots", in: language).text.contains(state), "\(language)")
        }
        // What it holds can still be looked at, and verified again.
        #expect(try await console.get(Self.one).text.contains("\(Self.one)/verify"))
    }

    @Test("without its volume a snapshot has no history, and cannot be reverted to")
    func goneVolume() async throws {
        let console = try TestConsole(SnapshotCloud(hasVolumes: false))
        let page = try await console.get(Self.one)
        #expect(page.status == 200)
        #expect(page.text.contains("The volume is gone, so there is no history to show"))
        #expect(!page.text.contains("\(Self.one)/revert"))
        let refused = try await console.get(Self.one + "/revert")
        #expect(refused.status == 400)
        #expect(refused.text.contains("Create a new volume from the snapshot instead"))
    }

    @Test("templates are offered of root volumes only")
    func templateSource() async throws {
        let console = try TestConsole(SnapshotCloud())
        #expect(try await console.get(Self.one).text.contains("\(Self.one)/template"))
        #expect(try await console.get(Self.data).text.contains("\(Self.data)/template") == false)
        #expect(try await console.get(Self.data + "/template").status == 400)
    }

    @Test("a viewer sees what there is and is offered to export it, nothing else")
    func viewer() async throws {
        let cloud = SnapshotCloud()
        let console = try TestConsole(cloud, as: .viewer)
        for path in ["/snapshots", Self.one] {
            let text = try await console.get(path).text
            #expect(text.contains("\(Self.one)/export"))
            for act in ["revert", "volume", "template", "rename", "verify", "delete"] {
                #expect(!text.contains("\(Self.one)/\(act)\""), "\(path) offers \(act)")
            }
        }
        for act in ["revert", "volume", "template", "rename", "verify", "delete"] {
            #expect(try await console.get("\(Self.one)/\(act)").status == 403)
            #expect(try await console.post("\(Self.one)/\(act)", "name=x").status == 403)
        }
        #expect(cloud.changes.isEmpty)
    }

    // MARK: The list

    @Test("the address keeps filters, search and order together")
    func listAddress() async throws {
        let volume = "volume=\(Sample.id(20) as VolumeID)"
        let page = try await TestConsole(SnapshotCloud()).get("/snapshots?state=available&\(volume)&text=up&sort=name")
        // Sorting the other way keeps the filters, and so does the search form.
        #expect(page.text.contains("state=available&amp;\(volume)&amp;text=up&amp;sort=-name"))
        #expect(page.text.contains("<input type=\"hidden\" name=\"state\" value=\"available\">"))
        #expect(page.text.contains("aria-sort=\"ascending\""))
        // Taking the volume away keeps the rest.
        #expect(page.text.contains("?state=available&amp;text=up&amp;sort=name\""))
    }

    @Test("a list is restricted to what the address names, and to nothing that is no id")
    func listFilter() async throws {
        let cloud = SnapshotCloud()
        let console = try TestConsole(cloud)
        _ = try await console.get("/snapshots?group=\(SnapshotCloud.group)&text=up")
        let wanted = SnapshotFilter(environment: Sample.production.id, group: SnapshotCloud.group, text: "up")
        #expect(cloud.acts == [.list(wanted)])
        for text in ["..%2F..", "x", "30"] {
            #expect(try await console.get("/snapshots?volume=\(text)").status == 400)
        }
    }

    // MARK: Inputs

    @Test(
        "what is no id is not there",
        arguments: ["x", "..%2F..%2Fetc%2Fpasswd", "30", "00000000-0000-0000-0000-000000000000"]
    )
    func badID(_ text: String) async throws {
        let cloud = SnapshotCloud()
        let console = try TestConsole(cloud)
        for rest in ["", "/revert", "/export", "/export/download", "/template"] {
            #expect(try await console.get("/snapshots/\(text)\(rest)").status == 404)
        }
        #expect(cloud.changes.isEmpty)
    }

    @Test(
        "a name that is none comes back with the form as it was filled",
        arguments: ["rename", "volume", "template"],
        ["..%2Fx", "%20", "a%0Ab"]
    )
    func badName(_ act: String, _ name: String) async throws {
        let cloud = SnapshotCloud()
        let page = try await TestConsole(cloud).post(
            "\(Self.one)/\(act)",
            "name=\(name)&description=kept%20words&full=on"
        )
        #expect(page.status == 400)
        #expect(page.text.contains("aria-invalid=\"true\""))
        #expect(act == "volume" || page.text.contains("kept words"))
        #expect(act == "rename" || page.text.contains("name=\"full\" type=\"checkbox\" value=\"on\" checked"))
        #expect(cloud.changes.isEmpty)
    }

    @Test("an image is downloaded in a format that there is, whole and under its name")
    func download() async throws {
        let console = try TestConsole(SnapshotCloud())
        let page = try await console.get(Self.one + "/export/download?format=raw")
        #expect(page.text == "the bytes")
        #expect(page.headers[.contentDisposition]?.contains("before-upgrade.raw") == true)
        #expect(page.headers.contains { $0.name.canonicalName == "repr-digest" })
        #expect(try await console.get(Self.one + "/export/download?format=vmdk").status == 400)
    }

    // MARK: Acts

    @Test("a new name leads back to the snapshot")
    func rename() async throws {
        let cloud = SnapshotCloud()
        let page = try await TestConsole(cloud).post(Self.one + "/rename", "name=golden&description=")
        #expect(page.status == 303)
        #expect(page.location == "/environments/production" + Self.one)
        #expect(page.notice?.hasPrefix("snapshotRenamed") == true)
        #expect(cloud.changes == [.update("golden", description: "")])
    }

    @Test("a verification leads back to the snapshot")
    func verify() async throws {
        let cloud = SnapshotCloud()
        let page = try await TestConsole(cloud).post(Self.one + "/verify", "")
        #expect(page.location == "/environments/production" + Self.one)
        #expect(cloud.changes == [.verify(Sample.id(30))])
    }

    @Test("one volume or its whole instance goes back, and starts again if that is wished")
    func revert() async throws {
        let cloud = SnapshotCloud()
        let console = try TestConsole(cloud)
        let page = try await console.post(Self.one + "/revert", "scope=volume&restart=on")
        #expect(page.location == "/environments/production/volumes")
        #expect(page.notice?.hasPrefix("volumeReverting") == true)
        _ = try await console.post(Self.one + "/revert", "scope=group")
        #expect(
            cloud.changes == [
                .revert(.snapshot(Sample.id(30)), restarts: true),
                .revert(.group(SnapshotCloud.group, of: Sample.id(10)), restarts: false),
            ]
        )
    }

    @Test("a volume is made where it was asked for, or where its instance is")
    func volume() async throws {
        let cloud = SnapshotCloud()
        let console = try TestConsole(cloud)
        let laboratory = Sample.laboratory.id
        let page = try await console.post(Self.one + "/volume", "name=copy&environment=\(laboratory)&instance=&full=on")
        #expect(page.location == "/environments/lab/volumes")
        let instance: InstanceID = Sample.id(10)
        _ = try await console.post(Self.one + "/volume", "name=copy&environment=\(laboratory)&instance=\(instance)")
        #expect(
            cloud.changes == [
                .createVolume(.snapshot(Sample.id(30), isFull: true), name: "copy", laboratory, nil),
                .createVolume(.snapshot(Sample.id(30), isFull: false), name: "copy", Sample.production.id, instance),
            ]
        )
    }

    @Test("a template takes over what the form says about its system")
    func template() async throws {
        let cloud = SnapshotCloud()
        let page = try await TestConsole(cloud).post(
            Self.one + "/template",
            "name=golden&osTypeId=debian-12&sshKey=on&scaling=on"
        )
        #expect(page.location == "/environments/production/templates")
        let options = TemplateOptions(osType: "debian-12", isSSHKeyEnabled: true, isDynamicallyScalable: true)
        #expect(cloud.changes == [.createTemplate(name: "golden", options)])
    }

    @Test("from an instance all its volumes are taken, or the chosen one; then come the volumes")
    func takeFromInstance() async throws {
        let cloud = SnapshotCloud()
        let console = try TestConsole(cloud)
        let page = try await console.post(Self.instance + "/snapshot", "volume=&name=&consistency=filesystem&strict=on")
        #expect(page.location == "/environments/production/volumes")
        #expect(page.notice?.hasPrefix("snapshotTaken") == true)
        _ = try await console.post(Self.instance + "/snapshot", "volume=\(Sample.id(20) as VolumeID)&name=x")
        #expect(
            cloud.changes == [
                .take(
                    .instance(Sample.id(10)),
                    name: nil,
                    ConsistencyRequest(mode: .filesystem, onMiss: .fail)
                ),
                .take(.volume(Sample.id(20)), name: "x", ConsistencyRequest()),
            ]
        )
    }

    @Test("what a snapshot costs is shown where there is a price list, and only there")
    func cost() async throws {
        let path = Self.instance + "/snapshot"
        #expect(try await TestConsole(SnapshotCloud()).get(path).text.contains("Estimated cost") == false)
        let prices = ConsoleConfiguration.Prices(currency: "EUR", snapshotPerGibibyteHour: 0.01)
        let page = try await TestConsole(SnapshotCloud(), prices: prices).get(path)
        // Two volumes of 2 GiB for an hour, and for 730.
        #expect(page.text.contains("0.0400 EUR"))
        #expect(page.text.contains("29.20 EUR"))
    }
}
