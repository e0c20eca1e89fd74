import Base
import Policy
import Linux

struct PolicyFmtCommand: Command {
  static let files: Key<[String]> = .repeated(
    "POLICY", takes: .file, needsOne: true, "Policy files; - is standard input.")
  static let check = Key.flag("--check", "Print nothing; name the files that are not in the canonical layout.")
  static let write = Key.flag("--write", short: "-w", "Rewrite the files in place.")
  static let json = Key.flag(
    "--json", "One object a file: whether it is in that layout, and without --check and --write the layout itself.")

  static let declaration = Declaration(
    "Print a policy in its canonical layout.",
    discussion: "No comment is lost and the meaning stays. With --check, exits 1 when a file is not in that layout.",
    examples: ["verity-bpf policy fmt --check bpf.pol"], arguments: [files],
    options: [CommonOptions.dialect, check, write, json])
  static let schema = "verity-bpf/policy-fmt/1"

  let files: [String]
  let dialect: DialectName
  let check: Bool
  let write: Bool
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    files = try words[Self.files]
    dialect = try words[CommonOptions.dialect]
    check = try words[Self.check]
    write = try words[Self.write]
    json = try words[Self.json]
    if check, write { throw UsageError("--check and --write exclude each other.") }
  }

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    var status: Int32 = 0
    for file in files {
      let document: PolicyDocument
      do {
        document = try PolicyFile.load(file, dialect.dialect)
      } catch let failure as DiagnosedFailure where files.count > 1 {
        // One broken file does not keep those behind it from being formatted.
        Output.report(failure.diagnostic)
        status = max(status, failure.diagnostic.category.rawValue)
        continue
      }
      let formatted = document.formatted ?? document.text.bytes
      let isCanonical = formatted == document.text.bytes
      let isPrinted = !check && !(write && file != "-")
      if check, !isCanonical { status = max(status, Diagnostic.Category.incomplete.rawValue) }
      if !check, !isPrinted, !isCanonical { try PolicyFile.save(formatted, to: file, keeping: RunInputs()) }
      if json {
        var members: [JSONValue.Member] = [
          .init("schema", .string(Self.schema)), .init("file", .string(file)), .init("canonical", .bool(isCanonical)),
        ]
        if isPrinted { members.append(.init("text", .string(String(decoding: formatted, as: UTF8.self)))) }
        try Output.json(.object(members))
      } else if isPrinted {
        try Output.bytes(formatted)
      } else if check, !isCanonical {
        try Output.line(file)
      }
    }
    return status
  }
}
