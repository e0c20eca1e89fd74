/// Whether a fact satisfies a property.
public enum Outcome: String, Sendable {
  case holds
  case fails
  /// The fact is not known; to a rule this is the same as ``fails``.
  case unknown

  init(_ holds: Bool?) {
    switch holds {
    case true?: self = .holds
    case false?: self = .fails
    case nil: self = .unknown
    }
  }
}

/// One property of a rule, made ready for evaluation.
struct Condition: Sendable {
  private let test: FactTest

  /// - Parameter statement: the rule that the property is of.
  init(_ property: PolicyDocument.Property, of statement: PolicyDocument.Statement) {
    let entry = property.name.entry
    let plain = entry.form.test(property.value)
    if let isVoid = entry.isVoid, !statement.takesExpired {
      test = { facts in
        guard let holds = plain(facts) else { return nil }
        return holds && !isVoid(facts)
      }
    } else {
      test = plain
    }
  }

  /// Whether the facts satisfy the property.
  func outcome(_ facts: borrowing Facts) -> Outcome { Outcome(test(facts)) }
}

extension PolicyDocument.Statement {
  /// Whether the rule speaks of signatures by certificates that are not valid today: one that names them, or one that
  /// keeps out.
  fileprivate var takesExpired: Bool {
    action == .deny
      || properties.contains { $0.name == .bpfSignature && $0.value == .word(SignatureVerdict.expired.rawValue) }
  }
}
