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
// Flags that SwiftPM calls unsafe are there only when the environment asks, so that other packages can depend on this one:
// VERITY_BPF_PROFILE=release for what is shipped (the Makefile sets it), VERITY_BPF_FUZZ for libFuzzer (tools/fuzz).
let isShipped = Context.environment["VERITY_BPF_PROFILE"] == "release"
let isFuzzing = Context.environment["VERITY_BPF_FUZZ"] != nil
// What is fuzzed counts where it comes along. In C also: ASan, and a trap for what UBSan finds, which needs no runtime.
let fuzzedSwift: [SwiftSetting] = isFuzzing ? [.unsafeFlags(["-sanitize=fuzzer"])] : []
let fuzzedC = isFuzzing ? ["-fsanitize=fuzzer-no-link,address,undefined", "-fsanitize-trap=undefined"] : []

// What each flag of the release profile buys (docs/performance.md has the measurements and how they were taken):
let releaseFlags: [String] = [
  // Generic types are set up by direct calls, not by searching 4,000 conformances: a quarter of a load's processor time.
  "-Xfrontend", "-disable-concrete-type-metadata-mangled-name-accessors",
  // A section a function, so that the linker leaves out those that nothing calls: fewer pages to map at a start.
  "-Xfrontend", "-function-sections",
  // No regular expressions and nothing of the concurrency runtime: two libraries less to relocate at every start.
  "-Xfrontend", "-disable-implicit-string-processing-module-import",
  "-Xfrontend", "-disable-implicit-concurrency-module-import",
]
// The kernels interleave their streams by hand; the compiler's scheduler groups them again: a twentieth of their speed.
let kernelFlags = ["-mllvm", "-enable-misched=false", "-mllvm", "-enable-post-misched=false"]
let linkFlags = [
  // lld packs relative relocations into a hundredth of their bytes, which are read at every start.
  "-use-ld=lld", "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs",
  // A static libstdc++ (see tools/link) and libgcc: two libraries less for the dynamic loader.
  "-L\(Context.packageDirectory)/tools/link", "-Xclang-linker", "-static-libgcc",
  // Nothing looks up a symbol of the executable by name: no table of them.
  "-Xlinker", "--no-export-dynamic",
]

// Sources also say `unsafe` at every unsafe use. Tests do not: the testing macros expand to unmarked uses.
let settings =
  testSettings + [.strictMemorySafety()] + (isShipped ? [.unsafeFlags(releaseFlags)] : []) + fuzzedSwift
let linking: [LinkerSetting] = isShipped ? [.unsafeFlags(linkFlags, .when(platforms: [.linux]))] : []

/// A module of the pure core, under `Sources/`: bytes and facts in, values out. It imports nothing that has effects.
func pure(_ name: String, imports: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: imports, swiftSettings: settings)
}

/// A module of the edge, under `Sources/`: it may ask the system, by way of the module that owns the system calls.
func effects(_ name: String, imports: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: imports, swiftSettings: settings)
}

/// The tests of one module, under `Tests/<module>Tests`.
func tests(_ name: String, imports: [Target.Dependency]) -> Target {
  .testTarget(name: "\(name)Tests", dependencies: imports, swiftSettings: testSettings)
}

/// The modules in one total order: each imports only earlier ones, and lists what it imports. tools/check-modules holds
/// this list against the import lines and the table of docs/architecture.md.
let modules: [Target] = [
  // C, without decisions.
  .target(name: "CShims", cSettings: isFuzzing ? [.unsafeFlags(fuzzedC)] : []),
  .target(
    name: "CHashKernels",
    cSettings: isShipped ? [.unsafeFlags(kernelFlags)] : isFuzzing ? [.unsafeFlags(fuzzedC)] : []),

  // The pure core: no system calls, no clock, no globals.
  pure("Base", imports: ["CShims", "CHashKernels"]),
  pure("KernelABI", imports: []),
  pure("Verity", imports: ["Base"]),
  pure("FileSystems", imports: ["Base", "KernelABI", "Verity"]),
  pure("LinkProtocol", imports: ["Base", "KernelABI"]),
  pure("BPFObject", imports: ["Base", "KernelABI", "LinkProtocol"]),
  pure("BPFAnalysis", imports: ["Base", "KernelABI", "LinkProtocol", "BPFObject"]),
  pure("Signatures", imports: ["CShims", "Base", "KernelABI", "BPFObject"]),
  pure("ImageFormat", imports: ["Base", "KernelABI", "Verity", "FileSystems", "BPFObject", "BPFAnalysis"]),
  pure("Policy", imports: ["Base", "KernelABI"]),
  pure("Workbench", imports: ["Base", "KernelABI", "Policy"]),
  pure("HostReport", imports: ["Base", "KernelABI"]),
  pure("Gate", imports: ["Base", "KernelABI", "BPFObject", "BPFAnalysis", "Policy"]),

  // The edge.
  effects("Linux", imports: ["CShims", "Base", "KernelABI"]),
  effects("HostSurvey", imports: ["Base", "KernelABI", "HostReport", "Gate", "Linux"]),
  effects("Trust", imports: ["Base", "KernelABI", "Verity", "Signatures", "Policy", "Linux"]),
  effects(
    "Image",
    imports: [
      "Base", "KernelABI", "Verity", "FileSystems", "BPFObject", "BPFAnalysis", "Signatures", "ImageFormat", "Linux",
      "Trust",
    ]),
  effects(
    "Provenance",
    imports: ["Base", "KernelABI", "Verity", "FileSystems", "Signatures", "ImageFormat", "Linux", "Trust", "Image"]),
  effects(
    "Loader",
    imports: [
      "Base", "KernelABI", "LinkProtocol", "BPFObject", "BPFAnalysis", "Signatures", "Policy", "Linux", "Provenance",
    ]),
  effects(
    "Admission",
    imports: [
      "Base", "KernelABI", "Verity", "FileSystems", "LinkProtocol", "BPFObject", "BPFAnalysis", "Signatures",
      "ImageFormat", "Policy", "Workbench", "Gate", "Linux", "Trust", "Image", "Provenance", "Loader",
    ]),

  effects(
    "GateControl",
    imports: ["Base", "KernelABI", "BPFObject", "Gate", "Linux", "Provenance", "Loader"]),

  // What is run.
  // The command: its arguments, printing and exit codes.
  .executableTarget(
    name: "verity-bpf",
    dependencies: [
      "Base", "KernelABI", "Verity", "FileSystems", "BPFObject", "BPFAnalysis", "Signatures", "ImageFormat", "Policy",
      "Workbench", "HostReport", "Gate", "Linux", "HostSurvey", "Trust", "Image", "Provenance", "Loader", "Admission",
      "GateControl",
    ],
    swiftSettings: settings, linkerSettings: linking),
  // What links in a process of its own, without the rights of the command.
  .executableTarget(
    name: "verity-bpf-link", dependencies: ["Base", "LinkProtocol", "BPFAnalysis", "Linux"], swiftSettings: settings,
    linkerSettings: linking),
]

let moduleTests: [Target] = [
  tests("Base", imports: ["Base", "Linux", "TestSupport"]),
  tests("KernelABI", imports: ["Base", "KernelABI", "Linux", "KernelHeaders", "TestSupport"]),
  tests("Verity", imports: ["Base", "Verity", "Linux", "TestSupport"]),
  tests("FileSystems", imports: ["Base", "Verity", "FileSystems", "Linux", "TestSupport"]),
  tests("LinkProtocol", imports: ["Base", "LinkProtocol"]),
  tests(
    "BPFObject",
    imports: ["Base", "KernelABI", "BPFObject", "BPFAnalysis", "Linux", "TestSupport", "BPFTestSupport"]),
  tests(
    "BPFAnalysis",
    imports: ["Base", "KernelABI", "LinkProtocol", "BPFObject", "BPFAnalysis", "Linux", "BPFTestSupport"]),
  tests("Signatures", imports: ["Base", "BPFObject", "Signatures", "Linux", "TestSupport"]),
  tests(
    "ImageFormat", imports: ["Base", "Verity", "FileSystems", "ImageFormat", "Linux", "TestSupport", "BPFTestSupport"]),
  tests("Policy", imports: ["Base", "KernelABI", "Policy", "Linux", "PolicyTestSupport"]),
  tests("Workbench", imports: ["Base", "KernelABI", "Policy", "Workbench", "Linux", "PolicyTestSupport"]),
  tests("HostReport", imports: ["Base", "KernelABI", "HostReport", "TestSupport"]),
  tests(
    "Gate",
    imports: ["Base", "KernelABI", "BPFObject", "BPFAnalysis", "Policy", "Gate", "BPFTestSupport", "PolicyTestSupport"]),
  tests("Linux", imports: ["Base", "KernelABI", "Linux", "CTestSupport", "TestSupport"]),
  tests(
    "Trust",
    imports: ["Base", "Verity", "Signatures", "Policy", "Linux", "Trust", "TestSupport"]),
  tests("Provenance", imports: ["Base", "KernelABI", "Verity", "Linux", "Provenance", "TestSupport"]),
  tests(
    "Loader",
    imports: [
      "Base", "KernelABI", "LinkProtocol", "BPFObject", "BPFAnalysis", "Policy", "Linux", "Provenance", "Loader",
      "TestSupport",
    ]),
  tests(
    "Admission",
    imports: [
      "Base", "KernelABI", "BPFObject", "BPFAnalysis", "Policy", "Linux", "Trust", "Provenance", "Admission",
      "TestSupport", "PolicyTestSupport",
    ]),
  tests(
    "GateControl", imports: ["Base", "KernelABI", "Gate", "Linux", "Loader", "GateControl", "TestSupport"]),
  tests("FuzzTargets", imports: ["Linux", "TestSupport", "FuzzTargets"]),
  tests(
    "Command",
    imports: [
      "Base", "KernelABI", "Verity", "FileSystems", "BPFObject", "ImageFormat", "Policy", "Workbench", "Linux", "Trust",
      "Image", "Provenance", "Loader", "Admission", "TestSupport", "verity-bpf",
    ]),
]

let package = Package(
  name: "verity-bpf",
  products: [
    .executable(name: "verity-bpf", targets: ["verity-bpf"]),
    .executable(name: "verity-bpf-link", targets: ["verity-bpf-link"]),
  ],
  targets: modules + moduleTests + [
    // Objects for the tests of BPFObject and BPFAnalysis: compiled, and handed to the running kernel.
    .target(
      name: "BPFTestSupport", dependencies: ["Base", "KernelABI", "BPFObject", "Linux", "Loader", "TestSupport"],
      path: "Tests/BPFTestSupport",
      swiftSettings: testSettings),

    // What several test targets share.
    .target(
      name: "TestSupport", dependencies: ["CShims", "CTestSupport", "Base", "Linux"], path: "Tests/TestSupport",
      swiftSettings: testSettings),
    .target(name: "CTestSupport", dependencies: ["CShims"], path: "Tests/CTestSupport"),
    // A linking helper that lies, for the tests of who believes it.
    .executableTarget(
      name: "lying-helper", dependencies: ["Base", "LinkProtocol", "BPFAnalysis", "Linux"], path: "Tests/LyingHelper",
      swiftSettings: testSettings),

    // What is fuzzed, see tools/fuzz and docs/fuzzing.md; the tests give it the corpora.
    .target(
      name: "FuzzTargets",
      dependencies: [
        "Base", "KernelABI", "Verity", "FileSystems", "LinkProtocol", "BPFObject", "BPFAnalysis", "Signatures",
        "ImageFormat", "Policy", "Workbench", "Gate", "Linux", "Trust", "Admission",
      ],
      path: "Fuzz/FuzzTargets", swiftSettings: testSettings + fuzzedSwift),

    // Random policies, and facts with evidence left out.
    .target(
      name: "PolicyTestSupport", dependencies: ["Policy"], path: "Tests/PolicyTestSupport", swiftSettings: testSettings),

    // The kernel's headers as text, for the tests and tools/kernel-abi, which compare them with KernelABI.
    .target(
      name: "KernelHeaders", dependencies: ["KernelABI"], path: "Tests/KernelHeaders", swiftSettings: testSettings),

    .executableTarget(
      name: "kernel-abi", dependencies: ["Base", "KernelABI", "Linux", "KernelHeaders"],
      path: "Tests/KernelABIReport", swiftSettings: testSettings),

    // The policy engine's figures, see tools/bench-policy.
    .executableTarget(
      name: "policy-benchmark", dependencies: ["Policy", "Workbench"], path: "Benchmarks/PolicyBenchmark",
      swiftSettings: testSettings, linkerSettings: linking),

    // The hash kernels against OpenSSL, see tools/bench.
    .executableTarget(
      name: "hash-benchmark", dependencies: ["Base", "Linux"], path: "Benchmarks/HashBenchmark",
      swiftSettings: testSettings, linkerSettings: linking),

    // Building a hash tree alone, see tools/bench.
    .executableTarget(
      name: "tree-benchmark", dependencies: ["Base", "Verity", "Linux"],
      path: "Benchmarks/TreeBenchmark", swiftSettings: testSettings, linkerSettings: linking),

    // What a load costs in process, see tools/bench.
    .executableTarget(
      name: "load-benchmark",
      dependencies: ["Base", "KernelABI", "BPFObject", "BPFAnalysis", "Linux", "Provenance", "Loader", "Admission"],
      path: "Benchmarks/LoadBenchmark", swiftSettings: testSettings, linkerSettings: linking),

    // What runs inside the test machine, see tools/vm.
    .target(name: "CVMSupport", path: "Tests/CVMSupport"),

    .executableTarget(
      name: "vm-tests",
      dependencies: [
        "Base", "KernelABI", "Verity", "BPFObject", "BPFAnalysis", "ImageFormat", "Policy", "Linux", "Provenance",
        "Loader", "TestSupport", "PolicyTestSupport", "CTestSupport", "CVMSupport",
      ],
      path: "Tests/VMTests", swiftSettings: testSettings),
  ],
  cLanguageStandard: .gnu17
)

if isFuzzing {
  package.targets += [
    .target(name: "CFuzzer", path: "Fuzz/CFuzzer"),
    .executableTarget(
      name: "fuzz", dependencies: ["FuzzTargets", "CFuzzer"], path: "Fuzz/Fuzzer", swiftSettings: testSettings,
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]),
  ]
}
