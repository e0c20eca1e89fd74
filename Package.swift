// swift-tools-version: 6.3
import PackageDescription

// What every Swift target promises: the language mode and the checks.
let testSettings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableExperimentalFeature("Lifetimes"),
  .treatAllWarnings(as: .error),
  .treatWarning("DeprecatedDeclaration", as: .warning),
]
// With VERITY_BPF_FUZZ set, everything is instrumented for libFuzzer and the fuzz targets are there too (tools/fuzz).
let isFuzzing = Context.environment["VERITY_BPF_FUZZ"] != nil
let fuzzSettings: [SwiftSetting] = isFuzzing ? [.unsafeFlags(["-sanitize=fuzzer"])] : []
// Sources also say `unsafe` at every unsafe use. Tests do not: the testing macros expand to unmarked uses.
// Generic types are set up by direct calls, not by parsing their mangled names and searching the program's conformances
// for each requirement: a quarter of what a load does beyond starting.
// Each function has a section of its own, so that the linker leaves out those that nothing calls.
let directMetadata: [SwiftSetting] = [
  .unsafeFlags(
    ["-Xfrontend", "-disable-concrete-type-metadata-mangled-name-accessors", "-Xfrontend", "-function-sections"],
    .when(configuration: .release))
]
// No regular expressions in the product and nothing of the concurrency runtime, nor what comes with them (`contains` with
// a string, `firstRange`, `ContinuousClock`): their libraries would be relocated at every start.
let fewLibraries: [SwiftSetting] = [
  .unsafeFlags([
    "-Xfrontend", "-disable-implicit-string-processing-module-import",
    "-Xfrontend", "-disable-implicit-concurrency-module-import",
  ])
]
let settings = testSettings + [.strictMemorySafety()] + directMetadata + fewLibraries + fuzzSettings

// The kernels interleave their streams by hand. The compiler's scheduler groups them again, by a model of this processor
// that has no SHA extensions: a twentieth slower.
let inSourceOrder = ["-mllvm", "-enable-misched=false", "-mllvm", "-enable-post-misched=false"]

// How the binary is linked. Packed relative relocations are a hundredth of the others to read; a static libstdc++ (see
// tools/link) and libgcc save the dynamic loader two libraries; nothing looks up a symbol of the executable by name.
let linking: [LinkerSetting] = [
  .unsafeFlags(
    [
      "-use-ld=lld", "-L\(Context.packageDirectory)/tools/link", "-Xclang-linker", "-static-libgcc",
      "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs", "-Xlinker", "--no-export-dynamic",
    ], .when(platforms: [.linux], configuration: .release))
]

/// A room of the house: one Swift target under `Sources/`, importing only rooms of the floors below.
func room(_ name: String, imports: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: imports, swiftSettings: settings)
}

/// The tests of one room, under `Tests/<room>Tests`.
func tests(_ name: String, imports: [Target.Dependency]) -> Target {
  .testTarget(name: "\(name)Tests", dependencies: imports, swiftSettings: testSettings)
}

let package = Package(
  name: "verity-bpf",
  products: [
    .executable(name: "verity-bpf", targets: ["verity-bpf"])
  ],
  targets: [
    // Floor 0: C, without decisions.
    .target(name: "COpenSSL"),
    .target(name: "CLinuxShim"),
    .target(name: "CHashKernels", cSettings: [.unsafeFlags(inSourceOrder)]),
    .target(name: "CCryptsetup"),

    // Floor 1: values that every room shares.
    room("ByteKit"),
    room("Diagnostics"),
    room("KernelABI"),

    // Floor 2: texts and hashes.
    room("JSONText", imports: ["ByteKit", "Diagnostics"]),
    room("Hashing", imports: ["ByteKit", "Diagnostics", "COpenSSL", "CHashKernels"]),
    room("AuditText", imports: ["ByteKit"]),
    room("DMTable", imports: ["ByteKit", "Diagnostics"]),

    // Floor 3: the system at one edge; the tree, the object and the policy in the pure core.
    room("LinuxSys", imports: ["ByteKit", "Diagnostics", "KernelABI", "CLinuxShim", "CCryptsetup"]),
    room("DMVerity", imports: ["ByteKit", "Diagnostics", "Hashing"]),
    room("BPFObject", imports: ["ByteKit", "KernelABI", "Diagnostics"]),
    room("Policy", imports: ["ByteKit", "KernelABI", "Diagnostics", "JSONText"]),
    room("Signatures", imports: ["ByteKit", "Diagnostics", "Hashing", "COpenSSL"]),

    room("HostReport", imports: ["Diagnostics", "JSONText", "KernelABI"]),
    room("FSVerity", imports: ["ByteKit", "Diagnostics", "Hashing"]),

    // Floor 4: what stands on the tree, and on the policy engine.
    room("HostSurvey", imports: ["ByteKit", "HostReport", "KernelABI", "LinuxSys"]),
    room("SafeOutput", imports: ["Diagnostics", "LinuxSys"]),
    room("DiskLayout", imports: ["ByteKit", "Diagnostics", "KernelABI", "DMVerity", "JSONText"]),
    room("ObjectSignature", imports: ["ByteKit", "Diagnostics", "Hashing", "KernelABI", "BPFObject", "Signatures"]),
    room("EROFS", imports: ["ByteKit", "Diagnostics", "Hashing", "KernelABI", "DMVerity"]),
    room(
      "PolicyWorkbench",
      imports: ["ByteKit", "Diagnostics", "JSONText", "AuditText", "Policy"]),

    // Floor 5: what an image says of itself.
    room(
      "Manifest",
      imports: ["ByteKit", "Diagnostics", "JSONText", "Hashing", "KernelABI", "BPFObject", "DMVerity", "EROFS"]),
    room("EROFSWriter", imports: ["ByteKit", "Diagnostics", "EROFS"]),
    room(
      "TrustAnchors",
      imports: [
        "ByteKit", "Diagnostics", "Hashing", "KernelABI", "LinuxSys", "FSVerity", "ObjectSignature", "Signatures",
      ]),
    room("ImageFiles", imports: ["ByteKit", "Diagnostics", "KernelABI", "LinuxSys", "DMVerity", "DiskLayout"]),
    // Floor 6: origin and making of images; the policies that were installed.
    room(
      "PolicyStore",
      imports: [
        "ByteKit", "Diagnostics", "JSONText", "Hashing", "KernelABI", "LinuxSys", "Policy", "Signatures",
        "TrustAnchors",
      ]),
    room(
      "Provenance",
      imports: [
        "ByteKit", "Diagnostics", "Hashing", "KernelABI", "LinuxSys", "DMTable", "FSVerity", "DMVerity", "DiskLayout",
        "EROFS", "ImageFiles", "Manifest", "ObjectSignature", "Signatures", "TrustAnchors",
      ]),
    room(
      "ImageBuilder",
      imports: [
        "ByteKit", "Diagnostics", "JSONText", "Hashing", "LinuxSys", "DMVerity", "DiskLayout", "KernelABI",
        "BPFObject", "EROFS", "EROFSWriter", "ImageFiles", "Manifest", "SafeOutput", "Signatures",
      ]),

    room(
      "Activation",
      imports: [
        "ByteKit", "Diagnostics", "KernelABI", "LinuxSys", "DMVerity", "DiskLayout", "ImageFiles", "Signatures",
        "TrustAnchors",
      ]),
    // Floor 7: the only way to bpf(2).
    room(
      "BPFLoad",
      imports: [
        "ByteKit", "Diagnostics", "Hashing", "KernelABI", "LinuxSys", "BPFObject", "ObjectSignature", "Policy",
        "Provenance",
      ]),

    // Floor 8: the whole way.
    room(
      "Admission",
      imports: [
        "ByteKit", "Diagnostics", "JSONText", "AuditText", "KernelABI", "LinuxSys", "BPFObject", "Policy", "Manifest",
        "TrustAnchors", "Provenance", "BPFLoad",
      ]),

    // Floor 9: all of it, tried on the machine it guards.
    room(
      "SelfTest",
      imports: [
        "ByteKit", "Diagnostics", "KernelABI", "LinuxSys", "DMVerity", "DiskLayout", "Policy", "Signatures", "EROFS",
        "Manifest", "PolicyStore", "ImageFiles", "ImageBuilder", "TrustAnchors", "Provenance", "Admission",
      ]),

    // Floor 10: the command: its arguments, printing and exit codes.
    .executableTarget(
      name: "verity-bpf",
      dependencies: [
        "ByteKit",
        "Diagnostics",
        "JSONText",
        "Hashing",
        "LinuxSys",
        "DMVerity",
        "DiskLayout",
        "BPFObject",
        "Policy",
        "PolicyWorkbench",
        "PolicyStore",
        "HostReport",
        "HostSurvey",
        "Signatures",
        "ObjectSignature",
        "TrustAnchors",
        "AuditText",
        "EROFS",
        "ImageFiles",
        "Provenance",
        "ImageBuilder",
        "Manifest",
        "KernelABI",
        "SafeOutput",
        "BPFLoad",
        "Activation",
        "Admission",
        "SelfTest",
      ],
      swiftSettings: settings, linkerSettings: linking),

    // What several test targets share.
    .target(
      name: "TestSupport", dependencies: ["ByteKit", "CLinuxShim", "JSONText", "LinuxSys"], path: "Tests/TestSupport",
      swiftSettings: testSettings),

    // The kernel's headers as text, for the tests and tools/kernel-abi, which compare them with KernelABI.
    .target(
      name: "KernelHeaders", dependencies: ["KernelABI"], path: "Tests/KernelHeaders", swiftSettings: testSettings),
    .executableTarget(
      name: "kernel-abi", dependencies: ["KernelABI", "KernelHeaders", "ByteKit", "LinuxSys"],
      path: "Tests/KernelABIReport", swiftSettings: testSettings),

    // The policy engine's figures, see tools/bench-policy.
    .executableTarget(
      name: "policy-benchmark", dependencies: ["Policy"], path: "Benchmarks/PolicyBenchmark",
      swiftSettings: testSettings, linkerSettings: linking),

    // The hash kernels against OpenSSL, see tools/bench.
    .executableTarget(
      name: "hash-benchmark", dependencies: ["ByteKit", "Hashing", "LinuxSys"], path: "Benchmarks/HashBenchmark",
      swiftSettings: testSettings, linkerSettings: linking),

    // Building a hash tree alone, see tools/bench.
    .executableTarget(
      name: "tree-benchmark", dependencies: ["ByteKit", "DMVerity", "Hashing", "LinuxSys"],
      path: "Benchmarks/TreeBenchmark", swiftSettings: testSettings, linkerSettings: linking),

    // What a load costs in process, see tools/bench.
    .executableTarget(
      name: "load-benchmark",
      dependencies: ["Admission", "BPFObject", "ByteKit", "KernelABI", "LinuxSys", "Provenance"],
      path: "Benchmarks/LoadBenchmark", swiftSettings: testSettings, linkerSettings: linking),

    // What runs inside the test machine, see tools/vm.
    .target(name: "CVMSupport", path: "Tests/CVMSupport"),
    .executableTarget(
      name: "vm-tests",
      dependencies: [
        "BPFLoad", "BPFObject", "ByteKit", "CVMSupport", "DMVerity", "Diagnostics", "DiskLayout", "KernelABI",
        "LinuxSys", "Policy", "Provenance",
      ],
      path: "Tests/VMTests", swiftSettings: testSettings),

    // Tests, one target a room.
    tests("ByteKit", imports: ["ByteKit", "LinuxSys"]),
    tests("LinuxSys", imports: ["KernelABI", "LinuxSys", "ByteKit"]),
    tests("Signatures", imports: ["Signatures", "TestSupport", "Diagnostics", "LinuxSys", "ByteKit"]),
    tests(
      "ObjectSignature",
      imports: ["ObjectSignature", "BPFObject", "Signatures", "LinuxSys", "TestSupport", "Diagnostics", "ByteKit"]),
    tests(
      "TrustAnchors",
      imports: [
        "TrustAnchors", "TestSupport", "FSVerity", "Hashing", "ObjectSignature", "Signatures", "Diagnostics", "ByteKit",
        "LinuxSys",
      ]),
    tests(
      "PolicyStore",
      imports: [
        "PolicyStore", "Policy", "Signatures", "TestSupport", "TrustAnchors", "Hashing", "LinuxSys",
        "Diagnostics", "ByteKit",
      ]),
    tests("AuditText", imports: ["AuditText", "LinuxSys", "ByteKit"]),
    tests("Policy", imports: ["JSONText", "Policy", "LinuxSys", "ByteKit"]),
    tests(
      "PolicyWorkbench",
      imports: ["PolicyWorkbench", "Policy", "JSONText", "AuditText", "LinuxSys", "ByteKit"]),
    tests("DMTable", imports: ["DMTable", "ByteKit"]),
    tests("FSVerity", imports: ["FSVerity", "TestSupport", "Hashing", "ByteKit"]),
    tests("HostReport", imports: ["HostReport", "Diagnostics", "TestSupport", "JSONText", "KernelABI", "LinuxSys"]),
    tests("KernelABI", imports: ["KernelABI", "KernelHeaders", "TestSupport", "LinuxSys", "ByteKit"]),
    tests("JSONText", imports: ["JSONText", "ByteKit", "Diagnostics"]),
    tests("Hashing", imports: ["Hashing", "ByteKit"]),
    tests("DMVerity", imports: ["DMVerity", "TestSupport", "ByteKit", "Diagnostics", "Hashing", "LinuxSys"]),
    tests("DiskLayout", imports: ["DiskLayout", "DMVerity", "TestSupport", "ByteKit", "Diagnostics", "LinuxSys"]),
    tests("EROFS", imports: ["EROFS", "DMVerity", "ByteKit", "Diagnostics", "LinuxSys"]),
    tests("EROFSWriter", imports: ["EROFSWriter", "EROFS", "DMVerity", "TestSupport", "LinuxSys", "ByteKit"]),
    tests("Manifest", imports: ["Manifest", "DMVerity", "EROFS", "JSONText", "ByteKit", "Diagnostics", "Hashing"]),
    tests("BPFObject", imports: ["KernelABI", "BPFObject", "ByteKit", "Diagnostics", "LinuxSys"]),
    tests("Provenance", imports: ["Provenance", "TestSupport", "LinuxSys", "ByteKit", "Diagnostics"]),
    tests(
      "Admission",
      imports: ["Admission", "BPFObject", "ByteKit", "LinuxSys", "Policy", "Provenance", "TestSupport"]),
    tests(
      "Command",
      imports: [
        "verity-bpf", "Activation", "AuditText", "Policy", "Provenance", "TestSupport", "ImageFiles",
        "JSONText", "LinuxSys", "TrustAnchors", "ByteKit",
      ]),
    tests(
      "BPFLoad",
      imports: [
        "BPFLoad", "KernelABI", "BPFObject", "ByteKit", "Diagnostics", "Hashing", "JSONText", "LinuxSys",
        "Policy", "Provenance",
      ]),
  ],
  cLanguageStandard: .gnu17
)

if isFuzzing {
  package.targets += [
    .target(name: "CFuzzer", path: "Fuzz/CFuzzer"),
    .executableTarget(
      name: "fuzz-policy",
      dependencies: ["CFuzzer", "JSONText", "AuditText", "Policy", "PolicyWorkbench"],
      path: "Fuzz/FuzzPolicy", exclude: ["policy.dict"],
      swiftSettings: testSettings + [.unsafeFlags(["-sanitize=fuzzer"])],
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]),
  ]
}
