import Base
import Glibc
import KernelABI
import Linux
import Policy
import Testing
import Workbench

/// The files that say again what tables in the code say: the reference in docs/policy-properties.md, the editors' grammar and
/// completions, the fuzzer's dictionary, and the kernel's statements in docs/threat-model.md. `make generated` writes them;
/// these tests fail when they differ.
@Suite(.serialized) struct GeneratedFilesTests {
  private static let root = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
  private static let isWriting = getenv("VERITY_BPF_WRITE_GENERATED") != nil

  private static func read(_ path: String) throws -> String {
    String(decoding: try OwnedFD.open("\(root)/\(path)", .readOnly).readToEnd(limit: 1 << 20) ?? [], as: UTF8.self)
  }

  /// Holds the file against what it must be, or makes it so.
  private static func hold(_ path: String, _ text: String) throws {
    guard isWriting else {
      let found = try read(path)
      let line = zip(found.split(separator: "\n"), text.split(separator: "\n")).first { $0 != $1 }
      #expect(found == text, "\(path) differs from its table in the code; `make generated` writes it: \(line as Any)")
      return
    }
    let file = try PendingFile(replacing: "\(root)/\(path)")
    try file.descriptor.writeAll(Array(text.utf8).rawSpan)
    try file.commit()
  }

  /// The text with another one between two marks, each of which is there once.
  private static func replace(in text: String, after start: String, before end: String, with new: String) throws
    -> String
  {
    let parts = text.split(separator: start, maxSplits: 2)
    try #require(parts.count == 2, "\(start)")
    let rest = parts[1].split(separator: end, maxSplits: 1, omittingEmptySubsequences: false)
    try #require(rest.count == 2, "\(end)")
    return "\(parts[0])\(start)\(new)\(end)\(rest[1])"
  }

  @Test func theReferenceFollowsFromTheTable() throws {
    let page = try Self.read("docs/policy-properties.md")
    try Self.hold(
      "docs/policy-properties.md",
      Self.replace(
        in: page, after: "<!-- The property table begins; `make generated` writes it. -->\n",
        before: "<!-- The property table ends. -->\n", with: PropertyReferencePage.text))
  }

  /// The grammar's own text stays; the lists of words follow from the table.
  @Test func theGrammarFollowsFromTheTable() throws {
    let path = "editors/ipe-policy.tmLanguage.json"
    func words(_ belongs: (PropertyName.Shape) -> Bool) -> String {
      PropertyName.allCases.filter { belongs($0.shape) }.map(\.rawValue).joined(separator: "|")
    }
    let isDigest = { (shape: PropertyName.Shape) in if case .digest = shape { true } else { false } }
    var lines: [String] = []
    var replaced = 0
    for line in try Self.read(path).split(separator: "\n", omittingEmptySubsequences: false).map({ String($0) }) {
      let lists: [(tail: String, head: String, words: String)] = [
        ("(=)([^ \\\\t:#]+)(:)([0-9A-Fa-f]+)\",", "(", words(isDigest)),
        ("(=)(TRUE|FALSE)\\\\b\",", "(", words { $0 == .flag }),
        ("(=)([^ \\\\t#]+)\",", "(", words { $0 != .flag && !isDigest($0) }),
        ("(?=[ \\\\t])\",", "(op)(=)(", Operation.allCases.map(\.rawValue).joined(separator: "|")),
      ]
      let start = "      \"match\": \"\\\\b"
      guard line.hasPrefix(start + "("), !line.contains("policy_name"),
        let list = lists.first(where: { line.hasSuffix(")" + $0.tail) })
      else {
        lines.append(line)
        continue
      }
      replaced += 1
      lines.append(start + list.head + list.words + ")" + list.tail)
    }
    #expect(replaced == 4)
    let text = lines.joined(separator: "\n")
    #expect(try JSONValue.parse(Array(text.utf8))["scopeName"] == "source.ipe-policy")
    try Self.hold(path, text)
  }

  /// Completions as Visual Studio Code and many others take them: a word that stands for `name=value`.
  @Test func theCompletionsFollowFromTheTable() throws {
    let members = PropertyName.allCases.map { name in
      let value: String =
        switch name.shape {
        case .flag: "${1|TRUE,FALSE|}"
        case .word(let words): "${1|\(words.joined(separator: ","))|}"
        case .digest(let algorithms): "\(algorithms?.count == 1 ? algorithms?[0] ?? "" : "${2:sha256}"):${1:HEX}"
        case .words, .helpers, .pattern, .text, .version, .numbers: "${1:\(name.notation)}"
        }
      return JSONValue.Member(
        name.rawValue,
        [
          "scope": "ipe-policy", "prefix": .string(name.rawValue), "body": .string("\(name.rawValue)=\(value)"),
          "description": .string(name.reference.summary),
        ])
    }
    try Self.hold("editors/ipe-policy.code-snippets", JSONValue.object(members).pretty + "\n")
  }

  @Test func theInventoryFollowsFromTheStatements() throws {
    var text = "\n| the kernel states | read from | authenticated | holds | when it is not known | shown by |\n"
    text += "|---|---|---|---|---|---|\n"
    for statement in KernelStatement.allCases {
      let cells = [
        statement.subject, "`\(statement.place())`", statement.authentication.text, statement.validity.text,
        statement.unknown.text,
        statement.tests.map { $0.hasPrefix("VM ") ? "VM `\($0.dropFirst(3))`" : "`\($0)`" }
          .joined(separator: ", "),
      ]
      text += "| \(cells.joined(separator: " | ")) |\n"
    }
    try Self.hold(
      "docs/threat-model.md",
      Self.replace(
        in: Self.read("docs/threat-model.md"),
        after: "<!-- The table of statements begins; `make generated` writes it. -->\n",
        before: "<!-- The table of statements ends. -->\n", with: text + "\n"))
  }

  /// A refusal that the inventory names is one that can be explained.
  @Test func refusalsOfTheInventoryAreExplained() {
    for statement in KernelStatement.allCases {
      guard case .refused(let code) = statement.unknown else { continue }
      #expect(ErrorCatalogue.paragraph(code) != nil, "\(statement): \(code)")
    }
  }

  /// The fuzzer's words: each property with the value of its first example.
  @Test func theDictionaryFollowsFromTheTable() throws {
    let entries = PropertyName.allCases.map { name in
      let rule = name.reference.examples[0].rules[0].split(separator: " ").first { $0.hasPrefix("\(name.rawValue)=") }
      // Digits would only be mutated to other digits.
      let text = rule.map { $0.contains(":") ? $0[...($0.firstIndex(of: ":") ?? $0.startIndex)] : $0 } ?? ""
      return "\"\(text)\"\n"
    }
    try Self.hold(
      "Fuzz/Dictionaries/policy.dict",
      Self.replace(
        in: Self.read("Fuzz/Dictionaries/policy.dict"), after: "# Properties, by `make generated`.\n",
        before: "# Others.\n",
        with: entries.joined()))
  }
}

/// The part of docs/policy-properties.md that follows from the table.
private enum PropertyReferencePage {
  static var text: String {
    var text = "\n| property | asks for | known from |\n|---|---|---|\n"
    for name in PropertyName.allCases {
      text += "| `\(name.rawValue)=\(cell(name.notation))` | \(cell(name.reference.summary)) | \(producer(name)) |\n"
    }
    for name in PropertyName.allCases { text += "\n" + section(name) }
    return text + "\n"
  }

  private static func cell(_ text: String) -> String { text.replacing("|", with: "\\|") }

  private static func producer(_ name: PropertyName) -> String {
    name.producer == .none && name.isKernel ? "nothing, but for the kernel's operations" : name.producer.description
  }

  private static func section(_ name: PropertyName) -> String {
    let reference = name.reference
    var text = "### `\(name.rawValue)=\(name.notation)`\n\n\(reference.summary)"
    if !reference.details.isEmpty { text += " " + reference.details }
    if let note = note(name) { text += " " + note }
    text += "\n"
    // An example that `policy check` refuses is none.
    for example in reference.examples where name.producer != .none || example.operation != .bpfProgLoad {
      text += "\n```policy\n\(example.policy)```\n```cases\n\(example.caseText)```\n"
    }
    return text
  }

  /// What `policy check` says where nothing finds the fact out.
  private static func note(_ name: PropertyName) -> String? {
    let instead = name.substitute.map { "; ask for `\($0.rawValue)`" } ?? ""
    return switch name.producer {
    case .none where name.isKernel:
      "IPE knows it for its own operations; for BPF programs nothing finds it out (`policy.never-known`\(instead))."
    case .none: "Nothing finds it out (`policy.never-known`)\(instead)."
    case .loading(let value):
      "Whatever is judged here has `\(name.rawValue)=\(value.description)`; `policy check` reports another value "
        + "(`policy.never-known`)."
    case .volume, .object, .manifest, .file, .integrityPolicy, .handOver, .signatures, .programs, .requester, .gate: nil
    }
  }
}
