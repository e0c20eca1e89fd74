internal import Base

/// A fact that is one of a few words.
protocol FactWord: Sendable, Equatable {
  /// All of them, in the order in which they are listed.
  static var all: [Self] { get }
  /// Whether the words are grades, so that a rule names a bound and not the fact itself.
  static var areGrades: Bool { get }
  /// Its word in policies and facts; nil for a fact that no policy can name.
  var word: String? { get }
  init?(word: String)
  /// Whether a fact of this word satisfies a rule that names that word.
  func satisfies(_ wanted: Self) -> Bool
}

extension FactWord {
  static var areGrades: Bool { false }
  func satisfies(_ wanted: Self) -> Bool { self == wanted }
}

extension FactWord where Self: RawRepresentable<String> & CaseIterable, AllCases == [Self] {
  static var all: [Self] { allCases }
  var word: String? { rawValue }
  init?(word: String) { self.init(rawValue: word) }
}

/// The words of a fact, without its type: what is done for each decision is made once for each type of words, and no
/// type is looked up at run time.
struct FactWords: Sendable {
  /// All words, in the order in which they are listed.
  let words: [String]
  let areGrades: Bool
  /// Whether a fact of the first word satisfies a rule that names the second.
  let satisfies: @Sendable (String, String) -> Bool
  /// The test of a rule that names these words: the fact satisfies one of them.
  let test: @Sendable ([String]) -> FactTest
  /// The fact's word; nil when it is not known.
  let text: @Sendable (borrowing Facts) -> String?
  /// Takes over a fact; false when the text is none of the words.
  let set: @Sendable (String, inout Facts) -> Bool

  init<Word: FactWord>(_ fact: Fact<Word>) {
    words = Word.all.compactMap { $0.word }
    areGrades = Word.areGrades
    satisfies = { known, wanted in
      guard let known = Word(word: known), let wanted = Word(word: wanted) else { return false }
      return known.satisfies(wanted)
    }
    let get = fact.get
    test = { texts in
      let wanted = texts.compactMap { Word(word: $0) }
      guard wanted.count == 1, let only = wanted.first else {
        return { facts in
          guard let known = get(facts) else { return nil }
          return wanted.contains { known.satisfies($0) }
        }
      }
      return { facts in
        guard let known = get(facts) else { return nil }
        return known.satisfies(only)
      }
    }
    text = { get($0)?.word }
    set = { text, facts in
      guard let word = Word(word: text) else { return false }
      fact.set(&facts, word)
      return true
    }
  }
}

/// One of a few words.
struct WordForm: ValueForm {
  private let fact: FactWords

  init<Word: FactWord>(fact: Fact<Word>) { self.fact = FactWords(fact) }

  var shape: PropertyName.Shape { .word(words) }
  /// All words.
  var words: [String] { fact.words }
  /// Whether a fact of the first word satisfies a rule that names the second.
  func satisfies(_ known: String, _ wanted: String) -> Bool { fact.satisfies(known, wanted) }

  func test(_ value: PropertyValue) -> FactTest {
    guard case .word(let wanted) = value, fact.words.contains(wanted) else { return neverKnown }
    return fact.test([wanted])
  }

  func implies(_ value: PropertyValue, _ other: PropertyValue) -> Bool {
    guard case .word(let narrow) = value, case .word(let wide) = other else { return false }
    return fact.words.allSatisfy { !fact.satisfies($0, narrow) || fact.satisfies($0, wide) }
  }

  /// Certain only where each word stands for itself alone. (A verdict or witness may satisfy several words; two that
  /// exclude each other are left to the reader of the policy.)
  func excludes(_ left: PropertyValue, _ right: PropertyValue) -> Bool {
    left != right
      && fact.words.allSatisfy { wanted in fact.words.allSatisfy { $0 == wanted || !fact.satisfies($0, wanted) } }
  }

  func determinesFact(_ value: PropertyValue) -> Bool { !fact.areGrades }

  func satisfying(_ values: [PropertyValue], variant: Int) -> String? {
    if let only = values.onlyOne { return only.description }
    let wanted = values.map { $0.description }
    return fact.words.first { known in wanted.allSatisfy { fact.satisfies(known, $0) } }
  }

  func failing(_ value: PropertyValue) -> [String] {
    guard case .word(let wanted) = value else { return [] }
    return fact.words.filter { !fact.satisfies($0, wanted) }
  }

  func samples(_ values: [PropertyValue], _ effort: inout Int) -> [FactSample]? {
    tested(fact.words, values, &effort)
  }

  func text(_ facts: borrowing Facts) -> String? { fact.text(facts) }
  func set(_ text: String, in facts: inout Facts) -> Bool { fact.set(text, &facts) }
}

/// One or more of a few words, of which the fact is one.
struct ChoiceForm: ValueForm {
  private let fact: FactWords

  init<Word: FactWord>(fact: Fact<Word>) { self.fact = FactWords(fact) }

  var shape: PropertyName.Shape { .words(words) }
  /// All words.
  var words: [String] { fact.words }
  var factHint: String? { "write one of \(fact.words.separated(by: ", "))" }

  func test(_ value: PropertyValue) -> FactTest {
    guard case .words(let wanted) = value else { return neverKnown }
    return fact.test(wanted)
  }

  func implies(_ value: PropertyValue, _ other: PropertyValue) -> Bool { value.isSubset(of: other) }
  func excludes(_ left: PropertyValue, _ right: PropertyValue) -> Bool { left.isDisjoint(with: right) }

  func satisfying(_ values: [PropertyValue], variant: Int) -> String? {
    let common = values.commonWords
    return common.isEmpty ? nil : common[variant % common.count]
  }

  func failing(_ value: PropertyValue) -> [String] {
    guard case .words(let wanted) = value else { return [] }
    return fact.words.filter { !wanted.contains($0) }
  }

  func samples(_ values: [PropertyValue], _ effort: inout Int) -> [FactSample]? {
    tested(fact.words, values, &effort)
  }

  func text(_ facts: borrowing Facts) -> String? { fact.text(facts) }
  func set(_ text: String, in facts: inout Facts) -> Bool { fact.set(text, &facts) }
}
