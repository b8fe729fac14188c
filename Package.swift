// swift-tools-version: 6.2
import PackageDescription

/// Warnings stop CI but never a dependant's build: the switch is an environment variable of our own.
let warningsAreErrors = Context.environment["RAFT_MUX_STRICT"] != nil

let sourceSettings: [SwiftSetting] =
  [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .strictMemorySafety(),
  ] + (warningsAreErrors ? [.treatAllWarnings(as: .error)] : [])

let testSettings: [SwiftSetting] =
  [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
  ] + (warningsAreErrors ? [.treatAllWarnings(as: .error)] : [])

let package = Package(
  name: "swift-raft-mux",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "RaftTransport", targets: ["RaftTransport"]),
    .library(name: "RaftTransportTesting", targets: ["RaftTransportTesting"]),
    .executable(name: "raft-mux", targets: ["raft-mux"]),
  ],
  traits: [
    .default(enabledTraits: ["Authentication"]),
    .trait(
      name: "Authentication",
      description: "TLS and shared keys between peers. Without it the package has no cryptography to build."
    ),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
    .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
  ],
  targets: [
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "CLinuxSockets"),
    .target(
      name: "RaftWire",
      dependencies: [
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "DequeModule", package: "swift-collections"),
      ],
      swiftSettings: sourceSettings
    ),
    .target(
      name: "StreamMux",
      dependencies: [
        "CZlib",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "DequeModule", package: "swift-collections"),
      ],
      swiftSettings: sourceSettings
    ),
    .target(
      name: "RaftTransport",
      dependencies: [
        "CLinuxSockets", "CZlib", "RaftWire", "StreamMux",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "NIOTLS", package: "swift-nio", condition: .when(traits: ["Authentication"])),
        .product(name: "NIOSSL", package: "swift-nio-ssl", condition: .when(traits: ["Authentication"])),
        .product(name: "Crypto", package: "swift-crypto", condition: .when(traits: ["Authentication"])),
        .product(name: "X509", package: "swift-certificates", condition: .when(traits: ["Authentication"])),
        .product(name: "SwiftASN1", package: "swift-asn1", condition: .when(traits: ["Authentication"])),
      ],
      swiftSettings: sourceSettings
    ),
    .target(
      name: "RaftTransportTesting",
      dependencies: [
        "RaftTransport", "RaftWire", "StreamMux",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "HeapModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: sourceSettings
    ),
    .target(
      name: "ConformanceSuite",
      dependencies: [
        "CZlib", "RaftWire",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "Crypto", package: "swift-crypto", condition: .when(traits: ["Authentication"])),
      ],
      swiftSettings: sourceSettings
    ),
    .target(name: "CBenchProbes"),
    .executableTarget(
      name: "raft-mux",
      dependencies: [
        "CBenchProbes", "ConformanceSuite", "RaftTransport", "RaftWire", "RaftTransportTesting",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Histogram", package: "hdrhistogram-swift"),
        .product(name: "X509", package: "swift-certificates", condition: .when(traits: ["Authentication"])),
        .product(name: "SwiftASN1", package: "swift-asn1", condition: .when(traits: ["Authentication"])),
      ],
      swiftSettings: sourceSettings
    ),
    .testTarget(
      name: "RaftWireTests",
      dependencies: [
        "RaftWire",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: testSettings
    ),
    .testTarget(
      name: "StreamMuxTests",
      dependencies: [
        "StreamMux",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "DequeModule", package: "swift-collections"),
      ],
      swiftSettings: testSettings
    ),
    .testTarget(
      name: "RaftTransportTests",
      dependencies: [
        "RaftTransport", "RaftTransportTesting", "RaftWire", "StreamMux",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      swiftSettings: testSettings
    ),
    .target(
      name: "FuzzTargets",
      dependencies: [
        "RaftWire", "StreamMux", "RaftTransport",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Tests/Fuzzing/Targets",
      swiftSettings: sourceSettings
    ),
    .testTarget(
      name: "FuzzTests",
      dependencies: ["FuzzTargets", .product(name: "NIOCore", package: "swift-nio")],
      swiftSettings: testSettings
    ),
    .testTarget(
      name: "ClassicTests",
      dependencies: [
        "RaftTransport", "RaftTransportTesting", "RaftWire",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: testSettings
    ),
    .testTarget(
      name: "SecurityTests",
      dependencies: [
        "raft-mux", "RaftTransport", "RaftTransportTesting", "RaftWire", "StreamMux",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl", condition: .when(traits: ["Authentication"])),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: testSettings
    ),
    .testTarget(
      name: "HostileTests",
      dependencies: [
        "raft-mux", "RaftTransport", "RaftTransportTesting", "RaftWire", "StreamMux",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: testSettings
    ),
    .testTarget(
      name: "DemoTests",
      dependencies: [
        "raft-mux", "RaftTransport", .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: testSettings
    ),
    .testTarget(
      name: "ConformanceTests",
      dependencies: [
        "ConformanceSuite", "RaftTransport", "RaftTransportTesting", "RaftWire", "StreamMux",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: testSettings
    ),
    .testTarget(
      name: "InteropTests",
      dependencies: [
        "raft-mux", "ConformanceSuite", "RaftTransport", "RaftTransportTesting",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: testSettings
    ),
    .testTarget(
      name: "SimulationTests",
      dependencies: ["RaftTransport", "RaftTransportTesting"],
      swiftSettings: testSettings
    ),
    .testTarget(
      name: "SpecTests",
      dependencies: [
        "ConformanceSuite", "RaftWire", "StreamMux", "RaftTransport",
        .product(name: "NIOCore", package: "swift-nio"),
      ],
      swiftSettings: testSettings
    ),
  ]
)

/// The fuzzer links only where libFuzzer is, with `-sanitize=fuzzer`: `.ci/fuzz` sets this, and nobody else has to.
if Context.environment["RAFT_MUX_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(name: "fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzzing/Driver"))
}

/// Only `.ci/sanitize` sets these. The thread sanitizer has to be told of locks that it cannot see.
if Context.environment["RAFT_MUX_SANITIZE"] == "thread" {
  package.targets.append(.target(name: "MutexAnnotations", path: "Tests/Sanitizing"))
  package.targets.first { $0.name == "FuzzTests" }?.dependencies.append("MutexAnnotations")
}

/// To build BoringSSL for a sanitizer takes longer than its tests: this leaves out all that needs it.
if Context.environment["RAFT_MUX_WITHOUT_CRYPTOGRAPHY"] != nil {
  let left: Set = ["raft-mux", "RaftWireTests", "SecurityTests", "HostileTests", "DemoTests", "InteropTests"]
  package.products.removeAll { left.contains($0.name) }
  package.targets.removeAll { left.contains($0.name) }
}
