import Base
import Linux
import TestSupport

/// Which instructions may be loaded.
enum GateInstructionCases {
  static let cases = [
    GateCases.gateCase("listed-instructions") {
      try GateUnderTest.require()
      let listed = try GateCases.tools().listed
      var row = try GateLayouts.Instructions(Probe.instructions(9, seed: 3))
      try GateUnderTest.setDigest(row)
      defer { try? GateUnderTest.removeDigest(row) }
      try listed.expectLoad(0, "these instructions", "insns=9", "seed=3")
      try listed.expectLoad(1, "another instruction", "insns=9", "seed=4")
      try listed.expectLoad(1, "one more", "insns=10", "seed=3")
      try listed.expectLoad(1, "another type", "insns=9", "seed=3", "type=17")
      try listed.expectLoad(1, "another attach type", "insns=9", "seed=3", "attach=2")
      try listed.expectLoad(1, "with a CO-RE record", "insns=9", "seed=3", "records=1")
      try GateCases.tools().other.expectLoad(1, "by a program without a row", "insns=9", "seed=3")
      // The same instructions for one target.
      let target = try targetID("bpf_lsm_file_open")
      row.type = 29
      row.attachType = 27
      row.attachID = target
      try GateUnderTest.setDigest(row)
      try listed.expectLoad(1, "for the wrong type of value", "insns=9", "seed=3", "type=29", "attach=27")
      try listed.expectLoad(
        1, "for another hook", "insns=9", "seed=3", "type=29", "attach=27", "func=bpf_lsm_file_ioctl")
      let wanted = try listed.run("load", "insns=9", "seed=3", "type=29", "attach=27", "func=bpf_lsm_file_open")
      // The gate lets it pass; the verifier does not like what it returns.
      try expect(wanted.status != 1, "for its own hook: \(wanted.text)")
    },
    // What user space works out is what the hook sees, for every length of the last block.
    GateCases.gateCase("digests-are-known-beforehand") {
      try GateUnderTest.require()
      for count in lengths { try expectKnown(count) }
    },
    // Equal instructions, and a member's name that makes others of them.
    GateCases.gateCase("twin-with-other-relocations") {
      try GateUnderTest.require()
      try tellsTwinsApart()
    },
    GateCases.gateCase("twins-that-are-both-listed") {
      try GateUnderTest.require()
      try listsTwins()
    },
    GateCases.gateCase("nobody-gets-a-program-that-is-refused") {
      try GateUnderTest.require()
      let tools = try GateCases.tools()
      let row = try relocatedRow()
      try GateUnderTest.setDigest(row, .init(afterCORE: [UInt8](repeating: 1, count: 32)))
      defer { try? GateUnderTest.removeDigest(row) }
      let watcher = try BackgroundProbe(Probe(path: "/images/gate_probe"), "take", "4000")
      for _ in 0..<40 { try expectEqual(try tools.listed.run("relocated", "pid").status, 1, "a refused load") }
      let answer = try watcher.finish()
      try expectEqual(answer.values["taken"], 0, "descriptors of refused programs: \(answer.text)")
    },
    GateCases.gateCase("classes-of-programs") {
      try GateUnderTest.require()
      let stranger = Probe(path: "/images/gate_probe")
      let row = GateLayouts.scope(0, type: 1, attachType: nil, helpers: [5, 6])
      try BPF.update(GateUnderTest.map("gate_scopes"), key: row.key, value: row.value)
      defer { _ = try? BPF.delete(GateUnderTest.map("gate_scopes"), key: row.key) }
      try stranger.expectLoad(0, "no call")
      try stranger.expectLoad(0, "a listed helper", "insns=3", "call=5")
      try stranger.expectLoad(1, "another helper", "insns=3", "call=14")
      try stranger.expectLoad(1, "a helper beyond the list", "insns=3", "call=261")
      try stranger.expectLoad(1, "a function of the kernel", "insns=3", "kfunc=1")
      try stranger.expectLoad(1, "another type", "type=6")
    },
    GateCases.gateCase("scope-of-an-executable") {
      try GateUnderTest.require()
      let tools = try GateCases.tools()
      let first = GateLayouts.scope(5, type: 1, attachType: 0, helpers: [5])
      let second = GateLayouts.scope(5, type: 1, attachType: 0, alternative: 1, helpers: [8])
      for row in [first, second] { try BPF.update(GateUnderTest.map("gate_scopes"), key: row.key, value: row.value) }
      defer {
        for row in [first, second] { _ = try? BPF.delete(GateUnderTest.map("gate_scopes"), key: row.key) }
      }
      try tools.scoped.expectLoad(0, "no call")
      try tools.scoped.expectLoad(0, "the first row's helper", "insns=3", "call=5")
      try tools.scoped.expectLoad(0, "the second row's helper", "insns=3", "call=8")
      try tools.scoped.expectLoad(1, "a helper of neither", "insns=3", "call=7")
      try tools.scoped.expectLoad(1, "another type", "type=17")
      try tools.listed.expectLoad(1, "an executable of another right")
      try Probe(path: "/images/gate_probe").expectLoad(1, "a program without a row")
    },
  ]

  /// Numbers of instructions: every length of a last block is among them.
  private static let lengths: [Int] = [2, 7, 8, 9] + Array(55...65) + [100, 10_000]

  /// So many instructions load with a row that was worked out here, and do not without.
  private static func expectKnown(_ count: Int) throws {
    let listed = try GateCases.tools().listed
    let row = try GateLayouts.Instructions(Probe.instructions(count, seed: 5))
    try GateUnderTest.setDigest(row)
    try listed.expectLoad(0, "\(count) instructions", "insns=\(count)", "seed=5")
    try GateUnderTest.removeDigest(row)
    try listed.expectLoad(1, "\(count) instructions without a row", "insns=\(count)", "seed=5")
  }

  /// What `relocated` submits: a CO-RE record makes of it what it wants.
  private static func relocatedRow(alternative: UInt32 = 0) throws -> GateLayouts.Instructions {
    var row = try GateLayouts.Instructions(Probe.instructions(), type: 17)
    row.records = 1
    row.alternative = alternative
    return row
  }

  private static func relocate(_ probe: Probe, _ member: String) throws -> Int {
    try probe.run("relocated", member).status
  }

  /// How the loads of the listed program and of its twin end, with that row.
  private static func expectTwins(_ relocated: GateLayouts.Relocated, _ expected: [Int], _ what: String) throws {
    let listed = try GateCases.tools().listed
    let row = try relocatedRow()
    try GateUnderTest.setDigest(row, relocated)
    let found = [try relocate(listed, "pid"), try relocate(listed, "tgid")]
    try GateUnderTest.removeDigest(row)
    try expectEqual(found, expected, what)
  }

  private static func tellsTwinsApart() throws {
    let tools = try GateCases.tools()
    let after = try afterCORE(tools.judging.run("relocated", "pid"))
    let blob = try Subprocess.run([tools.listed.path, "types", "pid"]).output
    let types = try Digest.of(blob.span.bytes).bytes
    try expectTwins(.init(), [0, 0], "only what was submitted is compared")
    try expectTwins(.init(afterCORE: after), [0, 1], "what CO-RE made is compared")
    try expectTwins(.init(types: types), [0, 1], "the types are compared")
    try expectTwins(.init(afterCORE: after, types: types), [0, 1], "both are compared")
    try expectTwins(.init(afterCORE: after.map { $0 ^ 1 }), [1, 1], "another digest is asked for")
    // All of a digest, where the kernel has only its beginning, and the other way round.
    let other = after.count == 8 ? GateLayouts.padded(after, 32) : Array(after[..<8])
    try expectTwins(.init(afterCORE: other), [1, 1], "a digest of the other kind")
  }

  private static func listsTwins() throws {
    let tools = try GateCases.tools()
    for (alternative, member) in ["pid", "tgid"].enumerated() {
      let after = try afterCORE(tools.judging.run("relocated", member))
      try GateUnderTest.setDigest(relocatedRow(alternative: UInt32(alternative)), .init(afterCORE: after))
    }
    let found = try ["pid", "tgid", "exit_code"].map { try relocate(tools.listed, $0) }
    for alternative in 0..<2 { try GateUnderTest.removeDigest(relocatedRow(alternative: UInt32(alternative))) }
    try expectEqual(found, [0, 0, 1], "the two that are listed, and a third")
  }

  static func targetID(_ function: String) throws -> UInt32 {
    let answer = try Probe(path: "/images/gate_probe").run("function", function)
    guard let id = answer.values["function"], id != 0 else { throw Failure(description: "no \(function)") }
    return UInt32(id)
  }

  /// What the kernel made of the program that was loaded: all of its digest where the tag is the beginning of one, which the
  /// member's offset says; otherwise the tag.
  private static func afterCORE(_ answer: Probe.Answer) throws -> [UInt8] {
    let tag = try ["tag-low", "tag-high"].flatMap { name -> [UInt8] in
      guard let word = answer.values[name] else { throw Failure(description: answer.text) }
      return GateLayouts.bytes(UInt32(word))
    }
    for offset in UInt32(0)..<16384 {
      var instructions = Probe.instructions()
      instructions.replaceSubrange(4..<8, with: GateLayouts.bytes(offset))
      let digest = try Digest.of(instructions.span.bytes).bytes
      if Array(digest[..<8]) == tag { return digest }
    }
    return tag
  }
}
