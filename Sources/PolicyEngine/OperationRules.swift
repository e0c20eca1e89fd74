internal import PolicySyntax

/// The rules of one operation in their order, with the ways to find the first that matches.
struct OperationRules: Sendable {
  /// The rules' places among the policy's statements.
  private(set) var statements: [UInt32] = []
  private(set) var actions: [Action] = []
  /// What each rule asks for beyond the digest it was found by.
  private var conditions: [[Condition]] = []
  /// For each rule the next one that asks for the same digest, counted from 1; 0 for none.
  private var following: [UInt32] = []
  /// Rules that no digest finds, in their order.
  private var others: [UInt32] = []
  private var indexes: [DigestIndex] = []
  /// The statement that is this operation's default.
  var fallback: UInt32?

  /// The digest property by which a rule is found: the first of these that it has.
  private static let indexable: [PropertyName] = [
    .object, .dmverityRoothash, .fsverityDigest, .signer, .requesterObject, .requesterRoothash,
  ]

  init(rules: [(place: Int, statement: PolicyDocument.Statement)]) {
    var keys: [(property: PolicyDocument.Property, digest: DigestLiteral)?] = []
    var counts: [PropertyName: Int] = [:]
    for rule in rules {
      let key = Self.key(of: rule.statement)
      if let key { counts[key.property.name, default: 0] += 1 }
      keys.append(key)
    }
    for name in Self.indexable {
      if let count = counts[name] { indexes.append(DigestIndex(name: name, capacity: count)) }
    }
    following = [UInt32](repeating: 0, count: rules.count)
    // The last rule of each chain, so that entering a rule does not walk the chain.
    var tails: [Int: Int] = [:]
    for (number, rule) in rules.enumerated() {
      statements.append(UInt32(clamping: rule.place))
      actions.append(rule.statement.action)
      let key = keys[number]
      conditions.append(rule.statement.properties.filter { $0 != key?.property }.map { Condition($0) })
      guard let key, let index = indexes.firstIndex(where: { $0.name == key.property.name }) else {
        others.append(UInt32(clamping: number))
        continue
      }
      if let first = indexes[index].insert(key.digest, rule: number) {
        following[tails[first] ?? first] = UInt32(clamping: number + 1)
        tails[first] = number
      }
    }
  }

  private static func key(
    of statement: PolicyDocument.Statement
  ) -> (property: PolicyDocument.Property, digest: DigestLiteral)? {
    for name in indexable {
      for property in statement.properties where property.name == name {
        if case .digest(let digest) = property.value, DigestIndex.canHold(digest) { return (property, digest) }
      }
    }
    return nil
  }

  /// The number of the first rule that matches; nil when none does.
  func firstMatch(_ facts: borrowing Facts) -> Int? {
    var best = Int.max
    for index in indexes {
      if index.name == .signer {
        for signer in facts.signers { follow(index, signer, facts, &best) }
      } else if let digest = facts.digest(index.name) {
        follow(index, digest, facts, &best)
      }
    }
    for number in others {
      guard Int(number) < best else { break }
      if matches(Int(number), facts) {
        best = Int(number)
        break
      }
    }
    return best == Int.max ? nil : best
  }

  /// Walks the rules that ask for one digest, until one matches or comes after the best so far.
  private func follow(_ index: DigestIndex, _ digest: DigestLiteral, _ facts: borrowing Facts, _ best: inout Int) {
    guard var rule = index.firstRule(for: digest) else { return }
    while rule < best {
      if matches(rule, facts) {
        best = rule
        return
      }
      guard following[rule] != 0 else { return }
      rule = Int(following[rule]) - 1
    }
  }

  private func matches(_ rule: Int, _ facts: borrowing Facts) -> Bool {
    for condition in conditions[rule] where condition.outcome(facts) != .holds { return false }
    return true
  }
}
