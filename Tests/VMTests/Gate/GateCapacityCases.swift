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
      // The rows of other cases took some of the places.
      let others = 64
      // Digests of nothing; one a number.
      let digestKeys = (1...UInt32(Self.digests)).map { GateLayouts.bytes($0) + listed.key.dropFirst(4) }
      let full = try fill(digests, with: digestKeys, value: row, made: &made.digests)
      try expect(full && made.digests.count > Self.digests - others, "\(made.digests.count) digests")
      let hash = try GateLayouts.rootHash(String(repeating: "ab", count: 32))
      let executableKeys = (1...UInt64(Self.executables)).map { hash + GateLayouts.bytes($0) }
      let allows = [UInt32(1), 0].flatMap(GateLayouts.bytes)
      let isFull = try fill(executables, with: executableKeys, value: allows, made: &made.executables)
      try expect(isFull && made.executables.count > Self.executables - others, "\(made.executables.count) executables")
      try tools.listed.expectLoad(0, "listed among \(Self.digests)", "insns=5", "seed=99")
      try tools.listed.expectLoad(1, "not listed", "insns=5", "seed=98")
      try tools.judging.expectLoad(0, "a row among \(Self.executables)")
      try tools.other.expectLoad(1, "no row among them")
    }
  ]

  /// Puts rows into a map until it takes no more.
  ///
  /// - Parameter made: gets the keys of the rows that it took.
  /// - Returns: whether it was full before all of them were in it.
  private static func fill(
    _ map: KernelObject, with keys: [[UInt8]], value: [UInt8], made: inout [[UInt8]]
  ) throws -> Bool {
    for key in keys {
      do throws(SystemError) {
        try BPF.update(map, key: key, value: value)
        made.append(key)
      } catch {
        guard error.errnoName == "E2BIG" else { throw error }
        return true
      }
    }
    return false
  }
}
