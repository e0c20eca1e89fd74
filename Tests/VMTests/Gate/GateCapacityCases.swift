import Linux
import TestSupport

/// Maps that hold as many rows as a plan of a large site has, and no more.
enum GateCapacityCases {
  static let digests = 10_000
  static let executables = 1_000

  static let cases = [
    GateCases.gateCase("full-maps") {
      try GateUnderTest.require()
      let tools = try GateCases.tools()
      let digests = try GateUnderTest.map("gate_digests")
      let executables = try GateUnderTest.map("gate_executables")
      var made: (digests: [[UInt8]], executables: [[UInt8]]) = ([], [])
      defer {
        for key in made.digests { _ = try? BPF.delete(digests, key: key) }
        for key in made.executables { _ = try? BPF.delete(executables, key: key) }
      }
      let listed = try GateLayouts.Instructions(Probe.instructions(5, seed: 99))
      try GateUnderTest.setDigest(listed)
      made.digests.append(listed.key)
      let row = GateLayouts.Relocated().bytes
      for number in UInt32(1)..<UInt32(Self.digests) {
        // The digest of nothing; one a number.
        let key = GateLayouts.bytes(number) + listed.key.dropFirst(4)
        try BPF.update(digests, key: key, value: row)
        made.digests.append(key)
      }
      try expectErrno("E2BIG", "one more digest than there are places") {
        try BPF.update(digests, key: GateLayouts.bytes(UInt32.max) + listed.key.dropFirst(4), value: row)
      }
      let hash = try GateLayouts.rootHash(String(repeating: "ab", count: 32))
      var isFull = false
      for number in UInt64(1)...UInt64(Self.executables) where !isFull {
        let key = hash + GateLayouts.bytes(number)
        do {
          try BPF.update(executables, key: key, value: [UInt32(1), 0].flatMap(GateLayouts.bytes))
          made.executables.append(key)
        } catch let error as SystemError where error.errnoName == "E2BIG" {
          isFull = true
        }
      }
      // The rows of the tools took some of the places.
      try expect(isFull && made.executables.count > Self.executables - 64, "\(made.executables.count) executables")
      try tools.listed.expectLoad(0, "listed among \(Self.digests)", "insns=5", "seed=99")
      try tools.listed.expectLoad(1, "not listed", "insns=5", "seed=98")
      try tools.judging.expectLoad(0, "a row among \(Self.executables)")
      try tools.other.expectLoad(1, "no row among them")
    }
  ]
}
