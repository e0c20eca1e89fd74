import KernelABI
import Linux

/// Objects whose authors say what they may do under lockdown (`include/verity_bpf.h`), on machines in each mode: the
/// policy allows them all, and where a promise for the machine's mode is broken they stay out.
enum PromiseCases {
  /// Where an object is kept out; it is loaded everywhere else.
  private static let table: [(object: String, deniedUnder: Set<LockdownMode>)] = [
    ("promise_kept", []),
    ("promise_narrow", [.integrity, .confidentiality]),
    ("promise_narrow_integrity", [.integrity]),
    ("promise_narrow_confidentiality", [.confidentiality]),
    // Nothing is promised for confidentiality; then the kernel decides, and it does not forbid these loads.
    ("promise_integrity_only", [.integrity]),
  ]

  static let suite = Suite(
    name: "promise",
    cases: [
      Case("in-an-image", on: .plain, .secureBoot, .integrity, .confidentiality) {
        let rootHash = try Machine.text("/images/programs.roothash").trimmed
        for entry in table {
          let result = try load(entry.object, allowing: "dmverity_roothash=sha256:\(rootHash)") { name in
            ["--image", "/images/programs.raw", "--object", "\(name).bpf.o"]
          }
          try expectAnswer(result, entry)
        }
      },
      Case("signed", on: .plain, .secureBoot, .integrity, .confidentiality) {
        for entry in table {
          let result = try load(entry.object, allowing: "bpf_signature=OK") { name in
            ["--object", "/images/promises/\(name).bpf.o", "--trust-anchors", "/images/promises/trust"]
          }
          try expectAnswer(result, entry)
        }
      },
      // Root says in the kernel's place that there is no lockdown, or has nothing said: then every promise has to hold.
      Case("mode-that-root-hides", on: .plain, .integrity) {
        let forged = "\(try Machine.temporaryDirectory())/lockdown"
        try Machine.write(forged, Array("[none] integrity confidentiality\n".utf8))
        let empty = try Machine.temporaryDirectory()
        for (source, target) in [
          (forged, "/sys/kernel/security/lockdown"), ("/sys/kernel/security/lsm", "/sys/kernel/security/lockdown"),
          (empty, "/sys/kernel/security"),
        ] {
          try OriginCases.bind(source, on: target)
          defer { try? Mount.unmount(target) }
          try expectEqual(KernelSettings.lockdownMode(), nil, "mode with \(source) over \(target)")
          let result = try load("promise_narrow", allowing: "bpf_signature=OK") { name in
            ["--object", "/images/promises/\(name).bpf.o", "--trust-anchors", "/images/promises/trust"]
          }
          try Command.expectStatus(2, result)
          try expect(result.text.contains("annotation.exceeded"), result.text)
        }
      },
    ])

  private static func expectAnswer(
    _ result: Command.Result, _ entry: (object: String, deniedUnder: Set<LockdownMode>), line: Int = #line
  ) throws {
    let mode = KernelSettings.lockdownMode() ?? .none
    let isDenied = entry.deniedUnder.contains(mode)
    try expectEqual(result.status, isDenied ? 2 : 0, "\(entry.object) under \(mode): \(result.text)", line: line)
    if isDenied { try expect(result.text.contains("annotation.exceeded"), result.text, line: line) }
  }

  private static func load(
    _ object: String, allowing condition: String, from source: (String) -> [String]
  ) throws -> Command.Result {
    let directory = try Machine.temporaryDirectory()
    let policy = """
      policy_name=promises policy_version=1.0.0
      DEFAULT action=DENY
      op=BPF_PROG_LOAD \(condition) action=ALLOW

      """
    try Machine.write("\(directory)/p.pol", Array(policy.utf8))
    return try Command.run(
      ["load", "--attach", "--policy", "\(directory)/p.pol", "--audit-dir", directory] + source(object))
  }
}
