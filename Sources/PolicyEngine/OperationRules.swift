internal import PolicySyntax

/// The rules of one operation in their order, with the ways to find the first that matches.
struct OperationRules: Sendable {
  /// What is read of a rule while deciding, side by side in memory.
  private struct Rule: Sendable {
    /// The rule's place among the policy's statements.
    let statement: UInt32
    /// The next rule that asks for the same digest, counted from 1; 0 for none.
    var following: UInt32 = 0
    /// What the rule asks for beyond the digest it was found by: a range of ``conditions``.
    let firstCondition: UInt32
    let conditionCount: UInt32
    let allows: Bool
  }

  private var rules: [Rule] = []
  private var conditions: [Condition] = []
  /// Rules that no digest finds, in their order.
  private var others: [UInt32] = []
  private var indexes: [DigestIndex] = []
  /// The statement that is this operation's default.
  var fallback: UInt32?

  /// The digest property by which a rule is found: the first of these that it has.
  private static let indexable: [PropertyName] = [
    .object, .dmverityRoothash, .fsverityDigest, .signer, .requesterObject, .requesterRoothash,
  ]

  init(rules list: [(place: Int, statement: PolicyDocument.Statement)]) {
    // Most policies are about one operation.
    if list.isEmpty { return }
    let keys = list.map { Self.key(of: $0.statement) }
    for name in Self.indexable {
      let digests = keys.compactMap { key in key.flatMap { $0.property.name == name ? $0.digest : nil } }
      if !digests.isEmpty { indexes.append(DigestIndex(name: name, digests: digests)) }
    }
    // The last rule of each chain, so that entering a rule does not walk the chain.
    var tails: [Int: Int] = [:]
    for (number, entry) in list.enumerated() {
      let statement = entry.statement
      let place = UInt32(clamping: entry.place)
      let allows = statement.action == .allow
      var first: Int?
      if let key = keys[number], let index = indexes.firstIndex(where: { $0.name == key.property.name }) {
        first = indexes[index].insert(
          key.digest,
          DigestIndex.Entry(
            rule: number, statement: place, allows: allows, isWhole: statement.properties.count == 1))
      }
      let found = first == nil ? nil : keys[number]?.property
      let rest = statement.properties.filter { $0 != found }
      rules.append(
        Rule(
          statement: place, firstCondition: UInt32(clamping: conditions.count),
          conditionCount: UInt32(clamping: rest.count), allows: allows))
      conditions += rest.map { Condition($0, of: statement) }
      guard let first else {
        others.append(UInt32(clamping: number))
        continue
      }
      if first != number {
        rules[tails[first] ?? first].following = UInt32(clamping: number + 1)
        tails[first] = number
      }
    }
  }

  /// The digest that finds a rule; nil for a rule that only a walk finds.
  private static func key(
    of statement: PolicyDocument.Statement
  ) -> (property: PolicyDocument.Property, digest: DigestLiteral)? {
    for name in indexable {
      for property in statement.properties where property.name == name {
        if case .digest(let digest) = property.value, digest.bytes.count <= DigestIndex.longestDigest {
          return (property, digest)
        }
      }
    }
    return nil
  }

  /// A rule that matches: its number, its statement's place, and what it says.
  private struct Match {
    var rule: Int
    var statement: UInt32
    var allows: Bool
  }

  /// The first rule that matches: its statement's place, and what it says. Nil when none does.
  func firstMatch(_ facts: borrowing Facts) -> (statement: UInt32, action: Action)? {
    var best = Match(rule: .max, statement: 0, allows: false)
    for index in indexes {
      if index.name == .signer {
        for signer in facts.signers { follow(index, signer, facts, &best) }
      } else if let digest = facts.digest(index.name) {
        follow(index, digest, facts, &best)
      }
    }
    for number in others {
      guard Int(number) < best.rule else { break }
      let rule = rules[Int(number)]
      if matches(rule, facts) {
        best = Match(rule: Int(number), statement: rule.statement, allows: rule.allows)
        break
      }
    }
    return best.rule == .max ? nil : (best.statement, best.allows ? .allow : .deny)
  }

  /// Walks the rules that ask for one digest, until one matches or comes after the best so far.
  private func follow(_ index: DigestIndex, _ digest: DigestLiteral, _ facts: borrowing Facts, _ best: inout Match) {
    guard let entry = index.entry(for: digest), entry.rule < best.rule else { return }
    if entry.isWhole {
      best = Match(rule: entry.rule, statement: entry.statement, allows: entry.allows)
      return
    }
    var number = entry.rule
    while number < best.rule {
      let rule = rules[number]
      if matches(rule, facts) {
        best = Match(rule: number, statement: rule.statement, allows: rule.allows)
        return
      }
      guard rule.following != 0 else { return }
      number = Int(rule.following) - 1
    }
  }

  private func matches(_ rule: Rule, _ facts: borrowing Facts) -> Bool {
    let first = Int(rule.firstCondition)
    for place in first..<(first + Int(rule.conditionCount)) where conditions[place].outcome(facts) != .holds {
      return false
    }
    return true
  }
}
