import Foundation
import HTTPTypes
import SnapshotDomain
import SnapshotPorts
import SnapshotServices
import TestKit
import Testing

@testable import HTTPCommon
@testable import WebConsole

@Suite("Console: instances")
struct InstancePageTests {
    private static let running = "/instances/\(MachineCloud.running)"
    private static let stopped = "/instances/\(MachineCloud.stopped)"
    private static let failed = "/instances/\(MachineCloud.failed)"

    struct Shown: Sendable, CustomTestStringConvertible {
        let path: String
        /// Words that the page must show, in Spanish, English and French.
        let words: [String]

        var testDescription: String { path }
    }

    @Test(
        "every page says everything in every language",
        arguments: [
            Shown(path: "/instances", words: ["En marcha", "Running", "En marche"]),
            Shown(path: running, words: ["responde", "answers", "répond"]),
            Shown(path: stopped, words: ["Aislada", "Isolated", "Isolée"]),
            Shown(path: running + "/volumes", words: ["Volúmenes de web10", "Volumes of web10", "Volumes de web10"]),
            Shown(
                path: running + "/snapshots",
                words: [
                    "Revertir la instancia a este instante", "Revert the instance to this", "Restaurer l’instance à",
                ]
            ),
            Shown(path: running + "/console", words: ["Consola en serie", "Serial console", "Console série"]),
            Shown(path: running + "/screen", words: ["Pantalla de web10", "Screen of web10", "Écran de web10"]),
            Shown(path: stopped + "/screen", words: ["La máquina está parada", "is stopped", "est arrêtée"]),
            Shown(path: stopped + "/start", words: ["Arrancar", "Start", "Démarrer"]),
            Shown(
                path: running + "/stop",
                words: ["Apagar el sistema", "Shut the system down", "Éteindre le système"]
            ),
            Shown(path: running + "/reboot", words: ["Reiniciar", "Reboot", "Redémarrer"]),
            Shown(path: running + "/rename", words: ["Cambiar nombre", "Rename", "Renommer"]),
            Shown(
                path: running + "/delete",
                words: ["Eliminar también DATA-web10", "Delete DATA-web10, too", "Supprimer aussi DATA-web10"]
            ),
            Shown(path: running + "/revert", words: ["A qué instante", "To which instant", "À quel instant"]),
            Shown(path: "/instances/new", words: ["Red del anfitrión", "Host network", "Réseau de l’hôte"]),
            Shown(
                path: "/instances/new?snapshot=\(Sample.id(30) as SnapshotID)",
                words: ["fuera de producción", "outside of production", "hors production"]
            ),
            Shown(
                path: "/instances/new?snapshot=\(MachineCloud.lone)",
                words: ["Falta el disco del sistema", "There is no system disk", "Il manque le disque système"]
            ),
        ]
    )
    func languages(_ shown: Shown) async throws {
        let console = try TestConsole(MachineCloud())
        for (language, word) in zip(Language.allCases, shown.words) {
            let page = try await console.get(shown.path, in: language)
            #expect(page.status == 200)
            #expect(page.text.contains(word), "\(language) lacks '\(word)'")
            #expect(!page.text.contains("⟦"), "a text is missing: \(page.text.split(separator: "⟦").last ?? "")")
        }
    }

    @Test("without instances or templates the pages teach", arguments: Language.allCases)
    func empty(_ language: Language) async throws {
        let console = try TestConsole(MachineCloud(isEmpty: true))
        let list = try await console.get("/instances", in: language).text
        #expect(list.contains("class=\"empty\""))
        #expect(list.contains("/environments/production/instances/new"))
        let creation = try await console.get("/instances/new", in: language).text
        #expect(creation.contains("class=\"empty\""))
        #expect(creation.contains("class=\"button primary\" href=\"/environments/production/templates\""))
        #expect(!list.contains("⟦") && !creation.contains("⟦"))
    }

    // MARK: What is shown

    @Test("the details tell the way in, what the guest says, and that software emulates the machine")
    func details() async throws {
        let text = try await TestConsole(MachineCloud()).get(Self.running).text
        for word in ["ssh -p 40022", "10.0.2.15", "web-host", "52:54:", "emulated in software", "golden"] {
            #expect(text.contains(word), "no '\(word)'")
        }
    }

    @Test("the list is searched by the address")
    func search() async throws {
        let console = try TestConsole(MachineCloud())
        let text = try await console.get("/instances?text=web11").text
        #expect(text.contains(Self.stopped))
        #expect(!text.contains(Self.running))
        #expect(try await console.get("/instances?text=nothing").text.contains("Nothing found"))
    }

    @Test("snapshots of one instant are together, and only they can be reverted to")
    func instants() async throws {
        let text = try await TestConsole(MachineCloud()).get(Self.running + "/snapshots").text
        #expect(text.contains("\(Self.running)/revert?group=\(MachineCloud.group)"))
        #expect(text.split(separator: "/revert?group=").count == 2)
        #expect(text.split(separator: "<table").count == 4)
        let headings = ["Kept by a revert", "Of a single volume", "One instant, 2 volumes"]
        let places = headings.map { text.range(of: $0)?.lowerBound }
        #expect(places.allSatisfy { $0 != nil })
        #expect(places.compactMap(\.self) == places.compactMap(\.self).sorted())
    }

    @Test("the console's text is plain and escaped, and goes on where it stopped")
    func consoleText() async throws {
        let console = try TestConsole(MachineCloud())
        let page = try await console.get(Self.running + "/console").text
        #expect(page.contains("<pre"))
        #expect(page.contains("login: &lt;b&gt;\n</pre>"))
        #expect(page.contains("data-offset=\"100\""))
        let more = try await console.get(Self.running + "/console.txt?offset=100")
        #expect(more.text == "more\n")
        #expect(more.headers[.known("X-Next-Offset")] == "107")
    }

    @Test("a running machine's screen is a picture, and a stopped one's can be started")
    func screen() async throws {
        let console = try TestConsole(MachineCloud())
        #expect(try await console.get(Self.running + "/screen").text.contains("\(Self.running)/screen.png"))
        #expect(try await console.get(Self.stopped + "/screen").text.contains("\(Self.stopped)/start"))
        let picture = try await console.get(Self.running + "/screen.png")
        #expect(picture.headers[.contentType] == "image/png")
        #expect(picture.text == "picture")
    }

    @Test("each state offers what it allows")
    func menus() async throws {
        let console = try TestConsole(MachineCloud())
        func offered(_ path: String) async throws -> [String] {
            let text = try await console.get(path).text
            return ["snapshot", "start", "stop", "reboot", "revert", "rename", "delete"].filter {
                text.contains("href=\"/environments/production\(path)/\($0)\"")
            }
        }
        #expect(try await offered(Self.running) == ["snapshot", "stop", "reboot", "revert", "rename", "delete"])
        #expect(try await offered(Self.stopped) == ["snapshot", "start", "revert", "rename", "delete"])
        #expect(try await offered(Self.failed) == ["delete"])
    }

    @Test("a viewer sees everything and is offered nothing")
    func viewer() async throws {
        let cloud = MachineCloud()
        let console = try TestConsole(cloud, as: .viewer)
        let acts = ["start", "stop", "reboot", "rename", "delete", "recover", "revert"]
        for path in ["/instances", Self.running, Self.running + "/snapshots", Self.running + "/console"] {
            let page = try await console.get(path)
            #expect(page.status == 200)
            for act in acts { #expect(!page.text.contains("\(Self.running)/\(act)"), "\(path) offers \(act)") }
            #expect(!page.text.contains("instances/new"))
        }
        for act in acts {
            #expect(try await console.get("\(Self.running)/\(act)").status == 403)
            #expect(try await console.post("\(Self.running)/\(act)", "name=x").status == 403)
        }
        #expect(try await console.post("/instances/new", "name=x&count=1&network=user").status == 403)
        #expect(cloud.changes.isEmpty)
    }

    // MARK: What is done

    @Test("each act is done once its page is answered, and leads back")
    func acts() async throws {
        let cloud = MachineCloud()
        let console = try TestConsole(cloud)
        for (path, form, notice, act) in [
            (Self.stopped + "/start", "", "instanceStarted", MachineCloud.Act.start(MachineCloud.stopped)),
            (Self.running + "/stop", "how=graceful", "instanceStopped", .stop(MachineCloud.running, isForced: false)),
            (Self.running + "/stop", "how=forced", "instanceStopped", .stop(MachineCloud.running, isForced: true)),
            (Self.running + "/reboot", "", "instanceRebooted", .reboot(MachineCloud.running)),
            (Self.running + "/rename", "name=new", "instanceRenamed", .rename(MachineCloud.running, to: "new")),
            (
                Self.running + "/delete", "volume-\(Sample.id(21) as VolumeID)=on", "instanceDestroyed",
                .destroy(MachineCloud.running, volumes: [Sample.id(21)])
            ),
            (
                Self.running + "/delete", "purge=on", "instanceDeleted",
                .delete(MachineCloud.running, snapshots: false, volumes: [])
            ),
            (Self.stopped + "/recover", "", "instanceRecovered", .recover(MachineCloud.stopped)),
            (
                Self.running + "/delete", "volume-\(Sample.id(21) as VolumeID)=on&snapshots=on", "instanceDeleted",
                .delete(MachineCloud.running, snapshots: true, volumes: [Sample.id(21)])
            ),
            (
                Self.running + "/revert", "group=\(MachineCloud.group)&restart=on", "instanceReverting",
                .revert(.group(MachineCloud.group, of: MachineCloud.running), restarts: true)
            ),
        ] {
            let page = try await console.post(path, form)
            #expect(page.status == 303, "\(path)")
            #expect(page.notice?.hasPrefix(notice) == true, "\(path)")
            #expect(cloud.changes.last == act)
        }
    }

    @Test("a name that cannot be is shown again with its field marked")
    func badName() async throws {
        let cloud = MachineCloud()
        let page = try await TestConsole(cloud).post(Self.running + "/rename", "name=a%2Fb")
        #expect(page.status == 400)
        #expect(page.isMarked("name", value: "a/b"))
        #expect(cloud.changes.isEmpty)
    }

    // MARK: Creation

    private static let template: TemplateID = Sample.id(50)
    private static let filled =
        "template=\(template)&name=app&count=3&computeOfferingId=custom&cpuCount=2"
        + "&memoryInMB=512&network=isolated&rootVolumeSizeInGb=4&additionalDiskSizeInGb=&start=on"

    @Test("what the form says is what is deployed")
    func deployment() async throws {
        let cloud = MachineCloud()
        let page = try await TestConsole(cloud).post("/instances/new", Self.filled)
        #expect(page.status == 303)
        #expect(page.location == "/environments/production/instances")
        #expect(page.notice?.hasPrefix("instanceDeployed") == true)
        #expect(
            cloud.changes == [
                .deploy(
                    MachineCloud.Deployment(
                        source: .template(Self.template),
                        name: "app",
                        count: 3,
                        offering: "custom",
                        cpuCount: 2,
                        memory: .mebibytes(512),
                        network: .isolated,
                        root: .gibibytes(4)
                    )
                )
            ]
        )
    }

    @Test(
        "a field out of its bounds is marked, and the others keep what they hold",
        arguments: [
            ("count", "0"), ("count", "101"), ("count", "many"), ("name", ""), ("name", "a/b"), ("cpuCount", "33"),
            ("memoryInMB", "63"), ("rootVolumeSizeInGb", "0"), ("additionalDiskSizeInGb", "-1"),
        ]
    )
    func outOfBounds(_ field: String, _ value: String) async throws {
        let cloud = MachineCloud()
        let form = Self.filled.split(separator: "&")
            .map { $0.hasPrefix(field + "=") ? "\(field)=\(value.urlEncoded)" : String($0) }
            .joined(separator: "&")
        let page = try await TestConsole(cloud).post("/instances/new", form)
        #expect(page.status == 400)
        #expect(page.isMarked(field, value: value))
        #expect(page.text.split(separator: "aria-invalid").count == 2)
        for (name, kept) in [("name", "app"), ("count", "3"), ("memoryInMB", "512"), ("rootVolumeSizeInGb", "4")]
        where name != field {
            #expect(page.text.contains("name=\"\(name)\" \(name == "name" ? "" : "type=\"number\" ")value=\"\(kept)\""))
        }
        #expect(page.text.contains("value=\"isolated\" checked"))
        #expect(cloud.changes.isEmpty)
    }

    @Test("an offering's own size counts, whatever stands in the fields of another")
    func offering() async throws {
        let cloud = MachineCloud()
        let form = "name=app&count=1&computeOfferingId=small&cpuCount=99&memoryInMB=&network=user"
        #expect(try await TestConsole(cloud).post("/instances/new", form).status == 303)
        #expect(
            cloud.changes == [
                .deploy(
                    MachineCloud.Deployment(
                        source: .template(Self.template),
                        name: "app",
                        offering: "small",
                        starts: false
                    )
                )
            ]
        )
    }

    @Test("a copy of a snapshot is isolated unless the visitor says otherwise, and goes where they say")
    func fromSnapshot() async throws {
        let cloud = MachineCloud()
        let console = try TestConsole(cloud)
        let id: SnapshotID = Sample.id(30)
        let text = try await console.get("/instances/new?snapshot=\(id)").text
        #expect(text.contains("value=\"isolated\" checked"))
        #expect(text.contains("value=\"web01-copy\""))
        #expect(text.contains("<option value=\"lab\""))
        let form = "snapshot=\(id)&environment=lab&name=look&count=1&network=isolated&start=on"
        let page = try await console.post("/instances/new", form)
        #expect(page.location == "/environments/lab/instances")
        let expected = MachineCloud.Deployment(
            source: .snapshot(id),
            name: "look",
            network: .isolated,
            environment: Sample.laboratory.id
        )
        #expect(cloud.changes == [.deploy(expected)])
    }

    @Test("nothing is created where the visitor may not")
    func foreignTarget() async throws {
        let cloud = MachineCloud()
        let id: SnapshotID = Sample.id(30)
        let form = "snapshot=\(id)&environment=lab&name=look&count=1&network=isolated"
        let page = try await TestConsole(cloud, as: .editor).post("/instances/new", form)
        #expect(page.status == 400)
        #expect(page.text.contains("aria-invalid"))
        #expect(cloud.changes.isEmpty)
    }
}

extension Page {
    /// Whether the form shows a field as wrong, with what was typed.
    fileprivate func isMarked(_ name: String, value: String) -> Bool {
        text.split(separator: "<input").contains { field in
            let tag = field.prefix { $0 != ">" }
            return tag.contains(" name=\"\(name)\"") && tag.contains(" value=\"\(value)\"")
                && tag.contains("aria-invalid=\"true\"")
        }
    }
}

@Suite("Console: the text of a serial console")
struct SerialTextTests {
    @Test(
        "what only a terminal understands goes, and the rest stays",
        arguments: [
            ("plain\r\ntext\n", "plain\ntext\n"), ("\u{1B}[31mred\u{1B}[0m", "red"), ("a\u{1B}]0;title\u{7}b", "ab"),
            ("a\u{1B}]0;title\u{1B}\\b", "ab"), ("\u{1B}(Bx", "x"), ("\u{1B}cx", "x"), ("a\u{8}\tb\u{9B}", "a\tb"),
            ("ñandú 漢字", "ñandú 漢字"),
        ]
    )
    func plain(_ raw: String, _ expected: String) {
        let shown = SerialText(ConsoleText(text: raw, nextOffset: 500))
        #expect(shown.text == expected)
        #expect(shown.nextOffset == 500)
    }

    @Test(
        "a sequence that is cut in two waits for its end",
        arguments: ["\u{1B}", "\u{1B}[", "\u{1B}[3", "\u{1B}]0;t"]
    )
    func cut(_ start: String) {
        let shown = SerialText(ConsoleText(text: "text" + start, nextOffset: 500))
        #expect(shown.text == "text")
        #expect(shown.nextOffset == 500 - Int64(start.utf8.count))
    }

    @Test("a sequence without an end does not hold the console for ever")
    func endless() {
        let raw = "\u{1B}]" + String(repeating: "x", count: 100)
        #expect(SerialText(ConsoleText(text: raw, nextOffset: 500)).nextOffset == 500)
    }
}
