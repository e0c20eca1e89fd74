import KernelABI
import Linux
import Policy
import TestSupport

/// The running kernel's IPE and our engine, asked the same.
enum IPEDecisionCases {
  static let suite = Suite(
    name: "ipe-decisions",
    cases: [
      Case("engine-decides-as-the-kernel", on: .secureBoot) {
        try IPE.require()
        defer { IPE.relax() }
        let signed = try VerityVolume("prog", name: "target-signed", signature: "prog.roothash.p7s")
        let unsigned = try VerityVolume("prog", name: "target-unsigned")
        let other = try VerityVolume("prog-evil", name: "target-other")
        let targets = [
          Target(name: "initramfs", program: "/bin/prog", isBootVerified: true),
          Target(name: "rootfs-written-at-runtime", program: try copy(to: "/written"), isBootVerified: true),
          Target(name: "tmpfs", program: try copy(to: "\(Machine.temporaryDirectory())/prog")),
          Target(
            name: "dmv-signed", program: "\(try signed.mount())/prog", rootHash: signed.rootHash, isSigned: true),
          Target(name: "dmv-unsigned-same-hash", program: "\(try unsigned.mount())/prog", rootHash: unsigned.rootHash),
          Target(name: "dmv-other-hash", program: "\(try other.mount())/prog", rootHash: other.rootHash),
        ]
        let directory = "/images/decisions"
        let policies = try Directory.names(directory).filter { $0.hasSuffix(".pol") }.map { String($0.dropLast(4)) }
        try expect(policies.count > 8, "only \(policies.count) policies")
        var differences: [String] = []
        var decisions: Set<Bool> = []
        for name in policies {
          let text = try Machine.read("\(directory)/\(name).pol")
          let policy = try CompiledPolicy(PolicyDocument.parse(text, dialect: .kernel))
          try IPE.enforce(name, in: directory)
          for target in targets {
            let kernel = try target.runs()
            let ours = policy.decide(target.facts).action == .allow
            decisions.insert(kernel)
            if kernel != ours { differences.append("\(name) \(target.name): kernel \(kernel), ours \(ours)") }
          }
        }
        IPE.relax()
        try expect(decisions.count == 2, "every decision was the same")
        try expect(differences.isEmpty, differences.joined(separator: "; "))
      }
    ])

  private static func copy(to path: String) throws -> String {
    try Machine.write(path, Machine.read("/bin/prog"), mode: 0o755)
    return path
  }

  /// A program to run, and what IPE knows of it.
  struct Target {
    let name: String
    let program: String
    var isBootVerified = false
    var rootHash: String?
    var isSigned = false

    var facts: Facts {
      var facts = Facts(operation: .execute)
      facts.bootVerified = isBootVerified
      facts.dmverityRoothash = rootHash.flatMap { DigestLiteral("sha256:\($0)") }
      facts.dmveritySignature = isSigned
      facts.fsveritySignature = false
      return facts
    }

    /// Whether the kernel lets it run.
    func runs() throws -> Bool {
      do {
        _ = try Subprocess.run([program])
        return true
      } catch  where error.code == .eacces {
        return false
      }
    }
  }
}
