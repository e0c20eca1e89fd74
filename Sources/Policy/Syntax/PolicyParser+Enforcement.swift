/// `x_enforcing=` on lines: of a DENY rule for itself, of an operation's default for the operation.
extension PolicyParser {
  func isEnforcement(_ word: SourceRange) -> Bool { !isKernel && text[word].starts(with: "x_enforcing=".utf8) }

  /// What the word says; nil, reported, where it says neither.
  func parseEnforcement(_ word: SourceRange, isSecond: Bool) -> Bool? {
    if isSecond {
      report("policy.enforcing", "the line says x_enforcing twice", at: word, nil, hint: "remove one of them")
      return nil
    }
    if text[word].elementsEqual("x_enforcing=TRUE".utf8) { return true }
    if text[word].elementsEqual("x_enforcing=FALSE".utf8) { return false }
    report(
      "policy.enforcing", "\(quoted(word)) is neither x_enforcing=TRUE nor x_enforcing=FALSE", at: word, nil, hint: nil)
    return nil
  }

  /// Refuses the word where it has no meaning, and warns of a line that denies on paper only.
  func checkEnforcement(_ enforcing: Bool, of statement: PolicyDocument.Statement, at word: SourceRange) -> Bool {
    if statement.kind == .rule, statement.action == .allow {
      report(
        "policy.enforcing", "a rule that allows has nothing to enforce", at: word, nil,
        hint: "remove the word, or the rule if it is not to allow yet; a shadow policy shows what it would allow")
      return false
    }
    if !enforcing {
      let subject = statement.kind == .rule ? "this rule" : "of this operation the policy"
      report(
        .warning, "policy.permissive", "\(subject) only records what it denies, and lets it happen", at: word,
        hint: "remove x_enforcing=FALSE when the records look right")
    }
    return true
  }
}
