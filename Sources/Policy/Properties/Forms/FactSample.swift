internal import Base

/// A known fact, and which of some values it satisfies.
package struct FactSample: Sendable, Equatable {
  /// The fact, as text.
  package let text: String
  /// The places of the values that it satisfies among those that were asked about, in their order.
  package let satisfied: [Int]

  init(_ text: String, _ satisfied: [Int]) {
    self.text = text
    self.satisfied = satisfied
  }
}

extension PropertyName {
  /// Known facts of which each combination of values that any known fact satisfies has one at least. What is true of all of
  /// them is true of all facts, as far as these values ask.
  ///
  /// - Parameters:
  ///   - values: what is asked, each value once.
  ///   - effort: how many steps may be taken yet; what was taken is subtracted.
  /// - Returns: the facts, the shorter before the longer where there is a choice; nil when the effort did not suffice.
  package func samples(_ values: [PropertyValue], _ effort: inout Int) -> [FactSample]? {
    effort -= values.count
    let samples = entry.form.samples(values, &effort)
    return effort < 0 ? nil : samples
  }

  /// Takes over a fact that is given as text; false when the text is none.
  package func take(_ text: String, in facts: inout Facts) -> Bool { entry.form.set(text, in: &facts) }

  /// Whether there are facts under which it holds for a DENY rule, and for an ALLOW rule only where that speaks of them.
  package var canBeVoid: Bool { entry.isVoid != nil }

  /// Whether a fact that is known and does not satisfy a value counts for more than that: evidence may be missing beside it.
  package var mayHideMore: Bool {
    switch entry.absence {
    case .values, .fewer: true
    case .impossible, .given, .unknown: false
    }
  }
}

extension ValueForm {
  /// The samples that are given, each with the values that it satisfies by the form's own test.
  func tested(_ texts: [String], _ values: [PropertyValue], _ effort: inout Int) -> [FactSample]? {
    let tests = values.map { test($0) }
    effort -= texts.count * tests.count
    if effort < 0 { return nil }
    return texts.compactMap { text in
      var facts = Facts(operation: .bpfProgLoad)
      guard set(text, in: &facts) else { return nil }
      return FactSample(text, tests.indices.filter { tests[$0](facts) == true })
    }
  }
}

extension [PropertyValue] {
  /// Facts of a form whose values are the facts: each value, and one that is none of them.
  func identities(another: String) -> [FactSample] {
    enumerated().map { FactSample($1.description, [$0]) } + [FactSample(another, [])]
  }

  /// A digest that none of these is, of an algorithm that the first has.
  var anotherDigest: String {
    var known: Set<DigestLiteral> = []
    for case .digest(let digest) in self { known.insert(digest) }
    let model = known.isEmpty ? nil : first
    let (algorithm, size): ([UInt8], Int) =
      if case .digest(let digest)? = model, digest.bytes.count >= 8 {
        (digest.algorithm, digest.bytes.count)
      } else {
        ([UInt8]("sha256".utf8), 32)
      }
    var number: UInt64 = 0
    while true {
      let tail = (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - $0 * 8)) }
      let digest = DigestLiteral(algorithm: algorithm, bytes: [UInt8](repeating: 0, count: size - 8) + tail)
      if !known.contains(digest) { return digest.description }
      number += 1
    }
  }

  /// A word that starts like this and that none of the texts is.
  func anotherText(_ stem: String) -> String {
    let known = Set(map { $0.description })
    var candidate = stem
    var number = 1
    while known.contains(candidate) {
      number += 1
      candidate = "\(stem)\(number)"
    }
    return candidate
  }

  /// The sets of words that are common to some of the lists, without the empty one; nil when the effort did not suffice.
  func commonLists(_ effort: inout Int) -> [[String]]? {
    var found: [[String]] = []
    var seen: Set<Set<String>> = []
    for case .words(let words) in self {
      let own = Set(words)
      for other in [own] + found.map({ own.intersection($0) }) where !other.isEmpty && seen.insert(other).inserted {
        found.append(words.filter { other.contains($0) }.onceEach)
      }
      effort -= found.count * 4
      if effort < 0 { return nil }
    }
    // As short as it can be and still be in the same lists.
    let lists = compactMap { value -> Set<String>? in
      if case .words(let words) = value { Set(words) } else { nil }
    }
    effort -= found.count * count
    if effort < 0 { return nil }
    return found.map { words in
      let excluded = lists.filter { list in !words.allSatisfy { list.contains($0) } }
      var kept = words
      for word in words.reversed() where kept.count > 1 {
        let fewer = kept.filter { $0 != word }
        if excluded.allSatisfy({ list in !fewer.allSatisfy { list.contains($0) } }) { kept = fewer }
      }
      return kept
    }
  }
}

extension [String] {
  /// Without repetitions, in the same order.
  fileprivate var onceEach: [String] {
    var seen: Set<String> = []
    return filter { seen.insert($0).inserted }
  }
}
