import Base
import Gate
import KernelABI
import Policy
import Workbench

/// Any bytes, given to everything of the policy language that reads text. What is read must keep its promises: a
/// formatted policy says the same, the index decides as a walk does, a record comes back.
enum PolicyTarget {
  static func check(_ bytes: [UInt8]) throws(BrokenPromise) -> Bool {
    var isTaken = false
    for dialect in Dialect.allCases where try checkPolicy(bytes, dialect) { isTaken = true }
    _ = PolicyCases(bytes)
    if let facts = try? Facts.read(bytes) {
      for entry in facts {
        let again = try? Facts.read(Array(entry.json.compact.utf8))
        try require(again == [entry], "facts come back as they were written")
      }
      isTaken = true
    }
    if case .record(let stamp, let record) = AuditReader.read(bytes) {
      let line = record.line(stamp)
      if String(validating: bytes, as: UTF8.self) != nil {
        try require(
          AuditReader.read(Array(line.utf8)) == .record(stamp, record), "a record comes back as it was written")
      }
      isTaken = true
    }
    return isTaken
  }

  /// A program whose bytes and volume have a digest that inputs can name.
  private static let tools: [Executable] = {
    guard let hash = Digest(.sha256, bytes: [UInt8](repeating: 1, count: 32)) else { return [] }
    let identity = ExecutableIdentity(rootHash: hash, inode: 36)
    return [Executable(identity: identity, image: "tools.raw", path: "/usr/bin/tool", digest: hash)]
  }()

  private static func checkPolicy(_ bytes: [UInt8], _ dialect: Dialect) throws(BrokenPromise) -> Bool {
    let document = PolicyDocument.parse(bytes, dialect: dialect)
    _ = document.diagnostics.map { $0.rendered(file: "f", text: document.text) }
    _ = KernelAnswer(to: document)
    guard document.isValid else { return false }
    let formatted = try unwrap(document.formatted, "a valid policy is formatted")
    let again = PolicyDocument.parse(formatted, dialect: dialect)
    try require(again.isValid && again.hasSameMeaning(as: document), "formatting keeps the meaning")
    try require(again.formatted == formatted, "formatting twice changes nothing")
    _ = PolicyLint.findings(document, config: KernelConfiguration("CONFIG_SECURITY_IPE=y"), fileName: "f.pol")
    if dialect == .verityBPF { _ = DialectConversion(document) }
    let policy = try unwrap(try? CompiledPolicy(document), "a valid policy compiles")
    if dialect == .verityBPF, document.statements.count <= 32 {
      let request = GateRequest(policy: document, mode: .digests, executables: tools)
      let plan = try unwrap(try? GatePlan(request), "a valid policy has a plan")
      try require(plan.rules.count <= document.statements.count + 1, "a line is reported once")
    }
    for statement in document.statements.prefix(8) {
      var facts = Facts(operation: statement.operation)
      for property in statement.properties { try? facts.set(property.name.rawValue, property.value.description) }
      let decision = policy.decide(facts)
      let walked = policy.explain(facts).rules.first { $0.matches }?.statement
      try require(
        walked == (decision.reason == .rule ? decision.statement : nil), "the index decides as the walk")
    }
    return true
  }
}
