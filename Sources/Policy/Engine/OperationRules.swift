/// The rules of one operation in their order, with the ways to find the first that matches.
struct OperationRules: Sendable {
  /// What is read of a rule while deciding, side by side in memory.
  private struct Rule: Sendable {
    /// The rule's place among the policy's statements.
    let statement: UInt32
    /// The next rule that asks for the same digest or path, counted from 1; 0 for none.
    var following: UInt32 = 0
    /// What the rule asks for beyond the digest it was found by: a range of ``conditions``.
    let firstCondition: UInt32
    let conditionCount: UInt32
    let allows: Bool
  }

  private var rules: [Rule] = []
  private var conditions: [Condition] = []
  /// Of the rules that no digest finds and that name one path: the first for each path. The others follow it.
  private var byPath: [String: UInt32] = [:]
  /// Of the rules that no digest finds and that ask for a pattern of paths: those that a path can match.
  private var byPattern = PathIndex()
  /// The DENY rules among both, in their order: where the path is not known, none of them applies.
  private var pathDenials: [UInt32] = []
  /// Rules that neither a digest nor a path finds, in their order.
  private var others: [UInt32] = []
  private var indexes: [DigestIndex] = []
  /// For each index, the DENY rules that it finds, in their order: where its digest is not known, none of them applies.
  private var indexedDenials: [[UInt32]] = []
  /// The statement that is this operation's default.
  var fallback: UInt32?
  /// Whether they are about BPF programs, see ``Condition``.
  private var isStrict = false

  init(rules list: [(place: Int, statement: PolicyDocument.Statement)]) {
    // Most policies are about one operation.
    if list.isEmpty { return }
    isStrict = list.contains { $0.statement.isStrict }
    let keys = list.map { Self.key(of: $0.statement) }
    var digests: [PropertyName: [DigestLiteral]] = [:]
    for case let key? in keys { digests[key.property.name, default: []].append(key.digest) }
    for (name, digests) in digests {
      if let fact = name.entry.form.digests { indexes.append(DigestIndex(name: name, fact: fact, digests: digests)) }
    }
    indexedDenials = indexes.map { _ in [] }
    let patterns = zip(list, keys).map { entry, key in key == nil ? Self.pattern(of: entry.statement) : nil }
    let usesPatterns = patterns.count { $0 != nil } >= PathIndex.fewRules
    var patternRules: [(rule: UInt32, pattern: String)] = []
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
        if first != nil, !allows { indexedDenials[index].append(UInt32(clamping: number)) }
      }
      let found = first == nil ? nil : keys[number]?.property
      let rest = statement.properties.filter { $0 != found }
      rules.append(
        Rule(
          statement: place, firstCondition: UInt32(clamping: conditions.count),
          conditionCount: UInt32(clamping: rest.count), allows: allows))
      conditions += rest.map { Condition($0, of: statement) }
      if first == nil, let path = Self.path(of: statement) {
        first = byPath[path].map { Int($0) } ?? number
        if first == number { byPath[path] = UInt32(clamping: number) }
        if !allows { pathDenials.append(UInt32(clamping: number)) }
      }
      if first == nil, usesPatterns, let pattern = patterns[number] {
        patternRules.append((UInt32(clamping: number), pattern))
        if !allows { pathDenials.append(UInt32(clamping: number)) }
        continue
      }
      guard let first else {
        others.append(UInt32(clamping: number))
        continue
      }
      if first != number {
        rules[tails[first] ?? first].following = UInt32(clamping: number + 1)
        tails[first] = number
      }
    }
    if usesPatterns { byPattern = PathIndex(patternRules) }
  }

  /// The digest that finds a rule; nil for a rule that only a walk finds. One file's digest before others: a volume or a
  /// person may have many rules.
  private static func key(
    of statement: PolicyDocument.Statement
  ) -> (property: PolicyDocument.Property, digest: DigestLiteral)? {
    var found: (property: PolicyDocument.Property, digest: DigestLiteral)?
    for property in statement.properties {
      guard case .digest(let digest) = property.value, digest.bytes.count <= DigestIndex.longestDigest else { continue }
      if property.name.entry.isOfOneFile { return (property, digest) }
      found = found ?? (property, digest)
    }
    return found
  }

  /// The one path that a rule is about; nil for a rule about several or any.
  private static func path(of statement: PolicyDocument.Statement) -> String? {
    for property in statement.properties where property.name == .path {
      if case .pattern(let pattern) = property.value, PathPattern.isLiteral(pattern) { return pattern }
    }
    return nil
  }

  /// The first pattern of paths that a rule asks for; nil for a rule without one.
  private static func pattern(of statement: PolicyDocument.Statement) -> String? {
    for property in statement.properties where property.name == .path {
      if case .pattern(let pattern) = property.value { return pattern }
    }
    return nil
  }

  /// The best match so far, and what was passed over on the way.
  private struct Search {
    /// The number of the rule that matches; above all numbers while none does.
    var rule = Int.max
    var statement: UInt32 = 0
    var allows = false
    /// DENY rules of which no condition fails and one at least is not known; perhaps some that come after the match.
    var unknownDenials: [UInt32] = []

    mutating func take(_ number: Int, _ statement: UInt32, allows: Bool) {
      rule = number
      self.statement = statement
      self.allows = allows
    }
  }

  /// What the rules say to some facts.
  struct Answer {
    /// The first rule that matches: its statement's place, and what it says; nil when none does.
    let match: (statement: UInt32, action: Action)?
    /// The DENY rules before it that did not apply only because something is not known: their statements' places.
    let unknownDenials: [UInt32]
  }

  /// Looks for the first rule that matches.
  func answer(_ facts: borrowing Facts) -> Answer {
    var search = Search()
    for place in indexes.indices {
      // A digest by which a rule is found is no condition of it any more, so that doubts are looked at here.
      let deniesOnly = isStrict && indexes[place].isAboutVolume && !facts.doubts.isEmpty
      switch indexes[place].fact {
      case .one(let fact):
        if let digest = fact.get(facts) { follow(place, digest, deniesOnly, facts, &search) }
      case .several(let fact, let doubted):
        for digest in fact.get(facts) ?? [] { follow(place, digest, deniesOnly, facts, &search) }
        guard isStrict else { continue }
        for digest in doubted.get(facts) ?? [] { follow(place, digest, true, facts, &search) }
      }
    }
    // What a rule asks for of the path stays among its conditions: strings that are equal may still have other bytes.
    if !byPath.isEmpty, let path = facts.path, let first = byPath[path] {
      follow(from: Int(first), false, facts, &search)
    }
    if let path = facts.path {
      for number in byPattern.rules(for: path) {
        guard Int(number) < search.rule else { break }
        if matches(Int(number), facts, &search) { break }
      }
    }
    for number in others {
      guard Int(number) < search.rule else { break }
      if matches(Int(number), facts, &search) { break }
    }
    for place in indexes.indices where !indexedDenials[place].isEmpty {
      let index = indexes[place]
      if index.fact.isOpen(facts, isStrict: isStrict),
        !(isStrict && (index.isGiven || facts.settled.contains(index.name)))
      {
        passOver(indexedDenials[place], facts, &search)
      }
    }
    if !pathDenials.isEmpty, facts.path == nil { passOver(pathDenials, facts, &search) }
    let match: (UInt32, Action)? = search.rule == .max ? nil : (search.statement, search.allows ? .allow : .deny)
    return Answer(match: match, unknownDenials: search.unknownDenials.isEmpty ? [] : listed(search))
  }

  /// Walks the rules that ask for one digest, until one matches or comes after the best so far.
  ///
  /// - Parameters:
  ///   - place: which index finds them.
  ///   - deniesOnly: whether no rule allows by this digest.
  private func follow(
    _ place: Int, _ digest: DigestLiteral, _ deniesOnly: Bool, _ facts: borrowing Facts, _ search: inout Search
  ) {
    guard let entry = indexes[place].entry(for: digest), entry.rule < search.rule else { return }
    if entry.isWhole, !(entry.allows && deniesOnly) {
      return search.take(entry.rule, entry.statement, allows: entry.allows)
    }
    follow(from: entry.rule, deniesOnly, facts, &search)
  }

  /// Looks at a rule and those that ask for the same digest or path, until one matches or comes after the best so far.
  private func follow(from first: Int, _ deniesOnly: Bool, _ facts: borrowing Facts, _ search: inout Search) {
    var number = first
    while number < search.rule {
      if !(rules[number].allows && deniesOnly), matches(number, facts, &search) { return }
      let following = rules[number].following
      guard following != 0 else { return }
      number = Int(following) - 1
    }
  }

  /// Takes the rule where all that it asks for beyond its digest holds, and notes a DENY rule that is not known to fail.
  private func matches(_ number: Int, _ facts: borrowing Facts, _ search: inout Search) -> Bool {
    let rule = rules[number]
    switch outcome(rule, facts) {
    case .holds:
      search.take(number, rule.statement, allows: rule.allows)
      return true
    case .unknown:
      if !rule.allows { search.unknownDenials.append(UInt32(clamping: number)) }
      return false
    case .fails, .doubted: return false
    }
  }

  /// Notes the DENY rules whose digest is not known, as far as nothing else of them fails.
  private func passOver(_ denials: [UInt32], _ facts: borrowing Facts, _ search: inout Search) {
    for number in denials {
      guard Int(number) < search.rule else { return }
      if outcome(rules[Int(number)], facts) != .fails { search.unknownDenials.append(number) }
    }
  }

  /// The places of the noted rules that come before the match, in their order and each once.
  private func listed(_ search: Search) -> [UInt32] {
    var places: [UInt32] = []
    for number in search.unknownDenials.sorted() where Int(number) < search.rule {
      let place = rules[Int(number)].statement
      if places.last != place { places.append(place) }
    }
    return places
  }

  /// What becomes of a rule's conditions together: one that fails counts before one that is not known. An ALLOW rule is
  /// not looked at further than its first condition that does not hold.
  private func outcome(_ rule: Rule, _ facts: borrowing Facts) -> Outcome {
    var result = Outcome.holds
    let first = Int(rule.firstCondition)
    for place in first..<(first + Int(rule.conditionCount)) {
      result = result.and(conditions[place].outcome(facts))
      if result == .fails || rule.allows && result != .holds { return result }
    }
    return result
  }
}
