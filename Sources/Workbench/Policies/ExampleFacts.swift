internal import Policy

/// What is known in addition to some facts, and what stands against them.
///
/// About BPF programs it makes a difference whether what is not known is not there, or may have been left out; and whether
/// the volume is in doubt. A decision about the kernel's own operations knows no such difference.
enum ExampleWorld: CaseIterable {
  /// Nothing is missing: what is not known is not there.
  case complete
  /// Whatever is not known may be missing.
  case open
  /// Nothing is missing, and no rule allows by what the volume says, nor by a signer.
  case doubted

  /// The facts in such a world; nil where it makes no difference to another one.
  func place(_ facts: Facts) -> Facts? {
    var placed = facts
    switch self {
    case .complete: placed.settled = .all
    case .open: if facts.operation != .bpfProgLoad { return nil }
    case .doubted:
      guard facts.operation == .bpfProgLoad else { return nil }
      placed.settled = .all
      placed.doubts = [.checksAtMostOnce]
      placed.doubtedSigners = facts.signers
      placed.signers = []
    }
    return placed
  }
}

/// The least that must be known for properties to hold: one set of facts, or several where a property leaves a choice.
enum ExampleFacts {
  /// Choices that are tried at most.
  static let variantLimit = 8

  /// Facts that satisfy every property; empty when no facts can.
  ///
  /// - Parameter variants: choices that are tried at most.
  static func satisfying(
    _ properties: [PolicyDocument.Property], operation: Operation?, variants: Int = variantLimit
  ) -> [Facts] {
    var values: [PropertyName: [PropertyValue]] = [:]
    for property in properties { values[property.name, default: []].append(property.value) }
    var results: [Facts] = []
    for variant in 0..<variants {
      var facts = Facts(operation: operation)
      var isPossible = true
      for (name, wanted) in values where !add(name, wanted, variant, to: &facts) { isPossible = false }
      guard isPossible else { break }
      guard !results.contains(facts) else { break }
      results.append(facts)
    }
    // Where the kernel alone vouches only some rules may allow; that both do is the other way for `x_witness=KERNEL` to
    // hold, and all rules may.
    return results
      + results.filter { $0.witnesses == .kernel }.map { facts in
        var both = facts
        both.witnesses = .both
        return both
      }
  }

  /// Makes one property's fact; false when the values exclude each other.
  private static func add(
    _ name: PropertyName, _ wanted: [PropertyValue], _ variant: Int, to facts: inout Facts
  ) -> Bool {
    guard let text = name.fact(satisfying: wanted, variant: variant) else { return false }
    return (try? facts.set(name.rawValue, text)) != nil
  }
}
