internal import Base

/// `TRUE` or `FALSE`.
struct FlagForm: IdentityForm {
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

  func failing(_ value: PropertyValue) -> [String] { value == .flag(true) ? ["FALSE"] : ["TRUE"] }

  func samples(_ values: [PropertyValue], _ effort: inout Int) -> [FactSample]? {
    tested(["TRUE", "FALSE"], values, &effort)
  }

  func text(_ facts: borrowing Facts) -> String? { fact.get(facts).map { $0 ? "TRUE" : "FALSE" } }
  func json(_ facts: borrowing Facts) -> JSONValue? { fact.get(facts).map { .bool($0) } }

  func set(_ text: String, in facts: inout Facts) -> Bool {
    guard text == "TRUE" || text == "FALSE" else { return false }
    fact.set(&facts, text == "TRUE")
    return true
  }
}
