import BPFAnalysis
import BPFObject
import Base
import KernelABI

/// Instructions as they are after linking, given to the analysis: most inputs that libFuzzer makes of a whole object are
/// refused before.
///
/// Two bytes choose the program's type and section, the rest are instructions. Maps, types and CO-RE records are those
/// of an object of the corpus.
enum ProgramTarget {
  private static let sections = [
    "xdp", "tc", "socket", "kprobe/f", "tracepoint/syscalls/sys_enter_openat", "raw_tp/sched_switch",
    "tp_btf/sched_switch", "fentry/f", "lsm/file_open", "lsm.s/file_open", "iter/task", "cgroup_skb/egress", "syscall",
    "perf_event", "sk_skb/stream_parser", "flow_dissector", "struct_ops/f", "freplace/f", "uprobe/f", "netfilter",
  ]

  static func check(_ bytes: [UInt8]) throws(BrokenPromise) -> Bool {
    let instructions = bytes.dropFirst(2).prefix((bytes.count - min(bytes.count, 2)) / 8 * 8)
    guard let base = Fixtures.linkedObject, !instructions.isEmpty else { return false }
    let section = sections[Int(bytes[0]) % sections.count]
    let kind = try keep("the section `\(section)` is known") { () throws(BPFObjectError) in
      try ProgramKind(section: section)
    }
    var program = LinkedProgram(name: "fuzzed", section: section, kind: kind)
    program.instructions = Array(instructions)
    program.funcInfo = [UInt8](repeating: 0, count: 8)
    // Records that lie in the program, or none.
    if bytes[1] & 1 != 0, let records = base.programs.first(where: { !$0.coreRelocations.isEmpty }) {
      let size = Int(records.coreRelocationRecordSize)
      let fitting = stride(from: 0, to: records.coreRelocations.count, by: size).map {
        records.coreRelocations[$0..<$0 + size]
      }.filter { $0.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) } < instructions.count }
      program.coreRelocations = Array(fitting.joined())
      program.coreRelocationRecordSize = UInt32(size)
    }
    let object = LinkedObject(license: "GPL", btf: base.btf, maps: base.maps, programs: [program])
    let reports = BPFObject.reports(of: object)
    try require(reports.count == 1, "each program is reported on")
    try check(reports[0], of: program)
    try ConcreteRun.check(reports[0], of: program, maps: object.maps, seed: bytes[1])
    return reports[0].unfollowed.isEmpty
  }

  /// What holds for the report of any program.
  static func check(_ report: ProgramReport, of program: LinkedProgram) throws(BrokenPromise) {
    let own = program.instructions.count / 8
    try require(report.instructionCount == own, "the report counts all instructions")
    // Of a program that could not be linked one instruction stands for all that it may have.
    let count = program.linkError == nil ? own : 1
    try require(
      program.linkError == nil || !report.unfollowed.isEmpty && report.submitted == nil,
      "what could not be linked is not followed")
    // What is not followed is taken for the worst.
    if !report.unfollowed.isEmpty {
      try require(report.readScope == .undeclared, "\(report.name) is not followed, and its reads count as known")
      try require(!report.isRestricted, "\(report.name) is not followed, and is of the restricted class")
    }
    try require(
      report.kernelReads.allSatisfy { (0..<count).contains($0.instruction) }, "reads are by instructions that are there"
    )
    try require(
      report.undeclaredReads.allSatisfy { (0..<count).contains($0.instruction) }, "so are those that nobody declared")
    try require(
      report.helpers.allSatisfy { $0.instructions.allSatisfy { (0..<count).contains($0) } },
      "helpers are called by instructions that are there")
    let integrity = report.restrictions(in: .integrity).count
    try require(
      integrity <= report.restrictions(in: .confidentiality).count, "what integrity forbids, confidentiality does")
    // Lines for people and scripts.
    _ = report.restrictions.map(\.reason.text)
    _ = report.classObjections.map(\.description) + report.unfollowed.map(\.label)
    _ = report.undeclaredReads.map(\.reason) + report.capabilities.map(\.name)
  }
}
