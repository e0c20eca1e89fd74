/// Rules of which the first that matches decides, in a normal form: two lists that are equal decide alike, whatever the
/// answers to their questions are.
struct RuleList: Hashable {
  /// None of them always matches, and the last says something else than ``endsAllowing``.
  private(set) var rules: [SymbolicRule]
  /// What is decided where none of them matches.
  private(set) var endsAllowing: Bool

  /// Up to this many rules each is compared with each.
  private static let fewRules = 48

  init(_ rules: some Sequence<SymbolicRule>, endsAllowing: Bool) {
    var kept: [SymbolicRule] = []
    var end = endsAllowing
    for rule in rules {
      if rule.questions.isEmpty {
        end = rule.allows
        break
      }
      kept.append(rule)
    }
    self.rules = kept
    self.endsAllowing = end
    if kept.count <= Self.fewRules { dropCovered() }
    dropEnd()
    sortBlocks()
  }

  /// Whether every fact is decided alike.
  var isConstant: Bool { rules.isEmpty }

  /// Rules at the end that say what is decided without them too.
  private mutating func dropEnd() {
    while rules.last?.allows == endsAllowing { rules.removeLast() }
  }

  /// Rules that ask for all that an earlier one asks for never decide.
  private mutating func dropCovered() {
    var kept: [SymbolicRule] = []
    for rule in rules where !kept.contains(where: { Self.isSubset($0.questions, rule.questions) }) { kept.append(rule) }
    // In a row of rules that say the same, the order does not count.
    var place = kept.startIndex
    while place < kept.endIndex {
      var end = place + 1
      while end < kept.endIndex, kept[end].allows == kept[place].allows { end += 1 }
      let row = kept[place..<end]
      let wide = row.indices.filter { one in
        !row.indices.contains { $0 > one && Self.isSubset(row[$0].questions, row[one].questions) }
      }
      let narrowed = wide.map { row[$0] }
      kept.replaceSubrange(place..<end, with: narrowed)
      place += narrowed.count
    }
    rules = kept
  }

  private static func isSubset(_ few: [Int32], _ many: [Int32]) -> Bool {
    guard few.count <= many.count else { return false }
    var place = many.startIndex
    for one in few {
      while place < many.endIndex, many[place] < one { place += 1 }
      guard place < many.endIndex, many[place] == one else { return false }
      place += 1
    }
    return true
  }

  /// Rules in a row that say the same come in the order of their questions, each once.
  private mutating func sortBlocks() {
    var place = rules.startIndex
    while place < rules.endIndex {
      var end = place + 1
      var isSorted = true
      while end < rules.endIndex, rules[end].allows == rules[place].allows {
        isSorted = isSorted && rules[end - 1].questions.lexicographicallyPrecedes(rules[end].questions)
        end += 1
      }
      if !isSorted {
        let sorted = rules[place..<end].sorted { $0.questions.lexicographicallyPrecedes($1.questions) }
        var unique: [SymbolicRule] = []
        for rule in sorted where unique.last != rule { unique.append(rule) }
        rules.replaceSubrange(place..<end, with: unique)
        end = place + unique.count
      }
      place = end
    }
  }

  /// The rules in a row at the beginning that say the same.
  var firstBlock: ArraySlice<SymbolicRule> {
    guard let first = rules.first else { return [] }
    return rules[..<(rules.firstIndex { $0.allows != first.allows } ?? rules.endIndex)]
  }

  /// What is left to ask when some questions are answered: rules of which a question is false are gone.
  func answered(true isTrue: (Int32) -> Bool, false isFalse: (Int32) -> Bool) -> RuleList {
    RuleList(
      rules.compactMap { rule in
        if rule.questions.contains(where: isFalse) { return nil }
        return SymbolicRule(questions: rule.questions.filter { !isTrue($0) }, allows: rule.allows)
      }, endsAllowing: endsAllowing)
  }
}

/// A list taken apart by one property, so that what is left of it for each fact of that property is made quickly: most facts
/// are named by few rules, however long the list is.
struct SplitList {
  private let list: RuleList
  /// The places of the rules that do not ask for the property.
  private var untouched: [Int] = []
  /// The places of the rules that ask each question of the property.
  private var asking: [Int32: [Int]] = [:]
  /// For each rule, where the row of rules begins that say the same.
  private var blockStarts: [Int] = []
  private let isOwn: (Int32) -> Bool

  init(_ list: RuleList, _ isOwn: @escaping (Int32) -> Bool) {
    self.list = list
    self.isOwn = isOwn
    blockStarts.reserveCapacity(list.rules.count)
    for (place, rule) in list.rules.enumerated() {
      let isNew = place == 0 || list.rules[place - 1].allows != rule.allows
      blockStarts.append(isNew ? place : blockStarts[place - 1])
      var isTouched = false
      for question in rule.questions where isOwn(question) {
        isTouched = true
        asking[question, default: []].append(place)
      }
      if !isTouched { untouched.append(place) }
    }
  }

  /// What is left where these questions of the property are true, and the others false.
  ///
  /// - Parameter effort: what the work costs is subtracted.
  func rest(_ answers: [Int32], _ effort: inout Int) -> RuleList {
    var places: [Int] = []
    for question in answers { places += asking[question] ?? [] }
    if answers.count > 1 {
      places.sort()
      places = places.enumerated().filter { $0.offset == 0 || places[$0.offset - 1] != $0.element }.map { $0.element }
    }
    effort -= places.count + 1
    let answered = Set(answers)
    var hits: [(place: Int, rule: SymbolicRule)] = []
    var end = list.rules.count
    var endsAllowing = list.endsAllowing
    for place in places {
      let rule = list.rules[place]
      var left: [Int32] = []
      var isTrue = true
      for question in rule.questions {
        if !isOwn(question) { left.append(question) } else if !answered.contains(question) { isTrue = false }
      }
      guard isTrue else { continue }
      if left.isEmpty {
        // Nothing behind it counts, nor what says the same just before it.
        end = blockStarts[place]
        endsAllowing = rule.allows
        break
      }
      hits.append((place, SymbolicRule(questions: left, allows: rule.allows)))
    }
    var merged: [SymbolicRule] = []
    var next = hits.startIndex
    for place in untouched {
      guard place < end else { break }
      while next < hits.endIndex, hits[next].place < place {
        merged.append(hits[next].rule)
        next += 1
      }
      merged.append(list.rules[place])
    }
    while next < hits.endIndex, hits[next].place < end {
      merged.append(hits[next].rule)
      next += 1
    }
    effort -= merged.count
    return RuleList(merged, endsAllowing: endsAllowing)
  }
}
