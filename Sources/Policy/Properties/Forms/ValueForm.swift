internal import Base

/// Where a fact is kept among all of them.
///
/// Two functions without captured values, so that an entry of the property table costs nothing until it is asked for,
/// and a decision reads the field directly.
struct Fact<Value>: Sendable {
  /// The fact; nil when it is not known.
  let get: @Sendable (borrowing Facts) -> Value?
  let set: @Sendable (inout Facts, Value) -> Void

  init(
    _ get: @escaping @Sendable (borrowing Facts) -> Value?, _ set: @escaping @Sendable (inout Facts, Value) -> Void
  ) {
    self.get = get
    self.set = set
  }
}

/// Whether facts satisfy a value: nil when the fact is not known.
typealias FactTest = @Sendable (borrowing Facts) -> Bool?

/// What a property's value looks like, and everything that follows from that: how it is compared with the fact, which
/// values say more than others, how the fact is written, and which facts satisfy a value or do not.
///
/// There is one type for each form. What is particular to one property is data of its entry.
protocol ValueForm: Sendable {
  /// How a value is read.
  var shape: PropertyName.Shape { get }

  /// What to write for the fact, for hints; nil when it is written as the value is.
  var factHint: String? { get }

  /// The test that a rule with this value makes.
  func test(_ value: PropertyValue) -> FactTest

  /// The test that a rule which denies makes as well: whether facts satisfy the value by which no rule allows. Nil where
  /// there are no such facts.
  func doubtedTest(_ value: PropertyValue) -> FactTest?

  /// Whether every fact that satisfies a value satisfies another, different value too.
  func implies(_ value: PropertyValue, _ other: PropertyValue) -> Bool

  /// Whether no fact satisfies both values; false where that is not certain.
  func excludes(_ left: PropertyValue, _ right: PropertyValue) -> Bool

  /// Whether the value is the fact: it says which one it was that satisfied it.
  func determinesFact(_ value: PropertyValue) -> Bool

  /// A fact, as text, that satisfies all values; nil when there is none, or none is found.
  ///
  /// - Parameter variant: which one, where the values leave a choice; any number.
  func satisfying(_ values: [PropertyValue], variant: Int) -> String?

  /// Facts, as text, that are known and do not satisfy the value: the value's complement by examples. Empty when every
  /// fact satisfies it.
  func failing(_ value: PropertyValue) -> [String]

  /// Known facts of which each combination of the values that any known fact satisfies has one at least; see
  /// ``PropertyName/samples(_:_:)``.
  func samples(_ values: [PropertyValue], _ effort: inout Int) -> [FactSample]?

  /// Values that some more facts satisfy, each the next in its direction, for tests of policies.
  ///
  /// - Parameter met: facts, as text, that the tests are about: where values have no end, those are what a wider one takes in.
  func wider(_ value: PropertyValue, met: [String]) -> [PropertyValue]

  /// The fact as text; nil when it is not known.
  func text(_ facts: borrowing Facts) -> String?

  /// The fact as it stands in JSON; nil when it is not known.
  func json(_ facts: borrowing Facts) -> JSONValue?

  /// Takes over a fact that is given as text; false when the text is none.
  func set(_ text: String, in facts: inout Facts) -> Bool

  /// The digests that rules are found by; nil for a form without digests.
  var digests: DigestFact? { get }
}

extension ValueForm {
  var factHint: String? { nil }
  var digests: DigestFact? { nil }
  func determinesFact(_ value: PropertyValue) -> Bool { false }
  func doubtedTest(_ value: PropertyValue) -> FactTest? { nil }
  func json(_ facts: borrowing Facts) -> JSONValue? { text(facts).map { .string($0) } }
}

/// A form whose values are the facts themselves: a rule names the one fact that satisfies it.
protocol IdentityForm: ValueForm {}

extension IdentityForm {
  func implies(_ value: PropertyValue, _ other: PropertyValue) -> Bool { false }
  func excludes(_ left: PropertyValue, _ right: PropertyValue) -> Bool { left != right }
  func determinesFact(_ value: PropertyValue) -> Bool { true }
  func satisfying(_ values: [PropertyValue], variant: Int) -> String? { values.onlyOne?.description }
  /// There is nothing between one fact and all.
  func wider(_ value: PropertyValue, met: [String]) -> [PropertyValue] { [] }
}

extension [PropertyValue] {
  /// The value that all of them are; nil when they differ.
  var onlyOne: PropertyValue? { allSatisfy { $0 == first } ? first : nil }
}

/// A test that a value of another form gets, which no parser makes: nothing is known to satisfy it.
let neverKnown: FactTest = { _ in nil }
