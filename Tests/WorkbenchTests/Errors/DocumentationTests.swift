import Base
import Linux
import Policy
import Workbench
import Testing

/// docs/policy.md says what is so: its policies are valid, and its test cases pass.
@Suite struct DocumentationTests {
  private static let root = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")

  private static func read(_ path: String) throws -> String {
    String(decoding: try OwnedFD.open("\(root)/\(path)", .readOnly).readToEnd(limit: 1 << 20) ?? [], as: UTF8.self)
  }

  /// The fenced blocks of the page, with their language.
  private static func blocks() throws -> [(language: String, text: String)] {
    var blocks: [(language: String, text: String)] = []
    var open: (language: String, text: String)?
    for line in try read("docs/policy.md").split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") {
        if let block = open {
          blocks.append(block)
          open = nil
        } else {
          open = (String(line.dropFirst(3)), "")
        }
      } else {
        open?.text += line + "\n"
      }
    }
    return blocks
  }

  @Test func examplesRun() throws {
    var policy: PolicyDocument?
    var used: Set<PropertyName> = []
    var runs = 0
    for block in try Self.blocks() {
      switch block.language {
      case "policy":
        let document = PolicyDocument.parse(Array(block.text.utf8), dialect: .verityBPF)
        let errors = document.diagnostics.filter { $0.severity != .note && $0.code != "policy.permissive" }
        #expect(document.isValid && errors.isEmpty, "\(errors)\n\(block.text)")
        let findings = PolicyLint.findings(document).filter { $0.severity == .error }
        #expect(findings.isEmpty, "\(findings)\n\(block.text)")
        #expect(document.formatted == Array(block.text.utf8))
        used.formUnion(document.statements.flatMap { $0.properties.map { $0.name } })
        policy = document
      case "cases":
        let document = try #require(policy)
        let cases = PolicyCases(Array(block.text.utf8))
        #expect(cases.diagnostics.isEmpty, "\(cases.diagnostics)")
        let run = CaseRun([("docs", cases)], policy: try CompiledPolicy(document), document: document)
        #expect(run.failures.isEmpty, "\(run.failures.map { "\($0.name): \($0.failure ?? "")" })")
        runs += run.results.count
      case "json": #expect(try Facts.read(Array(block.text.utf8)).count == 1)
      default: break
      }
    }
    #expect(runs > 50)
    // What nothing finds out has no example; of IPE's own there is one for an operation of the kernel.
    #expect(used == Set(PropertyName.allCases.filter { $0.producer != .none || $0.isKernel }))
  }

  @Test func everyOperationIsNamed() throws {
    let page = try Self.read("docs/policy.md")
    for operation in Operation.allCases { #expect(page.contains("`\(operation.rawValue)`")) }
  }
}
