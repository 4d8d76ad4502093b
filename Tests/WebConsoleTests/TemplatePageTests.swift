import Foundation
import HTTPTypes
import TestKit
import Testing

@testable import HTTPCommon
@testable import SnapshotDomain
@testable import SnapshotServices
@testable import WebConsole

@Suite("Console: templates")
struct TemplatePageTests {
    private static let one = "/templates/\(Sample.id(50) as TemplateID)"

    @Test(
        "every page says everything in every language",
        arguments: [
            ("/templates", ["Importar plantilla", "Import template", "Importer un modèle"]),
            ("/templates/import", ["Dirección de la imagen", "Address of the image", "Adresse de l’image"]),
            ("/templates/upload", ["Archivo de la imagen", "Image file", "Fichier de l’image"]),
            (one, ["y 2 cosas más", "and 2 more things", "et 2 autres éléments"]),
            (one + "/rename", ["Cambiar nombre", "Rename", "Renommer"]),
            (one + "/delete", ["3 cosas conservan", "3 things keep", "3 éléments gardent"]),
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

    @Test("a template shows what stands on it and leads to what can be made of it; its text is text")
    func detail() async throws {
        let text = try await TestConsole(StorageCloud()).get(Self.one).text
        #expect(text.contains("ROOT-web01"))
        #expect(text.contains("/instances/new?template=\(Sample.id(50) as TemplateID)"))
        #expect(text.contains("A small &lt;Linux&gt;"))
    }

    @Test("renaming and deleting")
    func changes() async throws {
        let cloud = StorageCloud()
        let console = try TestConsole(cloud)
        let renamed = try await console.post(Self.one + "/rename", "name=silver&description=")
        #expect(renamed.location == "/environments/production" + Self.one)
        let deleted = try await console.post(Self.one + "/delete", "")
        #expect(deleted.location == "/environments/production/templates")
        #expect(
            cloud.changes == [
                .update(Sample.id(50), name: "silver", description: ""), .deleteTemplate(Sample.id(50)),
            ]
        )
        let wrong = try await console.post(Self.one + "/rename", "name=a%2Fb&description=kept")
        #expect(wrong.status == 400)
        #expect(wrong.text.contains("value=\"a/b\""))
        #expect(wrong.text.contains(">kept</textarea>"))
    }

    @Test("a viewer can import nothing and change nothing")
    func viewer() async throws {
        let cloud = StorageCloud()
        let console = try TestConsole(cloud, as: .viewer)
        #expect(try await console.get("/templates").text.contains("/templates/import") == false)
        #expect(try await console.upload("/templates/upload", Self.fields(), file: "image").status == 403)
        #expect(
            try await console.post("/templates/import", "name=a&format=raw&url=https://images.example.org/disk.img")
                .status == 403
        )
        #expect(try await console.post(Self.one + "/delete", "").status == 403)
        #expect(cloud.changes.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: cloud.uploads))
    }

    // MARK: Uploads

    private static func fields(name: String = "golden", format: String = "raw") -> [(name: String, value: String)] {
        [
            ("name", name), ("description", "What is on it"), ("format", format), ("osTypeId", "debian-12"),
            ("sshKey", "on"),
        ]
    }

    @Test("an uploaded image becomes a template, by a form or by a script")
    func upload() async throws {
        let cloud = StorageCloud()
        defer { try? FileManager.default.removeItem(atPath: cloud.uploads) }
        let console = try TestConsole(cloud)
        let form = try await console.upload("/templates/upload", Self.fields(), file: "the image")
        #expect(form.status == 303)
        let script = try await console.upload(
            "/templates/upload",
            Self.fields(),
            file: "the image",
            headers: [.prefer: "return=minimal"]
        )
        #expect(script.status == 201)
        for page in [form, script] {
            #expect(page.location == "/environments/production/templates")
            #expect(page.notice?.hasPrefix("templateImported") == true)
        }
        let options = TemplateOptions(osType: "debian-12", isSSHKeyEnabled: true)
        let act = StorageCloud.Act.importImage(content: "the image", format: "raw", name: "golden", options)
        #expect(cloud.changes == [act, act])
    }

    @Test("what is wrong with a form is said before its file is taken, at its field, and the form stays filled")
    func wrong() async throws {
        let cloud = StorageCloud()
        let console = try TestConsole(cloud)
        let cases: [([(name: String, value: String)], String?, String)] = [
            (Self.fields(name: "../x"), "image", "name"), (Self.fields(name: ""), "image", "name"),
            (Self.fields(format: "vmdk"), "image", "format"), (Self.fields(), nil, "file"), (Self.fields(), "", "file"),
            (Self.fields(name: "taken"), "image", "name"),
        ]
        for (fields, file, field) in cases {
            let page = try await console.upload("/templates/upload", fields, file: file)
            #expect(page.status == 400)
            let mark = try #require(page.text.range(of: "aria-invalid=\"true\""))
            #expect(page.text[..<mark.lowerBound].suffix(200).contains("name=\"\(field)\""))
            #expect(page.text.contains(">What is on it</textarea>"))
            #expect(page.text.contains("value=\"debian-12\" selected"))
            #expect(!FileManager.default.fileExists(atPath: cloud.uploads))
        }
        #expect(cloud.changes.isEmpty)
    }

    @Test("an image that the service refuses at once is refused on the form")
    func refused() async throws {
        let cloud = StorageCloud(importFailure: ServiceError(.badImage, "It refers to a backing file."))
        defer { try? FileManager.default.removeItem(atPath: cloud.uploads) }
        let page = try await TestConsole(cloud).upload("/templates/upload", Self.fields(), file: "evil")
        #expect(page.status == 400)
        #expect(page.text.contains("The image is refused"))
        #expect(page.text.contains("It refers to a backing file."))
    }

    @Test(
        "only addresses of the web are fetched from",
        arguments: ["", "x", "file:///etc/passwd", "ftp://host/x", "http://", "javascript:alert(1)"]
    )
    func addresses(_ address: String) async throws {
        let cloud = StorageCloud()
        let form = "name=a&description=&format=raw&url=\(address.urlEncoded)"
        let page = try await TestConsole(cloud).post("/templates/import", form)
        #expect(page.status == 400)
        let mark = try #require(page.text.range(of: "aria-invalid=\"true\""))
        #expect(page.text[..<mark.lowerBound].suffix(200).contains("name=\"url\""))
        #expect(cloud.changes.isEmpty)
    }
}
