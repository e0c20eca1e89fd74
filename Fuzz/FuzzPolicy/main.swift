import Workbench
import CFuzzer
import Glibc
import Base
import KernelABI
import Policy

// Any bytes at all, given to everything of the policy language that reads text. Besides not trapping, what is read
// must keep its promises: a formatted policy says the same, the index decides as a walk does, a record comes back.

/// A promise that does not hold ends the process, which libFuzzer reports with the input.
func require(_ holds: Bool, _ promise: StaticString) {
  guard !holds else { return }
  print("broken promise: \(promise)")
  // SIGABRT, which libFuzzer catches to save the input.
  abort()
}

func checkPolicy(_ bytes: [UInt8], _ dialect: Dialect) {
  let document = PolicyDocument.parse(bytes, dialect: dialect)
  _ = document.diagnostics.map { $0.rendered(file: "f", text: document.text) }
  _ = KernelAnswer(to: document)
  guard document.isValid else { return }
  guard let formatted = document.formatted else { return require(false, "a valid policy is formatted") }
  let again = PolicyDocument.parse(formatted, dialect: dialect)
  require(again.isValid && again.hasSameMeaning(as: document), "formatting keeps the meaning")
  require(again.formatted == formatted, "formatting twice changes nothing")
  _ = PolicyLint.findings(document, config: KernelConfiguration("CONFIG_SECURITY_IPE=y"), fileName: "f.pol")
  if dialect == .verityBPF { _ = DialectConversion(document) }
  guard let policy = try? CompiledPolicy(document) else { return require(false, "a valid policy compiles") }
  for statement in document.statements.prefix(8) {
    var facts = Facts(operation: statement.operation)
    for property in statement.properties { try? facts.set(property.name.rawValue, property.value.description) }
    let decision = policy.decide(facts)
    let walked = policy.explain(facts).rules.first { $0.matches }?.statement
    require(walked == (decision.reason == .rule ? decision.statement : nil), "the index decides as the walk")
  }
}

func checkAll(_ bytes: [UInt8]) {
  for dialect in Dialect.allCases { checkPolicy(bytes, dialect) }
  _ = PolicyCases(bytes)
  if let facts = try? Facts.read(bytes) {
    for entry in facts {
      let again = try? Facts.read(Array(entry.json.compact.utf8))
      require(again == [entry], "facts come back as they were written")
    }
  }
  if case .record(let stamp, let record) = AuditReader.read(bytes) {
    let line = record.line(stamp)
    if String(validating: bytes, as: UTF8.self) != nil {
      require(AuditReader.read(Array(line.utf8)) == .record(stamp, record), "a record comes back as it was written")
    }
  }
}

@c func fuzzOne(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  checkAll(Array(UnsafeBufferPointer(start: data, count: size)))
  return 0
}

var count = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
let status = withUnsafeMutablePointer(to: &arguments) { pointer in
  pointer.withMemoryRebound(to: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?.self, capacity: 1) {
    LLVMFuzzerRunDriver(&count, $0, fuzzOne)
  }
}
exit(status)
