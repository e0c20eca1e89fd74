internal import Base

extension PolicyParser {
  /// Reads `name=value`; reports and returns nil when it is no property of the dialect.
  func parseProperty(_ word: SourceRange) -> PolicyDocument.Property? {
    guard let equals = text[word].firstIndex(of: 0x3d) else {
      report(
        "policy.unknown-property", "\(quoted(word)) is no property", at: word, .badMessage,
        hint: "a property is written name=value, without blanks")
      return nil
    }
    let nameRange = SourceRange(Int(word.start), equals)
    let valueRange = SourceRange(equals + 1, Int(word.end))
    let nameText = text.text(nameRange)
    guard let name = PropertyName(named: nameText), name.isKernel || !isKernel else {
      reportUnknown(nameText, nameRange, word)
      return nil
    }
    guard let value = parseValue(valueRange, of: name) else { return nil }
    return PolicyDocument.Property(name: name, value: value, range: word)
  }

  private func reportUnknown(_ name: String, _ nameRange: SourceRange, _ word: SourceRange) {
    if name == "action" {
      return report(
        "policy.action-not-last", "something follows the action", at: word, .badMessage,
        hint: "action= must be the last word of the line; a remark begins with #")
    }
    if name == "op" {
      return report("policy.two-operations", "a rule has one operation", at: word, .badMessage, hint: "write two rules")
    }
    if isKernel, PropertyName(named: name) != nil || name == "x_enforcing" {
      return report(
        "policy.not-mainline", "`\(name)` is evaluated by verity-bpf; no mainline kernel's parser knows it",
        at: word, .badMessage, hint: "`verity-bpf policy convert` strips such rules")
    }
    let known = PropertyName.allCases.filter { $0.isKernel || !isKernel }.map { $0.rawValue }
    report(
      "policy.unknown-property", "there is no property \(quoted(nameRange))", at: nameRange, .badMessage,
      hint: Suggestion.hint(for: name, among: known))
  }

  private func parseValue(_ range: SourceRange, of name: PropertyName) -> PropertyValue? {
    // The kernel knows no empty value, and neither does any property of ours.
    let kernelError: KernelError? = name.isKernel ? .badMessage : nil
    guard !range.isEmpty else {
      report("policy.bad-value", "`\(name.rawValue)=` has no value", at: range, kernelError, hint: name.valueHint)
      return nil
    }
    let word = text.text(range)
    switch name.shape {
    case .flag:
      if word == "TRUE" { return .flag(true) }
      if word == "FALSE" { return .flag(false) }
    case .digest(let algorithms):
      return parseDigest(range, of: name, among: algorithms).map { .digest($0) }
    case .word(let known):
      if known.contains(word) { return .word(word) }
      reportWord(range, of: name, among: known)
      return nil
    case .words(let known):
      return parseList(range, of: name) { known.contains($0) ? $0 : nil }.map { .words($0) }
    case .helpers:
      return parseList(range, of: name, item: Self.helper).map { .words($0) }
    case .pattern:
      if String(validating: Array(text[range]), as: UTF8.self) != nil { return .pattern(word) }
    case .text:
      if String(validating: Array(text[range]), as: UTF8.self) != nil { return .text(word) }
    case .version:
      let parts = word.split(separator: ".", omittingEmptySubsequences: false).map { Self.number($0) }
      let numbers = parts.compactMap { $0 }
      if numbers.count == parts.count, (1...4).contains(numbers.count) { return .version(numbers) }
    case .numbers:
      return parseList(range, of: name) { Self.number(Substring($0)) }.map { .numbers($0) }
    }
    report(
      "policy.bad-value", "\(quoted(range)) is no value of `\(name.rawValue)`", at: range, kernelError,
      hint: name.valueHint)
    return nil
  }

  private func reportWord(_ range: SourceRange, of name: PropertyName, among known: [String]) {
    report(
      "policy.bad-value", "\(quoted(range)) is no value of `\(name.rawValue)`", at: range, nil,
      hint: Suggestion.hint(for: text.text(range), among: known))
  }

  /// Reads items with commas between them.
  private func parseList<Item>(
    _ range: SourceRange, of name: PropertyName, item: (String) -> Item?
  ) -> [Item]? {
    var items: [Item] = []
    var start = Int(range.start)
    let end = Int(range.end)
    while true {
      let comma = text.bytes[start..<end].firstIndex(of: 0x2c) ?? end
      let part = SourceRange(start, comma)
      guard let value = item(text.text(part)) else {
        let known: [String] = if case .words(let words) = name.shape { words } else { [] }
        report(
          "policy.bad-value", "\(quoted(part)) is no item of `\(name.rawValue)`", at: part, nil,
          hint: Suggestion.hint(
            for: text.text(part), meant: Synonyms.meant(by: text.text(part), of: name), among: known) ?? name.valueHint)
        return nil
      }
      items.append(value)
      guard comma < end else { return items }
      start = comma + 1
    }
  }

  private func parseDigest(_ range: SourceRange, of name: PropertyName, among possible: [String]?) -> DigestLiteral? {
    let digest: DigestLiteral
    do throws(DigestLiteral.Failure) {
      digest = try DigestLiteral(parsing: text[range])
    } catch {
      reportBadDigest(range, of: name, error)
      return nil
    }
    guard let size = DigestLiteral.size(of: digest.algorithm) else {
      let known = DigestLiteral.sizes.keys.sorted()
      let algorithm = SourceRange(Int(range.start), Int(range.start) + digest.algorithm.count)
      report(
        lapse, "policy.unknown-algorithm", "\(quoted(algorithm)) is no algorithm that `\(name.rawValue)` can have",
        at: algorithm, hint: Suggestion.hint(for: text.text(algorithm).lowercased(), among: known))
      return isKernel ? digest : nil
    }
    let algorithm = String(decoding: digest.algorithm, as: UTF8.self)
    guard digest.bytes.count == size else {
      report(
        lapse, "policy.digest-length",
        "\(algorithm) has \(size * 2) hex digits, and here are \(digest.bytes.count * 2): this can never match",
        at: range.dropFirst(digest.algorithm.count + 1), hint: "copy the whole digest")
      return isKernel ? digest : nil
    }
    if let possible, !possible.contains(algorithm) {
      report(
        lapse, "policy.unknown-algorithm", "`\(name.rawValue)` is never a \(algorithm) digest", at: range,
        hint: "expected \(possible.joined(separator: " or "))")
      return isKernel ? digest : nil
    }
    if algorithm == "sha1" || algorithm == "rmd160" {
      report(
        .warning, "policy.weak-algorithm", "\(algorithm) does not withstand a search for collisions", at: range,
        hint: "build the volume with sha256")
    }
    return digest
  }

  private func reportBadDigest(
    _ range: SourceRange, of name: PropertyName, _ failure: DigestLiteral.Failure
  ) {
    switch failure {
    case .noColon:
      let guess = DigestLiteral.sizes.filter { $0.value * 2 == range.count && $0.key.hasPrefix("sha") }
      let example = guess.keys.sorted().first { !$0.hasPrefix("sha3") } ?? "sha256"
      report(
        "policy.bad-digest", "`\(name.rawValue)` needs alg:hex, and there is no algorithm before the digits", at: range,
        name.isKernel ? .badMessage : nil, hint: "write \(example):…")
    case .badDigits:
      report(
        "policy.bad-digest", "the digits of `\(name.rawValue)` are no hexadecimal, or odd in number", at: range,
        name.isKernel ? .invalid : nil, hint: "write alg: and two hex digits a byte")
    }
  }

  /// A helper's name or number.
  private static func helper(_ text: String) -> String? {
    guard !text.isEmpty,
      text.utf8.allSatisfy({ byte in
        (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5f
      })
    else { return nil }
    return text.hasPrefix("bpf_") ? String(text.dropFirst(4)) : text
  }

  /// A decimal number without sign that fits 32 bits.
  static func number(_ text: Substring) -> UInt32? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return UInt32(text)
  }
}

/// Near misses.
public enum Suggestion {
  /// `did you mean …`, or the list when it is short, or nothing.
  ///
  /// - Parameter meant: what the word stands for elsewhere, which is a better guess than its letters.
  public static func hint(for word: String, meant: [String] = [], among known: [String]) -> String? {
    if !meant.isEmpty { return "did you mean \(meant.joined(separator: " or "))?" }
    guard !known.isEmpty else { return nil }
    if word.utf8.count <= 40 {
      let ranked = known.map { (EditDistance.between(word.lowercased().utf8, $0.lowercased().utf8), $0) }
      if let best = ranked.min(by: { $0.0 < $1.0 }), best.0 <= max(1, best.1.utf8.count / 3) {
        return "did you mean \(best.1)?"
      }
    }
    return known.count <= 12 ? "expected one of \(known.joined(separator: ", "))" : nil
  }
}
