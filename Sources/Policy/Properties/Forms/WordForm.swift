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

/// One of a few words.
struct WordForm<Word: FactWord>: ValueForm {
  let fact: Fact<Word>

  var shape: PropertyName.Shape { .word(Word.all.compactMap { $0.word }) }

  private func word(_ value: PropertyValue) -> Word? {
    guard case .word(let text) = value else { return nil }
    return Word(word: text)
  }

  func test(_ value: PropertyValue) -> FactTest {
    guard let wanted = word(value) else { return neverKnown }
    let get = fact.get
    return { get($0).map { $0.satisfies(wanted) } }
  }

  func implies(_ value: PropertyValue, _ other: PropertyValue) -> Bool {
    guard let narrow = word(value), let wide = word(other) else { return false }
    return Word.all.allSatisfy { !$0.satisfies(narrow) || $0.satisfies(wide) }
  }

  /// Certain only where each word stands for itself alone. (A verdict or witness may satisfy several words; two that
  /// exclude each other are left to whoever reads the policy.)
  func excludes(_ left: PropertyValue, _ right: PropertyValue) -> Bool {
    left != right && Word.all.allSatisfy { wanted in Word.all.allSatisfy { $0 == wanted || !$0.satisfies(wanted) } }
  }

  func determinesFact(_ value: PropertyValue) -> Bool { !Word.areGrades }

  func satisfying(_ values: [PropertyValue], variant: Int) -> String? {
    if let only = values.onlyOne { return only.description }
    let wanted = values.compactMap { word($0) }
    guard wanted.count == values.count else { return nil }
    return Word.all.first { fact in wanted.allSatisfy { fact.satisfies($0) } }?.word
  }

  func failing(_ value: PropertyValue) -> [String] {
    guard let wanted = word(value) else { return [] }
    return Word.all.filter { !$0.satisfies(wanted) }.compactMap { $0.word }
  }

  func text(_ facts: borrowing Facts) -> String? { fact.get(facts)?.word }

  func set(_ text: String, in facts: inout Facts) -> Bool {
    guard let word = Word(word: text) else { return false }
    fact.set(&facts, word)
    return true
  }
}

/// One or more of a few words, of which the fact is one.
struct ChoiceForm<Word: FactWord>: ValueForm {
  let fact: Fact<Word>

  var shape: PropertyName.Shape { .words(words) }
  var factHint: String? { "write one of \(words.separated(by: ", "))" }
  private var words: [String] { Word.all.compactMap { $0.word } }

  func test(_ value: PropertyValue) -> FactTest {
    guard case .words(let texts) = value else { return neverKnown }
    let wanted = texts.compactMap { Word(word: $0) }
    let get = fact.get
    return { get($0).map { wanted.contains($0) } }
  }

  func implies(_ value: PropertyValue, _ other: PropertyValue) -> Bool { value.isSubset(of: other) }
  func excludes(_ left: PropertyValue, _ right: PropertyValue) -> Bool { left.isDisjoint(with: right) }

  func satisfying(_ values: [PropertyValue], variant: Int) -> String? {
    let common = values.commonWords
    return common.isEmpty ? nil : common[variant % common.count]
  }

  func failing(_ value: PropertyValue) -> [String] {
    guard case .words(let wanted) = value else { return [] }
    return words.filter { !wanted.contains($0) }
  }

  func text(_ facts: borrowing Facts) -> String? { fact.get(facts)?.word }

  func set(_ text: String, in facts: inout Facts) -> Bool {
    guard let word = Word(word: text) else { return false }
    fact.set(&facts, word)
    return true
  }
}
