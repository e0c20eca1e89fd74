import ArgumentParser
import Diagnostics
import JSONText
import Policy
import SafeOutput

struct PolicyFmtCommand: DiagnosingCommand {
  static let configuration = CommandConfiguration(
    commandName: "fmt", abstract: "Print a policy in its canonical layout.",
    discussion: "No comment is lost and the meaning stays. With --check, exits 1 when a file is not in that layout.")
  static let schema = "verity-bpf/policy-fmt/1"

  @Argument(help: "Policy files; - is standard input.") var files: [String]
  @OptionGroup var language: DialectOption
  @Flag(help: "Print nothing; name the files that are not in the canonical layout.") var check = false
  @Flag(name: [.short, .long], help: "Rewrite the files in place.") var write = false
  @Flag(help: "With --check: one object a file.") var json = false

  var wantsJSON: Bool { json }

  func validate() throws {
    if check, write { throw ValidationError("--check and --write exclude each other") }
  }

  func execute() throws -> Int32 {
    var status: Int32 = 0
    for file in files {
      let document = try PolicyFile.load(file, language.dialect)
      let formatted = document.formatted ?? document.text.bytes
      let isCanonical = formatted == document.text.bytes
      if check {
        if json {
          try Output.json(["schema": .string(Self.schema), "file": .string(file), "canonical": .bool(isCanonical)])
        }
        if !isCanonical {
          status = Diagnostic.Category.incomplete.rawValue
          if !json { try Output.line(file) }
        }
      } else if write, file != "-" {
        if !isCanonical { try PolicyFile.save(formatted, to: file, keeping: RunInputs()) }
      } else {
        try Output.bytes(formatted)
      }
    }
    return status
  }
}
