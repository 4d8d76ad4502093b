// swift-tools-version: 6.2
import PackageDescription

// One rule for every target of ours: Swift 6 mode, no implicit public imports, warnings are errors.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

/// A target of ours, in the folder of its ring.
func ring(_ folder: String, _ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/\(folder)/\(name)", exclude: readme(folder),
        swiftSettings: strict)
}

/// Adapters and interfaces explain themselves in a README, which is not a source.
func readme(_ folder: String) -> [String] {
    ["Adapters", "Interfaces"].contains(folder) ? ["README.md"] : []
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: dependencies + ["TestKit"], swiftSettings: strict)
}

let package = Package(
    name: "instanta",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "instanta", targets: ["instanta"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        // Without its default traits Hummingbird needs neither swift-configuration nor all of Foundation.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // Values, state machines, names, the layer tree and its plans, access rules. No I/O.
        ring("Domain", "SnapshotDomain"),
        // What the engine asks of the world: catalog, block store, hypervisor, clock; and how they fail.
        ring("Domain", "SnapshotPorts", ["SnapshotDomain"]),

        // Use cases, durable jobs, the collector and the reconciler.
        ring("Application", "SnapshotServices", ["SnapshotDomain", "SnapshotPorts", logging]),

        // Threads for blocking calls, durable files, locks, child processes, deadlines.
        ring("Adapters", "Platform", [logging]),
        // The catalog in one SQLite file.
        ring("Adapters", "CatalogSQLite", ["SnapshotDomain", "SnapshotPorts", "Platform", grdb, logging]),
        // QMP, guest agent, storage daemon, NBD: the protocols of QEMU's programs.
        ring("Adapters", "QEMU", ["SnapshotDomain", "SnapshotPorts", "Platform", nioCore, nioPosix, logging]),
        // Layers as qcow2 files in a folder.
        ring("Adapters", "BlockStoreQCOW2", ["SnapshotDomain", "SnapshotPorts", "Platform", "QEMU", crypto, logging]),
        // Instances as QEMU processes that outlive the service.
        ring("Adapters", "HypervisorQEMU", ["SnapshotDomain", "SnapshotPorts", "Platform", "QEMU", logging]),

        // What every HTTP face shares: principals, request ids, limits, the error log.
        ring("Interfaces", "HTTPCommon",
            ["SnapshotDomain", "SnapshotPorts", "SnapshotServices", hummingbird, nioCore, logging]),
        // CloudMC's REST API.
        ring("Interfaces", "CloudMCAPI",
            ["SnapshotDomain", "SnapshotPorts", "SnapshotServices", "HTTPCommon", hummingbird, nioCore, logging]),
        // The client verbs of the command line, over CloudMC's REST API.
        ring("Interfaces", "CommandLine", ["SnapshotDomain", argumentParser]),

        // The one binary: composition root, `instanta serve` and every client verb.
        .executableTarget(
            name: "instanta",
            dependencies: [
                "SnapshotDomain", "SnapshotPorts", "SnapshotServices", "Platform", "CatalogSQLite", "QEMU",
                "BlockStoreQCOW2", "HypervisorQEMU", "HTTPCommon", "CloudMCAPI", "CommandLine",
                argumentParser, cryptoExtras, hummingbird, serviceLifecycle, logging,
            ],
            path: "Sources/Executables/instanta",
            swiftSettings: strict
        ),

        // Contracts, fault injection, a manual clock and builders for tests.
        .target(
            name: "TestKit",
            dependencies: ["SnapshotDomain", "SnapshotPorts", "Platform", logging],
            path: "Sources/TestSupport/TestKit",
            swiftSettings: strict
        ),

        tests("SnapshotDomain", ["SnapshotDomain"]),
        tests("SnapshotServices", [
            "SnapshotDomain", "SnapshotPorts", "SnapshotServices", "CatalogSQLite", "BlockStoreQCOW2",
            "HypervisorQEMU", "QEMU", "Platform",
        ]),
        tests("Platform", ["Platform"]),
        tests("CatalogSQLite", ["SnapshotDomain", "SnapshotPorts", "CatalogSQLite"]),
        tests("QEMU", ["QEMU", "Platform"]),
        tests("BlockStoreQCOW2", ["SnapshotDomain", "SnapshotPorts", "BlockStoreQCOW2", "QEMU", "Platform"]),
        tests("HypervisorQEMU", ["SnapshotDomain", "SnapshotPorts", "HypervisorQEMU", "BlockStoreQCOW2", "QEMU", "Platform"]),
        tests("CloudMCAPI", ["SnapshotDomain", "SnapshotPorts", "SnapshotServices", "CloudMCAPI", "HTTPCommon", "instanta"]),
        tests("CommandLine", ["CommandLine"]),
        // The shipped binary, driven as a person or a script would.
        tests("EndToEnd", ["CommandLine", "Platform"]),
    ]
)
