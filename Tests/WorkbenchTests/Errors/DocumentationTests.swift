import Base
import Linux
import Policy
import Workbench
import Testing

/// The pages about policies say what is so: its policies are valid, and its test cases pass.
@Suite struct DocumentationTests {
  private static let root = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")

  private static func read(_ path: String) throws -> String {
    String(decoding: try OwnedFD.open("\(root)/\(path)", .readOnly).readToEnd(limit: 1 << 20) ?? [], as: UTF8.self)
  }

  private static let pages = ["policy", "policy-properties", "policy-tutorial", "policy-life"]

  /// The fenced blocks of the pages, with their language.
  private static func blocks() throws -> [(language: String, text: String)] {
    var blocks: [(language: String, text: String)] = []
    var open: (language: String, text: String)?
    let text = try pages.map { try read("docs/\($0).md") }.joined(separator: "\n")
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
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

  /// Each page names the others, and whatever another page is called is there.
  @Test func linksLeadSomewhere() throws {
    let others = try Directory.names("\(Self.root)/docs")
    for page in Self.pages {
      let text = try Self.read("docs/\(page).md")
      for match in text.matches(of: #/`([a-z-]+\.md)`/#) {
        #expect(others.contains(String(match.output.1)), "docs/\(page).md: \(match.output.1)")
      }
      for other in Self.pages where other != page && page == "policy" { #expect(text.contains("`\(other).md`")) }
    }
  }
}
