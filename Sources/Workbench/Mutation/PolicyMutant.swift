public import Policy

/// A change to one part of a policy: what cases have to notice, if they are to show what the part is for.
public struct PolicyMutant: Sendable, Hashable {
  /// What was done to a part.
  public enum Change: String, Sendable, CaseIterable {
    /// A rule, a condition or a member of a list is left out.
    case removed
    /// A condition asks for less: a pattern, a version, a grade or a list takes in more.
    case widened
    /// A rule or a default says the contrary.
    case flipped
  }

  /// Which parts are changed.
  public enum Extent: Sendable {
    /// Those that can be left out: what coverage counts.
    case removals
    /// All of them.
    case everything
  }

  /// The line of the statement that a part was changed of, what that is about, and its canonical text as it was.
  public let line: Int
  public let operation: Operation?
  public let text: String
  public let change: Change
  /// The part: a condition as policy text, `sched_cls of x_prog_type`, `the rule` or the action.
  public let part: String
  /// What stands in its place, as policy text; nil where it was left out.
  public let replacement: String?

  /// What the change is, as the end of a sentence that begins with the policy's line: `lacks x_class=RESTRICTED`.
  public var difference: String {
    switch change {
    case .removed: "lacks \(part)"
    case .widened, .flipped: "says \(shownReplacement) instead of \(part)"
    }
  }

  /// What stands in the part's place, cut where it is a list of all words that there are.
  var shownReplacement: String {
    let text = replacement ?? ""
    return text.utf8.count > Self.shownLength ? "\(text.prefix(Self.shownLength))…" : text
  }

  private static let shownLength = 60

  /// Makes every policy that differs in one part, one after the other, with every statement in the line that it had. What
  /// would be no policy is left out.
  ///
  /// - Parameters:
  ///   - met: facts that tests are about: lists without an end are widened by those.
  ///   - use: takes one; false ends it.
  static func all(
    of document: PolicyDocument, _ extent: Extent, met: [Facts], _ use: (PolicyMutant, PolicyDocument) -> Bool
  ) {
    let facts = Met(met)
    for statement in document.statements {
      for edit in edits(of: statement, extent, facts) {
        var bytes = document.text.bytes
        bytes.replaceSubrange(edit.range.indices, with: Array((edit.replacement ?? "").utf8))
        let mutant = PolicyDocument.parse(bytes, dialect: document.dialect)
        guard mutant.isValid else { continue }
        let made = PolicyMutant(
          line: statement.line, operation: statement.operation, text: statement.canonicalText, change: edit.change,
          part: edit.part, replacement: edit.change == .removed ? nil : edit.shown ?? edit.replacement)
        guard use(made, mutant) else { return }
      }
    }
  }

  // MARK: - Changes of one statement

  private struct Edit {
    let range: SourceRange
    let change: Change
    let part: String
    var replacement: String?
    /// What is said to stand in the part's place, where the edit is of more than the part.
    var shown: String?
  }

  private static func edits(of statement: PolicyDocument.Statement, _ extent: Extent, _ met: Met) -> [Edit] {
    var edits: [Edit] = []
    if statement.kind == .rule {
      edits.append(Edit(range: statement.range, change: .removed, part: "the rule"))
      for property in statement.properties { edits += removals(of: property) }
    }
    switch extent {
    case .removals: return edits
    case .everything: break
    }
    for property in statement.properties {
      edits += property.name.wider(property.value, met: met.texts(of: property.name)).map { value in
        Edit(
          range: property.range, change: .widened, part: property.canonicalText,
          replacement: "\(property.name.rawValue)=\(value.description)")
      }
    }
    let words = statement.canonicalText.split(separator: " ").dropLast().joined(separator: " ")
    let other: Action = statement.action == .allow ? .deny : .allow
    edits.append(
      Edit(
        range: statement.range, change: .flipped, part: "action=\(statement.action.rawValue)",
        replacement: "\(words) action=\(other.rawValue)", shown: "action=\(other.rawValue)"))
    return edits
  }

  private static func removals(of property: PolicyDocument.Property) -> [Edit] {
    let words: [String] =
      switch property.value {
      case .words(let words): words
      case .numbers(let numbers): numbers.map { String($0) }
      case .flag, .digest, .word, .pattern, .text, .version: []
      }
    let members = words.count > 1 ? words.indices : words.indices.prefix(0)
    return [Edit(range: property.range, change: .removed, part: property.canonicalText)]
      + members.map { member in
        let rest = words.indices.filter { $0 != member }.map { words[$0] }
        return Edit(
          range: property.range, change: .removed, part: "\(words[member]) of \(property.name.rawValue)",
          replacement: "\(property.name.rawValue)=\(rest.joined(separator: ","))")
      }
  }

  /// What tests are about, by property.
  private struct Met {
    private var known: [PropertyName: [String]] = [:]

    init(_ facts: [Facts]) {
      for name in PropertyName.allCases {
        var seen: Set<String> = []
        known[name] = facts.compactMap { $0.text(of: name) }.filter { seen.insert($0).inserted }
      }
    }

    func texts(of name: PropertyName) -> [String] { known[name] ?? [] }
  }
}
