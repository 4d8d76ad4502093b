// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

// One rule for every target of ours: Swift 6 mode, no implicit public imports, warnings are errors.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
    // Without this, optimised builds with Swift 6.3.1 crash the compiler ("While splitting coroutine …"): LLVM merges the
    // ends of several throws in one async function and then cannot split it.
    .unsafeFlags(["-Xllvm", "-simplifycfg-sink-common=false"], .when(configuration: .release)),
]

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

/// A target of ours, in the folder of its ring.
func ring(_ folder: String, _ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(
        name: name,
        dependencies: dependencies,
        path: "Sources/\(folder)/\(name)",
        exclude: readme(folder),
        swiftSettings: strict
    )
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
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        // Without its default traits Hummingbird needs neither swift-configuration nor all of Foundation.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
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
        ring("Adapters", "Platform"),
        // The catalog in one SQLite file.
        ring("Adapters", "CatalogSQLite", ["SnapshotDomain", "SnapshotPorts", "Platform", grdb]),
        // QMP, guest agent, storage daemon, NBD: the protocols of QEMU's programs.
        ring("Adapters", "QEMU", ["SnapshotDomain", "SnapshotPorts", "Platform", nioCore, nioPosix, logging]),
        // Librados and librbd, found at run time: clusters, images, snapshots.
        ring("Adapters", "Ceph"),
        // What block stores of every kind do with contents: the digest, strangers' images, what failures mean.
        ring("Adapters", "DiskImages", ["SnapshotDomain", "SnapshotPorts", "Platform", "QEMU", crypto]),
        // Layers as qcow2 files in a folder.
        ring(
            "Adapters",
            "BlockStoreQCOW2",
            ["SnapshotDomain", "SnapshotPorts", "Platform", "QEMU", "DiskImages", crypto, nioCore, logging]
        ),
        // Layers as images and snapshots of a Ceph cluster.
        ring(
            "Adapters",
            "BlockStoreRBD",
            ["SnapshotDomain", "SnapshotPorts", "Platform", "QEMU", "DiskImages", "Ceph", crypto, logging]
        ),
        // Instances as QEMU processes that outlive the service.
        ring(
            "Adapters",
            "HypervisorQEMU",
            ["SnapshotDomain", "SnapshotPorts", "Platform", "QEMU", crypto, nioCore, logging]
        ),
        // Images behind addresses, fetched into files.
        ring("Adapters", "ImageFetcherHTTP", ["SnapshotDomain", "SnapshotPorts", "Platform"]),

        // What every HTTP face shares: principals, request ids, limits, the error log.
        ring(
            "Interfaces",
            "HTTPCommon",
            [
                "SnapshotDomain", "SnapshotPorts", hummingbird, httpTypes, nioCore, nioHTTP1, nioPosix, logging,
            ]
        ),
        // CloudMC's REST API.
        ring(
            "Interfaces",
            "CloudMCAPI",
            ["SnapshotDomain", "SnapshotPorts", "SnapshotServices", "HTTPCommon", hummingbird, httpTypes, logging]
        ),
        // CloudStack's query API.
        ring(
            "Interfaces",
            "CloudStackAPI",
            [
                "SnapshotDomain", "SnapshotPorts", "SnapshotServices", "HTTPCommon", crypto, hummingbird, httpTypes,
                nioCore, logging,
            ]
        ),
        // The web console's pages, messages, styles and script, embedded in the program.
        .target(
            name: "ConsoleFiles",
            path: "Sources/Interfaces/ConsoleFiles",
            exclude: ["README.md", "assets", "messages", "pages"]
        ),
        // The web console.
        ring(
            "Interfaces",
            "WebConsole",
            [
                "SnapshotDomain", "SnapshotPorts", "SnapshotServices", "HTTPCommon", "ConsoleFiles", crypto,
                hummingbird,
                httpTypes, mustache, nioCore, serviceLifecycle, logging,
            ]
        ),
        // The client verbs of the command line, over CloudMC's REST API.
        ring("Interfaces", "CommandLine", ["SnapshotDomain", argumentParser]),

        // The one binary: composition root, `instanta serve` and every client verb.
        .executableTarget(
            name: "instanta",
            dependencies: [
                "SnapshotDomain", "SnapshotPorts", "SnapshotServices", "Platform", "CatalogSQLite", "QEMU",
                "BlockStoreQCOW2", "BlockStoreRBD", "Ceph", "HypervisorQEMU", "ImageFetcherHTTP", "HTTPCommon",
                "CloudMCAPI", "CloudStackAPI",
                "WebConsole", "CommandLine",
                argumentParser, crypto, cryptoExtras, hummingbird, nioCore, nioPosix, logging,
            ],
            path: "Sources/Executables/instanta",
            swiftSettings: strict
        ),

        // The budgets, measured against the bare tools: `make bench`.
        .executableTarget(
            name: "benchmarks",
            dependencies: [
                "SnapshotDomain", "SnapshotPorts", "Platform", "CatalogSQLite", "QEMU", "HypervisorQEMU",
                grdb, nioPosix, logging,
            ],
            path: "Benchmarks",
            swiftSettings: strict
        ),

        // Contracts, fault injection, a manual clock and builders for tests.
        .target(
            name: "TestKit",
            dependencies: ["SnapshotDomain", "SnapshotPorts", "SnapshotServices", "Platform", logging],
            path: "Sources/TestSupport/TestKit",
            swiftSettings: strict
        ),

        // A real QEMU whose disks a test writes in a guest's place.
        .target(
            name: "QEMUTestKit",
            dependencies: ["SnapshotDomain", "SnapshotPorts", "Platform", "QEMU", "TestKit", nioPosix],
            path: "Sources/TestSupport/QEMUTestKit",
            swiftSettings: strict
        ),

        tests("SnapshotDomain", ["SnapshotDomain"]),
        tests(
            "SnapshotServices",
            [
                "SnapshotDomain", "SnapshotPorts", "SnapshotServices", "CatalogSQLite", "BlockStoreQCOW2",
                "HypervisorQEMU", "ImageFetcherHTTP", "QEMU", "Platform", nioPosix, logging,
            ]
        ),
        tests("Platform", ["Platform"]),
        tests("CatalogSQLite", ["SnapshotDomain", "SnapshotPorts", "CatalogSQLite", grdb]),
        tests("QEMU", ["SnapshotDomain", "QEMU", "Platform", nioCore, nioPosix, logging]),
        tests(
            "BlockStoreQCOW2",
            [
                "SnapshotDomain", "SnapshotPorts", "BlockStoreQCOW2", "DiskImages", "QEMU", "QEMUTestKit", "Platform",
                nioCore, nioPosix, logging,
            ]
        ),
        // On a real cluster, which the tests start.
        tests(
            "BlockStoreRBD",
            [
                "SnapshotDomain", "SnapshotPorts", "BlockStoreRBD", "BlockStoreQCOW2", "Ceph", "QEMU", "QEMUTestKit",
                "Platform",
                nioPosix,
                logging,
            ]
        ),
        tests(
            "HypervisorQEMU",
            [
                "SnapshotDomain", "SnapshotPorts", "HypervisorQEMU", "BlockStoreQCOW2", "QEMU", "Platform", nioPosix,
                logging,
            ]
        ),
        tests("ImageFetcherHTTP", ["SnapshotDomain", "SnapshotPorts", "ImageFetcherHTTP", "Platform"]),
        tests(
            "CloudMCAPI",
            [
                "SnapshotDomain", "SnapshotPorts", "SnapshotServices", "CatalogSQLite", "CloudMCAPI", "HTTPCommon",
                hummingbird, httpTypes,
                nioCore, nioPosix, logging,
            ]
        ),
        tests(
            "CloudStackAPI",
            [
                "SnapshotDomain", "SnapshotPorts", "SnapshotServices", "CloudStackAPI", "CatalogSQLite",
                "BlockStoreQCOW2", "HypervisorQEMU", "HTTPCommon", crypto, hummingbird, httpTypes, nioCore, nioPosix,
                logging,
            ]
        ),
        tests(
            "WebConsole",
            [
                "SnapshotDomain", "SnapshotPorts", "SnapshotServices", "CatalogSQLite", "WebConsole", "HTTPCommon",
                hummingbird,
                httpTypes, nioCore, logging,
            ]
        ),
        tests("CommandLine", ["SnapshotDomain", "CommandLine", argumentParser]),
        // The shipped binary, driven as a person or a script would.
        tests("EndToEnd", ["CommandLine", "Platform"]),
    ]
)
