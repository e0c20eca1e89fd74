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
  .target(name: "CShims"),
  .target(name: "CHashKernels", cSettings: [.unsafeFlags(inSourceOrder)]),

  // The pure core: no system calls, no clock, no globals.
  pure("Base", imports: ["CShims", "CHashKernels"]),
  pure("KernelABI", imports: []),
  pure("Verity", imports: ["Base"]),
  pure("FileSystems", imports: ["Base", "KernelABI", "Verity"]),
  pure("BPFObject", imports: ["Base", "KernelABI"]),
  pure("BPFAnalysis", imports: ["Base", "KernelABI", "BPFObject"]),
  pure("Signatures", imports: ["CShims", "Base", "KernelABI", "BPFObject"]),
  pure("ImageFormat", imports: ["Base", "KernelABI", "Verity", "FileSystems", "BPFObject", "BPFAnalysis"]),
  pure("Policy", imports: ["Base", "KernelABI"]),
  pure("Workbench", imports: ["Base", "Policy"]),
  pure("HostReport", imports: ["Base", "KernelABI"]),

  // The edge.
  effects("Linux", imports: ["CShims", "Base", "KernelABI"]),
  effects("HostSurvey", imports: ["Base", "KernelABI", "HostReport", "Linux"]),
  effects("Trust", imports: ["Base", "KernelABI", "Verity", "Signatures", "Policy", "Linux"]),
  effects(
    "Image",
    imports: ["Base", "KernelABI", "Verity", "FileSystems", "BPFObject", "Signatures", "ImageFormat", "Linux", "Trust"]),
  effects(
    "Provenance",
    imports: ["Base", "KernelABI", "Verity", "FileSystems", "Signatures", "ImageFormat", "Linux", "Trust", "Image"]),
  effects(
    "Loader", imports: ["Base", "KernelABI", "BPFObject", "BPFAnalysis", "Signatures", "Policy", "Linux", "Provenance"]),
  effects(
    "Admission",
    imports: [
      "Base", "KernelABI", "Verity", "FileSystems", "BPFObject", "BPFAnalysis", "Signatures", "ImageFormat", "Policy",
      "Workbench", "Linux", "Trust", "Image", "Provenance", "Loader",
    ]),

  // What is run.
  // The command: its arguments, printing and exit codes.
  .executableTarget(
    name: "verity-bpf",
    dependencies: [
      "Base", "KernelABI", "Verity", "FileSystems", "BPFObject", "BPFAnalysis", "Signatures", "ImageFormat", "Policy",
      "Workbench", "HostReport", "Linux", "HostSurvey", "Trust", "Image", "Provenance", "Loader", "Admission",
    ],
    swiftSettings: settings, linkerSettings: linking),
]

let moduleTests: [Target] = [
  tests("Base", imports: ["Base", "Linux"]),
  tests("KernelABI", imports: ["Base", "KernelABI", "Linux", "KernelHeaders", "TestSupport"]),
  tests("Verity", imports: ["Base", "Verity", "Linux", "TestSupport"]),
  tests("FileSystems", imports: ["Base", "Verity", "FileSystems", "Linux", "TestSupport"]),
  tests("BPFObject", imports: ["Base", "KernelABI", "BPFObject", "BPFAnalysis", "Linux", "BPFTestSupport"]),
  tests("BPFAnalysis", imports: ["Base", "KernelABI", "BPFObject", "BPFAnalysis", "Linux", "BPFTestSupport"]),
  tests("Signatures", imports: ["Base", "BPFObject", "Signatures", "Linux", "TestSupport"]),
  tests("ImageFormat", imports: ["Base", "Verity", "FileSystems", "ImageFormat", "Linux", "TestSupport"]),
  tests("Policy", imports: ["Base", "Policy", "Linux"]),
  tests("Workbench", imports: ["Base", "Policy", "Workbench", "Linux"]),
  tests("HostReport", imports: ["Base", "HostReport", "TestSupport"]),
  tests("Linux", imports: ["Linux"]),
  tests(
    "Trust",
    imports: ["Base", "Verity", "Signatures", "Policy", "Linux", "Trust", "TestSupport"]),
  tests("Provenance", imports: ["Base", "Linux", "Provenance", "TestSupport"]),
  tests(
    "Loader",
    imports: ["Base", "KernelABI", "BPFObject", "BPFAnalysis", "Policy", "Linux", "Provenance", "Loader"]),
  tests(
    "Admission",
    imports: ["Base", "BPFObject", "BPFAnalysis", "Policy", "Linux", "Provenance", "Admission", "TestSupport"]),
  tests(
    "Command",
    imports: ["Base", "Policy", "Workbench", "Linux", "Trust", "Image", "Provenance", "TestSupport", "verity-bpf"]),
]

let package = Package(
  name: "verity-bpf",
  products: [
    .executable(name: "verity-bpf", targets: ["verity-bpf"])
  ],
  targets: modules + moduleTests + [
    // Objects for the tests of BPFObject and BPFAnalysis: compiled, and handed to the running kernel.
    .target(
      name: "BPFTestSupport", dependencies: ["Base", "KernelABI", "BPFObject", "Linux"], path: "Tests/BPFTestSupport",
      swiftSettings: testSettings),

    // What several test targets share.
    .target(
      name: "TestSupport", dependencies: ["CShims", "Base", "Linux"], path: "Tests/TestSupport",
      swiftSettings: testSettings),

    // The kernel's headers as text, for the tests and tools/kernel-abi, which compare them with KernelABI.
    .target(
      name: "KernelHeaders", dependencies: ["KernelABI"], path: "Tests/KernelHeaders", swiftSettings: testSettings),

    .executableTarget(
      name: "kernel-abi", dependencies: ["Base", "KernelABI", "Linux", "KernelHeaders"],
      path: "Tests/KernelABIReport", swiftSettings: testSettings),

    // The policy engine's figures, see tools/bench-policy.
    .executableTarget(
      name: "policy-benchmark", dependencies: ["Policy"], path: "Benchmarks/PolicyBenchmark",
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
      dependencies: ["Base", "KernelABI", "BPFObject", "BPFAnalysis", "Linux", "Provenance", "Admission"],
      path: "Benchmarks/LoadBenchmark", swiftSettings: testSettings, linkerSettings: linking),

    // What runs inside the test machine, see tools/vm.
    .target(name: "CVMSupport", path: "Tests/CVMSupport"),

    .executableTarget(
      name: "vm-tests",
      dependencies: [
        "Base", "KernelABI", "Verity", "BPFObject", "BPFAnalysis", "ImageFormat", "Policy", "Linux", "Provenance",
        "Loader", "CVMSupport",
      ],
      path: "Tests/VMTests", swiftSettings: testSettings),
  ],
  cLanguageStandard: .gnu17
)

if isFuzzing {
  package.targets += [
    .target(name: "CFuzzer", path: "Fuzz/CFuzzer"),
    .executableTarget(
      name: "fuzz-policy",
      dependencies: ["Base", "Policy", "Workbench", "CFuzzer"],
      path: "Fuzz/FuzzPolicy", exclude: ["policy.dict"],
      swiftSettings: testSettings + [.unsafeFlags(["-sanitize=fuzzer"])],
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]),
  ]
}
