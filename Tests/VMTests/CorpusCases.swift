import KernelABI
import Loader
import BPFAnalysis
import BPFObject
import CVMSupport
import Linux

/// Every program of every object of the corpus: what the analysis says of it, and what the kernel does with it.
enum CorpusCases {
  static let suite = Suite(
    name: "corpus",
    cases: [
      Case("as-libbpf", on: .plain) { try compareWithLibbpf() },
      Case("as-analysed", on: .plain, .integrity, .confidentiality) { try compareWithAnalysis() },
      // Lockdown can be raised while the machine runs.
      Case("raised-lockdown", on: .plain) { try raise() },
    ])

  // MARK: The analysis

  private enum Verdict: String {
    case same
    /// The same for loading; attaching could not be tried, or does not work for another reason.
    case sameLoad = "load"
    /// The kernel does otherwise than the analysis says.
    case off = "OFF"
    /// The kernel refuses to load it for another reason.
    case notComparable = "-"
  }

  private static func compareWithAnalysis() throws {
    let corpus = try Corpus()
    let mode = KernelSettings.lockdownMode() ?? .none
    let analysed = mode
    var differences: [String] = []
    var compared = 0
    for object in try corpus.objects() {
      let programs: [Corpus.Program]
      do {
        programs = try corpus.programs(of: object)
      } catch {
        row(mode, object, "-", "-", "-", "-", "no: \(Corpus.reason(error))", "-", Verdict.notComparable.rawValue)
        continue
      }
      for (program, outcome) in zip(programs, corpus.ask(programs)) {
        let forbidden = program.report.restrictions(in: analysed)
        let load = forbidden.filter { $0.moment == .load }.map(\.word).joined(separator: ", ")
        let attach = forbidden.filter { $0.moment == .attach }.map(\.word).joined(separator: ", ")
        let verdict = verdict(outcome, forbidsLoad: !load.isEmpty, forbidsAttach: !attach.isEmpty)
        if verdict != .notComparable { compared += 1 }
        if verdict == .off {
          let forbids = [load, attach].filter { !$0.isEmpty }.joined(separator: ", ")
          differences.append(
            "\(object) \(program.report.name): forbidden: \(forbids.isEmpty ? "nothing" : forbids); "
              + "load \(outcome.load.text), attach \(outcome.attach.text)")
        }
        row(
          mode, object, program.report.name, program.report.section, load.isEmpty ? "-" : load,
          attach.isEmpty ? "-" : attach, outcome.load.text, outcome.attach.text, verdict.rawValue)
      }
    }
    try expect(compared > 100, "only \(compared) programs could be compared")
    try expect(differences.isEmpty, "\(differences.count) differ: \(differences.joined(separator: "; "))")
  }

  private static func verdict(_ outcome: Corpus.Outcome, forbidsLoad: Bool, forbidsAttach: Bool) -> Verdict {
    switch outcome.load {
    case .lockedDown: return forbidsLoad ? .same : .off
    case .no, .unasked: return .notComparable
    case .yes: if forbidsLoad { return .off }
    }
    return switch outcome.attach {
    case .yes: forbidsAttach ? .off : .same
    case .lockedDown: forbidsAttach ? .same : .off
    case .no, .unasked: .sameLoad
    }
  }

  /// One line for the host's table.
  private static func row(_ mode: LockdownMode, _ fields: String...) {
    Machine.say((["row", mode.rawValue] + fields).joined(separator: "\t"))
  }

  // MARK: libbpf

  /// Loads every object with libbpf and with us; both must say the same.
  private static func compareWithLibbpf() throws {
    let corpus = try Corpus()
    let version = vm_libbpf_version().map { String(cString: $0) }
    Machine.say("oracle\t\(version.map { "libbpf \($0)" } ?? "none")")
    var differences: [String] = []
    for object in try corpus.objects() {
      let ours = corpus.load(object)
      let theirs = version == nil ? "-" : vm_libbpf_load(Corpus.file(of: object)) == 1 ? "yes" : "no"
      removePins()
      Machine.say("object\t\(object)\t\(theirs)\t\(ours.text)")
      if version != nil, (ours == .yes) != (theirs == "yes") {
        differences.append("\(object): libbpf \(theirs), ours \(ours.text)")
      }
    }
    guard version != nil else { throw Skipped(reason: "no libbpf here to hold ourselves against") }
    try expect(differences.isEmpty, "\(differences.count) differ: \(differences.joined(separator: "; "))")
  }

  /// Maps that libbpf pinned by their names.
  private static func removePins() {
    for name in (try? Directory.names("/sys/fs/bpf")) ?? [] where !name.hasSuffix(".debug") {
      let path = "/sys/fs/bpf/\(name)"
      if (try? FileStatus.of(path: path).kind) == .regular { Cleanup.removeTree(path) }
    }
  }

  // MARK: Lockdown that comes later

  /// What a helper is for and what a probe is, the kernel asks each time. The tracing file system it asks when it makes
  /// its files: what it had made before says the number of a tracepoint still, so programs are attached as before.
  private static func raise() throws {
    let rootHash = try Machine.text("/images/programs.roothash").trimmed
    let directory = try Machine.temporaryDirectory()
    let policy = """
      policy_name=raised policy_version=1.0.0
      DEFAULT action=DENY
      op=BPF_PROG_LOAD dmverity_roothash=sha256:\(rootHash) action=ALLOW

      """
    try Machine.write("\(directory)/p.pol", Array(policy.utf8))
    let order: [(mode: LockdownMode, attached: [String], refused: [String])] = [
      (.none, ["writes_user", "reads_kernel", "kprobe", "tracepoint", "fentry"], []),
      (.integrity, ["reads_kernel", "kprobe", "tracepoint", "fentry"], ["writes_user"]),
      (.confidentiality, ["tracepoint", "fentry"], ["writes_user", "reads_kernel", "kprobe"]),
    ]
    for (mode, attached, refused) in order {
      if mode != .none { try Machine.write("/sys/kernel/security/lockdown", Array(mode.rawValue.utf8)) }
      try expectEqual(KernelSettings.lockdownMode(), mode, "lockdown mode")
      for object in attached + refused {
        let result = try Command.run(
          "load", "--image", "/images/programs.raw", "--object", "\(object).bpf.o", "--attach", "--policy",
          "\(directory)/p.pol", "--audit-dir", directory)
        try expectEqual(result.status, attached.contains(object) ? 0 : 5, "\(object) under \(mode): \(result.text)")
      }
    }
  }
}

extension LockdownRestriction {
  /// The kernel's word for the reason, and the helper behind it.
  fileprivate var word: String { reason.rawValue + (helper.map { " (\($0.label))" } ?? "") }
}
