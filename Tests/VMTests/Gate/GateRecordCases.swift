import Base
import CVMSupport
import KernelABI
import Linux
import TestSupport

/// What the gate says of its decisions, what they cost, and who is judged for a load that the kernel makes.
enum GateRecordCases {
  static let cases = [
    GateCases.gateCase("events-say-who-and-why") {
      try GateUnderTest.require()
      try checkEvents()
    },
    // The process that runs a program which loads another is judged, not the kernel.
    GateCases.gateCase("loads-from-within-the-kernel") {
      try GateUnderTest.require()
      let tools = try GateCases.tools()
      try expectEqual(try tools.judging.run("inner").values["inner"], 0, "by a loader that judges itself")
      let instructions = try Subprocess.run([tools.listed.path, "inner-loader"]).output
      let outer = try GateLayouts.Instructions(instructions, type: 31)
      try GateUnderTest.setDigest(outer)
      let refused = try tools.listed.run("inner")
      try GateUnderTest.removeDigest(outer)
      try expectEqual(refused.values["loader"], 0, "the program that loads: \(refused.text)")
      try expectEqual(refused.values["inner"], 1, "what it loads: \(refused.text)")
    },
    GateCases.gateCase("cost-of-a-load") {
      try GateUnderTest.require()
      try Machine.write("/proc/sys/kernel/bpf_stats_enabled", Array("1".utf8))
      let tools = try GateCases.tools()
      let row = try GateLayouts.Instructions(Probe.instructions(1000))
      try GateUnderTest.setDigest(row)
      let judging = try cost(of: tools.judging)
      let listed = try cost(of: tools.listed)
      try GateUnderTest.removeDigest(row)
      try Machine.write("/proc/sys/kernel/bpf_stats_enabled", Array("0".utf8))
      // Printed and not judged: an emulated machine beside other work says little of time.
      Machine.say(
        "gate: loads of 1000 instructions take \(judging) times as long, judged by the loader, \(listed) by digest")
    },
  ]

  /// How many times as long a load takes as without the gate's programs, whose time the kernel counts.
  private static func cost(of probe: Probe) throws -> Double {
    let before = try nanosecondsInGate()
    let answer = try probe.run("load", "insns=1000", "times=30")
    try expectEqual(answer.status, 0, answer.text)
    let inside = Double(try nanosecondsInGate() - before)
    let whole = Double(answer.values["microseconds"] ?? 0) * 1000
    try expect(whole > inside, "\(whole) ns, of them \(inside) in the gate")
    return whole / (whole - inside)
  }

  private static func nanosecondsInGate() throws -> UInt64 {
    var sum: UInt64 = 0
    for name in try Directory.names("\(GateUnderTest.pins)/prog") {
      let program = try BPF.pinned(at: "\(GateUnderTest.pins)/prog/\(name)")
      let text = try program.descriptor.withRaw { try Machine.text("/proc/self/fdinfo/\($0)") }
      for line in text.split(separator: "\n") where line.hasPrefix("run_time_ns:") {
        sum += UInt64(String(line.dropFirst("run_time_ns:".count)).trimmed) ?? 0
      }
    }
    return sum
  }

  private static func checkEvents() throws {
    let tools = try GateCases.tools()
    _ = try takeEvents()
    try tools.listed.expectLoad(1, "instructions without a row", "insns=9", "seed=6")
    let (count, event) = try takeEvents()
    try expectEqual(count, 1, "events of one load")
    func word(_ place: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(event[place + $1]) << UInt32(8 * $1) } }
    try expectEqual(word(16), 0, "the user")
    try expectEqual(word(20), 1, "the hook")
    try expectEqual(word(24), 22, "the reason")
    try expectEqual(word(28), 1, "the verdict")
    try expectEqual(Array(event[32..<39]), Array("listed\0".utf8), "the command")
    try expectEqual(UInt64(word(56)), try FileStatus.of(path: tools.listed.path).inode, "the inode")
    try expectEqual(word(52), 1, "the type")
    try expectEqual(word(76), 9, "the number of instructions")
    try expectEqual(word(80), .max, "the row")
    try expectEqual(
      Array(event[88..<120]), try GateLayouts.Instructions(Probe.instructions(9, seed: 6)).sha256, "the digest")
    try expectEqual(Array(event[120..<184]), try GateLayouts.rootHash(tools.volume.rootHash), "the root hash")
    try tools.judging.expectLoad(0, "by a loader that judges itself")
    let (_, passed) = try takeEvents()
    try expectEqual(passed[24], 2, "the reason of a load that passes")
    try expectEqual(passed[28], 0, "its verdict")
  }

  /// How many records there were, and the newest.
  private static func takeEvents() throws -> (count: Int, newest: [UInt8]) {
    var event = [UInt8](repeating: 0, count: 184)
    let count = try GateUnderTest.map("gate_events").descriptor.withRaw { raw in
      event.withUnsafeMutableBytes { vm_take_records(raw, 262144, $0.baseAddress, UInt($0.count)) }
    }
    try expect(count >= 0, "the ring buffer cannot be mapped")
    return (Int(count), event)
  }
}
