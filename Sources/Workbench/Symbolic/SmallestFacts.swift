internal import Policy

/// Facts of which nothing can be left out without their being decided otherwise.
struct SmallestFacts {
  private let operation: Operation?
  private var values: [(name: PropertyName, text: String)]
  private var settled: [PropertyName]
  private var doubts: [VolumeDoubt]
  private var doubtedSigners: [DigestLiteral]

  private init(_ facts: Facts) {
    operation = facts.operation
    values = PropertyName.allCases.compactMap { name in facts.text(of: name).map { (name, $0) } }
    settled = facts.settled.names
    doubts = facts.doubts
    doubtedSigners = facts.doubtedSigners
  }

  /// Leaves out what is not needed.
  ///
  /// - Parameter isKept: whether facts are still decided in the way that they are to show.
  static func reduce(_ facts: Facts, while isKept: (Facts) -> Bool) -> Facts {
    var best = facts
    while true {
      guard let smaller = SmallestFacts(best).smaller.first(where: isKept) else { return best }
      best = smaller
    }
  }

  /// The facts without one thing each, the largest things first; only such as can be.
  private var smaller: [Facts] {
    var results: [SmallestFacts] = []
    func add(_ change: (inout SmallestFacts) -> Void) {
      var copy = self
      change(&copy)
      results.append(copy)
    }
    if !doubts.isEmpty { add { $0.doubts = [] } }
    for signer in doubtedSigners { add { $0.doubtedSigners.removeAll { $0 == signer } } }
    for (place, value) in values.enumerated() {
      add { smaller in
        smaller.values.remove(at: place)
        smaller.settled.removeAll { $0 == value.name }
      }
      add { $0.values.remove(at: place) }
    }
    // What a witness vouches for goes with it.
    if values.contains(where: { $0.name == .witness }) {
      add { $0.values.removeAll { $0.name == .witness || $0.name == .dmverityRoothash } }
    }
    for name in settled { add { $0.settled.removeAll { $0 == name } } }
    for (place, value) in values.enumerated() {
      let words = value.text.split(separator: ",")
      guard words.count > 1 else { continue }
      for word in words.indices {
        add { smaller in
          smaller.values[place].text = words.indices.filter { $0 != word }.map { String(words[$0]) }
            .joined(separator: ",")
        }
      }
    }
    return results.compactMap { $0.facts }.filter { $0.contradiction == nil }
  }

  /// The facts; nil where a text is none.
  private var facts: Facts? {
    var facts = Facts(operation: operation)
    for value in values where !value.name.take(value.text, in: &facts) { return nil }
    facts.settled = PropertySet(settled)
    facts.doubts = doubts
    facts.doubtedSigners = doubtedSigners
    return facts
  }
}
