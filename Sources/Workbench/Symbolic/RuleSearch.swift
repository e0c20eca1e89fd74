internal import Policy

/// Looks for facts about which two lists of rules disagree, in all facts that can be.
///
/// Facts are answered property by property: each combination of answers that a property's facts can give is tried once
/// (``Policy/PropertyName/samples(_:_:)``), and what is left of both lists is compared. Lists that are equal need no further
/// look; pairs that were met before neither. What ends without a finding within the effort is a proof that there is none.
struct RuleSearch {
  let questions: Questions
  /// Steps that may be taken yet.
  var effort: Int
  /// False when something was not looked at.
  private(set) var isComplete = true
  /// What is done with facts about which the lists disagree; false ends the search, which is not complete then.
  let found: (Facts) -> Bool
  private var isStopped = false
  private var visited: Set<[Int32]> = []

  /// A place in the search: what is known, and what is left to decide.
  private struct Place {
    var facts: Facts
    /// Properties of which the fact is chosen, be it that it is not known.
    var chosen = PropertySet()
    var old: RuleList
    var new: RuleList
  }

  /// The facts that are looked at.
  struct Scope {
    var operation: Operation
    /// Whether the kernel alone vouches for the bytes of a BPF program; if not, it does not vouch alone.
    var isKernelAlone = false
    /// Whether the volume is in doubt.
    var isDoubted = false
    /// Questions of which only the facts are of interest to which all these are true.
    var asserted: [Int32] = []
  }
  private var scope = Scope(operation: .bpfProgLoad)

  /// Lists of more words are not remembered.
  private static let rememberedSize = 20_000

  init(_ questions: Questions, effort: Int, found: @escaping (Facts) -> Bool) {
    self.questions = questions
    self.effort = effort
    self.found = found
  }

  /// Looks at all facts of the scope.
  mutating func run(_ old: RuleList, _ new: RuleList, in scope: Scope) {
    guard !isStopped, old != new else { return }
    self.scope = scope
    visited = []
    var facts = Facts(operation: scope.operation)
    if scope.isDoubted { facts.doubts = [.checksAtMostOnce] }
    let place = Place(facts: facts, old: old, new: new)
    if scope.isKernelAlone { branch(.witness, place) } else { look(place) }
  }

  private mutating func giveUp() {
    isComplete = false
    isStopped = true
  }

  private mutating func look(_ start: Place) {
    var place = start
    while !isStopped {
      effort -= place.old.rules.count + place.new.rules.count + 8
      if effort < 0 { return giveUp() }
      if place.old == place.new { return }
      if place.old.isConstant, place.new.isConstant { return report(place.facts) }
      guard setApart(&place) else { return }
      if place.old == place.new { return }
      if place.old.isConstant, place.new.isConstant { return report(place.facts) }
      guard remember(place) else { return }
      guard let name = nextProperty(place) else { return giveUp() }
      guard name == .signer, place.chosen.contains(.signer) else { return branch(name, place) }
      guard let next = branchOnSigner(place) else { return }
      place = next
    }
  }

  /// Facts that were found, made such that they can be.
  private mutating func report(_ found: Facts) {
    var facts = found
    if facts.witnesses != nil, facts.dmverityRoothash == nil {
      guard let digest = PropertyName.dmverityRoothash.samples([], &effort)?.first,
        PropertyName.dmverityRoothash.take(digest.text, in: &facts)
      else { return giveUp() }
    }
    guard facts.contradiction == nil else { return giveUp() }
    if !self.found(facts) { giveUp() }
  }

  /// False when this place was looked at before.
  private mutating func remember(_ place: Place) -> Bool {
    var key: [Int32] = [context(place.facts, place.chosen)]
    for list in [place.old, place.new] {
      key.append(list.endsAllowing ? 1 : 0)
      key.append(Int32(clamping: list.rules.count))
      for rule in list.rules {
        key.append(Int32(clamping: rule.questions.count * 2 + (rule.allows ? 1 : 0)))
        key += rule.questions
      }
      if key.count > Self.rememberedSize { return true }
    }
    return visited.insert(key).inserted
  }

  /// What of the facts chosen so far later answers depend on, beyond what is left of the lists.
  private func context(_ facts: Facts, _ chosen: PropertySet) -> Int32 {
    var word: Int32 =
      switch facts.bpfSignature {
      case nil: 0
      case .expired?: 1
      case .unsigned?, .some(.none): 2
      case .ok?, .badSignature?, .unknownKey?, .partial?, .unexpected?, .fault?, .verified?, .metadataVerified?: 3
      }
    let parts: [(PropertyName, Bool)] = [
      (.dmverityRoothash, facts.dmverityRoothash != nil), (.witness, facts.witnesses != nil),
      (.bpfKeyring, facts.bpfKeyring != nil), (.bpfSignature, false),
      (.signer, facts.settled.contains(.signer)),
    ]
    for (name, isKnown) in parts { word = word * 3 + (chosen.contains(name) ? (isKnown ? 2 : 1) : 0) }
    return word
  }

  // MARK: - What to choose next

  /// The property that most rules of the first rows ask for; signers last, since each is a question of its own.
  private func nextProperty(_ place: Place) -> PropertyName? {
    if let asserted = scope.asserted.first(where: { question in
      let name = questions[question].name
      return name != .signer && !place.chosen.contains(name)
        && (Self.asks(place.old, question) || Self.asks(place.new, question))
    }) {
      return needed(questions[asserted].name, place)
    }
    var counts: [PropertyName: Int] = [:]
    for list in [place.old, place.new] {
      for rule in list.firstBlock {
        for question in rule.questions { counts[questions[question].name, default: 0] += 1 }
      }
    }
    let best = counts.filter { $0.key != .signer }.max { left, right in
      (left.value, right.key.rawValue) < (right.value, left.key.rawValue)
    }
    if let best { return needed(best.key, place) }
    return counts.isEmpty ? nil : .signer
  }

  private static func asks(_ list: RuleList, _ question: Int32) -> Bool {
    list.rules.contains { $0.questions.contains(question) }
  }

  /// The property, or another one that its answers depend on and that is not chosen yet.
  private func needed(_ name: PropertyName, _ place: Place) -> PropertyName {
    if name == .bpfKeyring, !place.chosen.contains(.bpfSignature) { return .bpfSignature }
    if name == .witness, !place.chosen.contains(.dmverityRoothash) { return .dmverityRoothash }
    return name
  }

  // MARK: - Properties with one fact

  /// Tries each combination of answers of one property.
  private mutating func branch(_ name: PropertyName, _ place: Place) {
    var own: [Int32] = []
    var isOwn = [Bool](repeating: false, count: questions.all.count)
    for rule in place.old.rules + place.new.rules {
      for question in rule.questions where questions[question].name == name && !isOwn[Int(question)] {
        isOwn[Int(question)] = true
        own.append(question)
      }
    }
    own.sort()
    guard let cells = name == .signer ? signerSettled(own, place) : cells(of: name, own, place) else { return giveUp() }
    let owned = isOwn
    if name == .signer {
      for cell in cells {
        let answered = Set(cell.answers)
        var next = place
        next.facts = cell.facts
        next.chosen.insert(name)
        next.old = place.old.answered(true: answered.contains, false: { _ in false })
        next.new = place.new.answered(true: answered.contains, false: { _ in false })
        look(next)
      }
      return
    }
    let old = SplitList(place.old) { owned[Int($0)] }
    let new = SplitList(place.new) { owned[Int($0)] }
    for cell in cells {
      if isStopped { return }
      var next = place
      next.facts = cell.facts
      next.chosen.insert(name)
      next.old = old.rest(cell.answers, &effort)
      next.new = new.rest(cell.answers, &effort)
      look(next)
    }
  }

  /// Facts of one property, and the questions that are true of them.
  private struct Cell {
    let facts: Facts
    let answers: [Int32]
  }

  /// One cell for each combination of answers, the plainest facts first; nil when the effort did not suffice.
  private mutating func cells(of name: PropertyName, _ own: [Int32], _ place: Place) -> [Cell]? {
    var values: [PropertyValue] = []
    var places: [Int32: Int] = [:]
    var asking: [[Int32]] = []
    for question in own {
      let asked = questions[question]
      if let known = places[asked.valueNumber] {
        asking[known].append(question)
      } else {
        places[asked.valueNumber] = values.count
        values.append(asked.value)
        asking.append([question])
      }
    }
    guard let samples = name.samples(values, &effort) else { return nil }
    let asserted = scope.asserted.filter { questions[$0].name == name }
    var cells: [Cell] = []
    var seen: Set<[Int32]> = []
    func add(_ facts: Facts, _ candidates: [Int32]) {
      guard isPossible(facts, choosing: name, place.chosen) else { return }
      let answers = candidates.filter { questions[$0].isTrue(facts) }
      guard asserted.allSatisfy(answers.contains) else { return }
      var chosen = place.chosen
      chosen.insert(name)
      if seen.insert(answers + [-1, context(facts, chosen)]).inserted {
        cells.append(Cell(facts: facts, answers: answers))
      }
    }
    func addBoth(_ facts: Facts, _ candidates: [Int32]) {
      add(facts, candidates)
      var settled = facts
      settled.settled.insert(name)
      add(settled, candidates)
    }
    effort -= own.count * 2
    if !(name == .witness && scope.isKernelAlone) { addBoth(place.facts, own) }
    let wanted = name.mayHideMore ? [] : asserted.compactMap { places[questions[$0].valueNumber] }
    for sample in samples {
      guard wanted.allSatisfy(sample.satisfied.contains) else { continue }
      var facts = place.facts
      guard name.take(sample.text, in: &facts) else { continue }
      if name == .witness, scope.operation == .bpfProgLoad, (facts.witnesses == .kernel) != scope.isKernelAlone {
        continue
      }
      if name.mayHideMore {
        effort -= own.count * 2
        addBoth(facts, own)
      } else {
        effort -= sample.satisfied.count + 4
        add(facts, sample.satisfied.flatMap { asking[$0] }.sorted())
      }
      if effort < 0 { return nil }
    }
    return cells
  }

  /// Whether facts can be, as far as they are chosen.
  private func isPossible(_ facts: Facts, choosing name: PropertyName, _ chosen: PropertySet) -> Bool {
    guard let contradiction = facts.contradiction else { return true }
    // What is not chosen yet may still be what it must.
    return [contradiction.names.0, contradiction.names.1].contains { text in
      guard let part = PropertyName(named: text) else { return false }
      return part != name && !chosen.contains(part)
    }
  }

  // MARK: - Signers

  /// Whether all signers are known: with that the questions are answered that are true without any.
  private func signerSettled(_ own: [Int32], _ place: Place) -> [Cell]? {
    var settled = place.facts
    settled.settled.insert(.signer)
    let open = own.filter { questions[$0].isTrue(place.facts) }
    let known = own.filter { questions[$0].isTrue(settled) }
    let cells = [Cell(facts: place.facts, answers: open), Cell(facts: settled, answers: known)]
    return open == known ? [cells[0]] : cells
  }

  /// Tries what can be of one signer, but for its absence.
  ///
  /// - Returns: the place without that signer, which is next; nil where it must be there.
  private mutating func branchOnSigner(_ place: Place) -> Place? {
    let lists = [place.old, place.new]
    guard let rule = lists.compactMap({ $0.rules.first }).min(by: { $0.questions.count < $1.questions.count }),
      let first = rule.questions.first, case .digest(let digest) = questions[first].value
    else {
      giveUp()
      return nil
    }
    let value = questions[first].valueNumber
    func isOwn(_ question: Int32) -> Bool { questions[question].valueNumber == value }
    let own = Set(lists.flatMap { $0.rules.flatMap { $0.questions.filter(isOwn) } }).sorted()
    let asserted = scope.asserted.filter(isOwn)
    var seen: [[Int32]] = [[]]
    for isDoubted in [false, true] {
      var facts = place.facts
      if isDoubted { facts.doubtedSigners.append(digest) } else { facts.signers.append(digest) }
      let answers = own.filter { questions[$0].isTrue(facts) }
      guard !seen.contains(answers), asserted.allSatisfy(answers.contains) else { continue }
      seen.append(answers)
      var next = place
      next.facts = facts
      next.old = place.old.answered(true: answers.contains) { isOwn($0) && !answers.contains($0) }
      next.new = place.new.answered(true: answers.contains) { isOwn($0) && !answers.contains($0) }
      look(next)
    }
    guard asserted.isEmpty || own.isEmpty else { return nil }
    var next = place
    next.old = place.old.answered(true: { _ in false }, false: isOwn)
    next.new = place.new.answered(true: { _ in false }, false: isOwn)
    return next
  }

  /// Leaves out signers that decide alike in both lists before anything else does: where one of them is there, there is no
  /// difference. So a hundred thousand of them are one step.
  ///
  /// - Returns: false when no facts are left.
  private func setApart(_ place: inout Place) -> Bool {
    guard place.chosen.contains(.signer) else { return true }
    while true {
      guard let one = place.old.rules.first, let other = place.new.rules.first, one.allows == other.allows else {
        return true
      }
      let common = units(place.old).intersection(units(place.new))
      if common.isEmpty { return true }
      var gone = Set(common.map { questions[$0].valueNumber })
      // A doubted signer is one to DENY rules alone: where only ALLOW rules are common, those stay.
      let certain = Set(common.filter { Self.countsDoubted(questions[$0].reading) }.map { questions[$0].valueNumber })
      for rule in place.old.rules + place.new.rules {
        for question in rule.questions where Self.countsDoubted(questions[question].reading) {
          let value = questions[question].valueNumber
          if !certain.contains(value) { gone.remove(value) }
        }
      }
      if gone.isEmpty { return true }
      func isGone(_ question: Int32) -> Bool { gone.contains(questions[question].valueNumber) }
      if scope.asserted.contains(where: { questions[$0].name == .signer && isGone($0) && asksStill($0, place) }) {
        return false
      }
      place.old = place.old.answered(true: { _ in false }, false: isGone)
      place.new = place.new.answered(true: { _ in false }, false: isGone)
    }
  }

  private func asksStill(_ question: Int32, _ place: Place) -> Bool {
    Self.asks(place.old, question) || Self.asks(place.new, question)
  }

  /// Questions about signers that alone make a rule of the first row match.
  private func units(_ list: RuleList) -> Set<Int32> {
    var units: Set<Int32> = []
    for rule in list.firstBlock where rule.questions.count == 1 && questions[rule.questions[0]].name == .signer {
      units.insert(rule.questions[0])
    }
    return units
  }

  private static func countsDoubted(_ reading: Questions.Reading) -> Bool {
    switch reading {
    case .deny, .denyCertain: true
    case .kernel, .allow, .allowExpired: false
    }
  }
}
