internal import Base

/// `TRUE` or `FALSE`.
struct FlagForm: ValueForm {
  let fact: Fact<Bool>

  var shape: PropertyName.Shape { .flag }

  func test(_ value: PropertyValue) -> FactTest {
    guard case .flag(let wanted) = value else { return neverKnown }
    let get = fact.get
    return { facts in
      guard let known = get(facts) else { return nil }
      return known == wanted
    }
  }

  func implies(_ value: PropertyValue, _ other: PropertyValue) -> Bool { false }
  func excludes(_ left: PropertyValue, _ right: PropertyValue) -> Bool { left != right }
  func determinesFact(_ value: PropertyValue) -> Bool { true }

  func satisfying(_ values: [PropertyValue], variant: Int) -> String? { values.onlyOne?.description }

  func failing(_ value: PropertyValue) -> [String] { value == .flag(true) ? ["FALSE"] : ["TRUE"] }

  func text(_ facts: borrowing Facts) -> String? { fact.get(facts).map { $0 ? "TRUE" : "FALSE" } }
  func json(_ facts: borrowing Facts) -> JSONValue? { fact.get(facts).map { .bool($0) } }

  func set(_ text: String, in facts: inout Facts) -> Bool {
    guard text == "TRUE" || text == "FALSE" else { return false }
    fact.set(&facts, text == "TRUE")
    return true
  }
}

extension [PropertyValue] {
  /// The value that all of them are; nil when they differ.
  var onlyOne: PropertyValue? { allSatisfy { $0 == first } ? first : nil }
}
