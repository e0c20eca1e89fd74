/// Bytes that the kernel alone vouches for: what its page cache shows can be made a lie by root, so nothing allows them
/// that does not say so.
extension CompiledPolicy {
  /// Whether some rule allows what the kernel alone vouches for, with `x_witness=KERNEL`.
  public var takesKernelAlone: Bool {
    statements.all.contains { $0.kind == .rule && $0.action == .allow && $0.namesKernelAlone }
  }

  /// The same as ``decide(_:)``, except that only a rule with `x_witness=KERNEL` allows. Takes time for each rule; such
  /// objects are rare.
  ///
  /// - Parameter enforcedOnly: whether denials that are only recorded count for nothing.
  func decideOnKernelAlone(_ facts: borrowing Facts, enforcedOnly: Bool) -> Decision {
    var fallback: Int?
    var unknown: [UInt32] = []
    for (place, statement) in statements.all.enumerated() {
      switch statement.kind {
      case .fallback:
        // An operation's own default counts before that for all.
        if statement.operation == facts.operation || statement.operation == nil && fallback == nil { fallback = place }
      case .rule:
        guard statement.operation == facts.operation, statement.mayDecide(facts),
          !(enforcedOnly && enforcement.watches(statement))
        else { continue }
        switch statement.outcome(facts) {
        case .holds:
          return decision(facts, statement.action, .rule, UInt32(clamping: place), unknownDenials(at: unknown, facts))
        case .unknown: if statement.action == .deny { unknown.append(UInt32(clamping: place)) }
        case .fails, .doubted: break
        }
      }
    }
    let passedOver = unknownDenials(at: unknown, facts)
    let action: Action = enforcedOnly && !enforcement.covers(facts.operation) ? .allow : .deny
    guard let fallback, statements.all[fallback].action == .deny else {
      return decision(facts, action, .kernelAlone, nil, passedOver)
    }
    let reason: Decision.Reason = statements.all[fallback].operation == nil ? .globalDefault : .operationDefault
    return decision(facts, action, reason, UInt32(clamping: fallback), passedOver)
  }
}

extension PolicyDocument.Statement {
  /// Whether it is about objects that the kernel alone vouches for.
  package var namesKernelAlone: Bool {
    properties.contains { $0.name == .witness && $0.value == .word("KERNEL") }
  }

  /// What becomes of the rule's properties together: one that fails counts before one that is not known.
  func outcome(_ facts: borrowing Facts) -> Outcome {
    var result = Outcome.holds
    for property in properties { result = result.and(Condition(property, of: self).outcome(facts)) }
    return result
  }

  /// Whether a rule can decide about such facts at all.
  func mayDecide(_ facts: borrowing Facts) -> Bool {
    !facts.isKernelAlone || action == .deny || namesKernelAlone
  }
}

extension Facts {
  /// Whether the kernel alone vouches for the bytes of a BPF program. About its own operations the kernel decides, and its
  /// word is all there is.
  var isKernelAlone: Bool { operation == .bpfProgLoad && witnesses == .kernel }
}
