import CVMSupport
import Glibc
import Linux
import TestSupport

/// Programs of others that would undo what the gate says, and the end of the time in which anything can be changed.
enum GateForeignCases {
  static let cases = [
    GateCases.gateCase("return-modifiers") {
      try GateUnderTest.require()
      let judging = try GateCases.tools().judging
      for function in ["security_bpf_prog", "security_bpf", "security_bpf_prog_load"] {
        let words = ["load", "type=26", "attach=26", "func=\(function)"]
        try expectEqual(try judging.run(words).status, 1, "\(function), by a loader that judges itself")
        let watched = try GateUnderTest.watching { try judging.run(words) }
        try expectEqual(watched.status, 0, "\(function), while the gate only watches: \(watched.text)")
      }
    },
    // They run after the gate's, and undo what others of their kind refuse; the gate's are of another kind.
    GateCases.gateCase("cgroup-programs-do-not-undo-it") {
      try GateUnderTest.require()
      let answer = try attachToCgroup()
      try expectEqual(answer.values["attach"], 0, "a program that lets all pass: \(answer.text)")
      try expectEqual(answer.values["refused"], 1, "a load that the gate refuses: \(answer.text)")
      try expectEqual(answer.values["detach"], 0, answer.text)
      // A link goes with its process, and a trampoline a moment later.
      Timestamp.pause(milliseconds: 2500)
    },
    GateCases.gateCase("modules-and-kexec-before-the-seal") {
      try GateUnderTest.require()
      try Machine.removeModule("cuse")
      try expectNothingLocked { try Machine.insertModule("cuse") }
      try? Machine.removeModule("cuse")
      try expectNothingLocked {
        if vm_load_no_kernel() != 0 { throw SystemError("kexec_load", path: nil, errno: errno) }
      }
    },
    GateCases.gateCase("seals") {
      try GateUnderTest.require()
      let tools = try GateCases.tools()
      try GateUnderTest.setExecutable(
        inode: GateLayouts.wholeVolume, rootHash: tools.volume.rootHash, .modules)
      try GateUnderTest.seal(closesModules: true)
      try tools.judging.expectLoad(0, "a load, sealed")
      try Probe(path: "/images/gate_probe").expectLoad(1, "a program without a row, sealed")
    },
  ]

  static func attachToCgroup() throws -> Probe.Answer {
    try GateCases.tools().judging.run(
      "attach-to-cgroup", "hook=bpf_lsm_bpf_prog_load", "stranger=/images/gate_probe")
  }

  /// Fails the case unless something works, or lockdown is what forbids it.
  private static func expectNothingLocked(_ body: () throws -> Void) throws {
    do {
      try body()
    } catch let error as SystemError where Machine.boot == .gateConfidentiality && error.errnoName == "EPERM" {}
  }
}
