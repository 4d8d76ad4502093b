import Foundation
package import SnapshotPorts

@testable package import SnapshotServices

extension Accounts {
    /// Those of a catalog, in a world without anything else.
    package static func over(_ catalog: any Catalog) -> Accounts {
        let nothing = ofNobody.world
        return Accounts(
            world: World(
                catalog: catalog,
                stores: [],
                hypervisor: nothing.hypervisor,
                uploads: nothing.uploads,
                images: nothing.images
            ),
            secrets: PlainSecrets()
        )
    }
}

/// Passwords are their own verifiers, and digests begin with the key: no secret, and quick.
private struct PlainSecrets: Secrets {
    func makeKey() -> String { UUID().uuidString }
    func digest(of key: String) -> Data { Data((key + String(repeating: " ", count: 32)).utf8.prefix(32)) }
    func makeVerifier(for password: String) async throws -> String { password }
    func verify(_ password: String, against verifier: String) async throws -> Bool { password == verifier }
}
