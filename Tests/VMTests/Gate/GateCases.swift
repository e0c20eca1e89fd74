import Linux
import TestSupport

/// The gate, on boots of its own: once it is sealed, nothing but a reboot takes it away. The order matters.
enum GateCases {
  static let suites: [Suite] = [
    Suite(
      name: "gate",
      cases: GateCommandCases.cases + GateGeneratorCases.commandCases + cases + GateDeviceCases.cases
        + GateExecutableCases.cases),
    Suite(
      name: "gate",
      cases: GateInstructionCases.cases + GateCapacityCases.cases + GateRecordCases.cases + GateGeneratorCases.openCases
        + GateServiceCases.openCases + GateForeignCases.cases),
    Suite(name: "gate", cases: GateServiceCases.sealedCases + GateGeneratorCases.sealedCases + GateSealedCases.cases),
  ]

  /// A case of the boots with the gate.
  ///
  /// - Parameter leaves: the volumes that stay for the cases after it.
  static func gateCase(
    _ name: String, leaves: Set<String> = [], body: @escaping @Sendable () throws -> Void
  ) -> Case {
    Case(name, on: .gate, .gateConfidentiality, leaves: leaves, body: body)
  }

  // Volumes that stay; the cases run one after another.
  nonisolated(unsafe) private static var keptTools: GateTools?
  nonisolated(unsafe) private static var keptBefore: GateTools?

  /// The volume with the listed programs, opened after the gate was there.
  static func tools() throws -> GateTools {
    guard let keptTools else { throw Skipped(reason: noGate) }
    return keptTools
  }

  /// Another volume, opened before.
  static func before() throws -> GateTools {
    guard let keptBefore else { throw Skipped(reason: noGate) }
    return keptBefore
  }

  private static let cases = [
    gateCase("installs", leaves: ["before", "tools"]) {
      keptBefore = try GateTools("gate-twin", name: "before")
      let result = try GateUnderTest.install()
      guard try hasHooks() else {
        try expect(result.status == 6 || result.status == 5, "exit \(result.status): \(result.text)")
        let missing = ["bpf_lsm_", "bpf_iter_num", "bpf_rdonly_cast"]
        try expect(missing.contains { result.text.contains($0) }, result.text)
        keptBefore?.volume.close()
        keptBefore = nil
        throw Skipped(reason: noGate)
      }
      try Command.expectStatus(0, result)
      // It is there, and refuses nothing before it is told to.
      try expectEqual(try Probe(path: "/images/gate_probe").run("load").status, 0, "a load while it only watches")
      try GateUnderTest.fill()
      keptTools = try GateTools(name: "tools")
      try tools().setRows()
    },
    gateCase("refuses-what-has-no-row") {
      try GateUnderTest.require()
      let refused = try GateUnderTest.counter(1)
      try Probe(path: "/images/gate_probe").expectLoad(1, "a program of the initramfs")
      try expectEqual(try GateUnderTest.counter(1), refused + 1, "refusals counted")
      try tools().judging.expectLoad(0, "a program of the volume that has a row")
      try tools().other.expectLoad(1, "a program of the volume that has none")
      try tools().listed.expectLoad(1, "instructions that no row lists")
      try GateUnderTest.watching { try Probe(path: "/images/gate_probe").expectLoad(0, "while it only watches") }
    },
  ]

  static let noGate = "this kernel does not announce the root hashes of dm-verity (security_bdev_setintegrity, 6.12)"

  /// Whether the kernel announces root hashes.
  static func hasHooks() throws -> Bool {
    let answer = try Probe(path: "/images/gate_probe").run("function", "bpf_lsm_bdev_setintegrity")
    return (answer.values["function"] ?? 0) != 0
  }
}
