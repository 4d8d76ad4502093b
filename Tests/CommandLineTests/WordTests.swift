import Foundation
import Testing

@testable import CommandLine

@Suite("words")
struct WordTests {
    @Test("every word is there in every language", arguments: Word.allCases)
    func complete(_ word: Word) {
        for language in Language.allCases {
            #expect(!word.text(in: language).isEmpty)
        }
    }

    @Test(
        "states are called as the console calls them",
        arguments: [
            (ResourceKind.volume, "Ready", ["Ready", "Listo", "Prêt"]),
            (.volume, "Snapshotting", ["Snapshot in progress", "Copia instantánea en curso", "Instantané en cours"]),
            (.snapshot, "Creating", ["In progress", "En progreso", "En cours"]),
            (.snapshot, "BackingUp", ["In progress", "En progreso", "En cours"]),
            (.snapshot, "BackedUp", ["Completed", "Completado", "Terminé"]),
            (.snapshot, "Destroying", ["Destroying", "Destrucción", "Destruction"]),
            (.snapshot, "Error", ["Error", "Error", "Erreur"]),
        ]
    )
    func states(_ kind: ResourceKind, _ state: String, _ expected: [String]) {
        let words = [Language.english, .spanish, .french].map { language in
            Reader(language: language, timeZone: .gmt).state(state, of: kind).text
        }
        #expect(words == expected)
    }

    @Test("a state from the future is shown as it came")
    func unknown() {
        #expect(Reader(language: .french, timeZone: .gmt).state("Ripening", of: .volume).text == "Ripening")
    }

    @Test(
        "the locale is read as the C library reads it",
        arguments: [
            (["LANG": "es_ES.UTF-8"], Language.spanish), (["LANG": "es", "LC_MESSAGES": "fr_CA"], .french),
            (["LC_ALL": "en_US.UTF-8", "LANG": "es"], .english), (["LC_ALL": "", "LANG": "fr_FR@euro"], .french),
            (["LANG": "C"], .english), ([:], .english), (["LANG": "de_DE"], .english),
        ]
    )
    func locales(_ variables: [String: String], _ expected: Language) {
        #expect(Language(variables: variables) == expected)
    }
}
