public import Base
public import Policy

/// A policy with suggested rules, each where it takes effect, and checked to do so.
public struct SuggestedPolicy: Sendable {
  public let text: [UInt8]
  /// The rules that are in it.
  public let rules: [PolicySuggestion.Rule]
  /// Rules that would not have allowed what they are for, wherever they stand.
  public let withoutEffect: [PolicySuggestion.Rule]

  /// Where the rules of a policy may be put.
  private enum Position {
    /// Behind all rules, which go on to decide what they decide.
    case end
    /// Before the first rule of the operation that denies.
    case beforeDenials
  }

  /// A policy of its own, which denies everything else.
  public init(name: String, suggestion: PolicySuggestion) {
    let start = "policy_name=\(name) policy_version=1.0.0\n\n# What no rule allows is denied.\nDEFAULT action=DENY\n"
    self.init(PolicyDocument.parse(Array(start.utf8), dialect: .verityBPF), suggestion)
  }

  /// The rules put into a policy, of which nothing else is changed.
  public init(_ base: PolicyDocument, _ suggestion: PolicySuggestion) {
    var places: [(rule: PolicySuggestion.Rule, position: Position)] = suggestion.ruleList.map {
      ($0, $0.hasMoreSamples ? .beforeDenials : .end)
    }
    var effective = Self.effective(base, places)
    for index in places.indices where !effective[index] { places[index].position = .beforeDenials }
    effective = Self.effective(base, places)
    let kept = zip(places, effective).filter { $0.1 }.map { $0.0 }
    withoutEffect = zip(places, effective).filter { !$0.1 }.map { $0.0.rule }
    rules = kept.map(\.rule)
    text = Self.text(base, kept)
  }

  /// Whether each rule allows all that it is for.
  private static func effective(
    _ base: PolicyDocument, _ places: [(rule: PolicySuggestion.Rule, position: Position)]
  ) -> [Bool] {
    let document = PolicyDocument.parse(text(base, places), dialect: base.dialect)
    guard let policy = try? CompiledPolicy(document) else { return places.map { _ in false } }
    return places.map { place in
      place.rule.samples.allSatisfy { policy.decide($0).action == .allow }
    }
  }

  private static func text(
    _ base: PolicyDocument, _ places: [(rule: PolicySuggestion.Rule, position: Position)]
  ) -> [UInt8] {
    var before: [Int: [PolicySuggestion.Rule]] = [:]
    var end: [PolicySuggestion.Rule] = []
    for place in places {
      let denial = base.statements.first {
        $0.kind == .rule && $0.operation == place.rule.operation && $0.action == .deny
      }
      switch place.position {
      case .beforeDenials:
        if let denial { before[denial.line, default: []].append(place.rule) } else { end.append(place.rule) }
      case .end: end.append(place.rule)
      }
    }
    var text: [UInt8] = []
    // Behind a NUL byte nothing is read.
    let (readable, rest) = (base.text.bytes[..<base.syntax.end], base.text.bytes[base.syntax.end...])
    for (number, line) in readable.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
      for rule in before[number + 1] ?? [] { text += lines(of: rule) }
      text += line
      text.append(0x0a)
    }
    // What stands behind the last line feed is no line.
    if readable.last == 0x0a || readable.isEmpty { text.removeLast() }
    for rule in end { text += lines(of: rule, blankBefore: true) }
    return text + rest
  }

  /// The rule below the comment that cites its records.
  private static func lines(of rule: PolicySuggestion.Rule, blankBefore: Bool = false) -> [UInt8] {
    var text = blankBefore ? "\n" : ""
    text += "# \(plain(rule.denials.comment))\n"
    for denied in rule.deniedBy where !denied.isEmpty { text += "# denied by: \(plain(denied))\n" }
    return Array("\(text)\(rule.text)\n".utf8)
  }

  /// Words from outside on one line of printable ASCII: a comment must not end early or hide anything.
  static func plain(_ text: String) -> String {
    var plain = ""
    for scalar in text.unicodeScalars {
      if 0x20..<0x7f ~= scalar.value {
        plain.unicodeScalars.append(scalar)
      } else {
        plain += "\\u{\(String(scalar.value, radix: 16))}"
      }
    }
    return plain
  }
}

extension PolicySuggestion.Denials {
  /// Part of `verity-bpf/policy-suggest/1`.
  var members: [JSONValue.Member] {
    func place(_ place: PolicySuggestion.Place) -> JSONValue {
      .object([
        .init("log", .string(place.log)), .init("line", .integer(Int64(place.line))),
        .init("time", .optional(place.origin.time)), .init("event", .optional(place.origin.event)),
      ])
    }
    return [
      .init("denials", .integer(Int64(count))), .init("first", place(first)), .init("last", place(last)),
      .init("files", .array(files.map { .string($0) })), .init("more_files", .bool(hasMoreFiles)),
    ]
  }
}

extension PolicySuggestion.Rule {
  /// Part of `verity-bpf/policy-suggest/1`.
  public var json: JSONValue {
    .object(
      [
        .init("op", .string(operation.rawValue)), .init("text", .string(text)),
        .init("denied_by", .array(deniedBy.map { .string($0) })),
      ] + denials.members)
  }
}

extension PolicySuggestion.Omission {
  /// Part of `verity-bpf/policy-suggest/1`.
  public var json: JSONValue {
    .object([.init("op", .string(operation)), .init("reason", .string(reason))] + denials.members)
  }

  /// One line for people.
  public var line: String { "\(operation): not suggested: \(reason): \(denials.comment)" }
}
