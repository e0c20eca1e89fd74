/// A path pattern; the fact is an absolute path.
struct PathForm: ValueForm {
  let fact: Fact<String>

  var shape: PropertyName.Shape { .pattern }
  var factHint: String? { "write an absolute path" }

  func test(_ value: PropertyValue) -> FactTest {
    guard case .pattern(let text) = value else { return neverKnown }
    let pattern = PathPattern(text)
    let get = fact.get
    return { facts in
      guard let known = get(facts) else { return nil }
      return pattern.matches(known)
    }
  }

  func implies(_ value: PropertyValue, _ other: PropertyValue) -> Bool {
    other == .pattern("**") || other == .pattern("/**")
  }
  func excludes(_ left: PropertyValue, _ right: PropertyValue) -> Bool { false }

  func satisfying(_ values: [PropertyValue], variant: Int) -> String? {
    let fillings = ["x", "zz9", "", "a.b"]
    let patterns = values.map { PathPattern($0.description) }
    let filling = fillings[variant % fillings.count]
    return patterns.map { $0.path(filling: filling) }.first { path in patterns.allSatisfy { $0.matches(path) } }
  }

  func failing(_ value: PropertyValue) -> [String] {
    let pattern = PathPattern(value.description)
    let matching = pattern.path(filling: "x")
    return ["/", "\(matching)/x", "\(matching)q", "/q\(matching)"].filter { !pattern.matches($0) }
  }

  func text(_ facts: borrowing Facts) -> String? { fact.get(facts) }

  func set(_ text: String, in facts: inout Facts) -> Bool {
    guard text.hasPrefix("/") else { return false }
    fact.set(&facts, text)
    return true
  }
}

/// Any text without blanks.
struct TextForm: IdentityForm {
  let fact: Fact<String>

  var shape: PropertyName.Shape { .text }

  func test(_ value: PropertyValue) -> FactTest {
    guard case .text(let wanted) = value else { return neverKnown }
    let get = fact.get
    return { facts in
      guard let known = get(facts) else { return nil }
      return known == wanted
    }
  }

  func failing(_ value: PropertyValue) -> [String] { [value.description + "-2"] }

  func samples(_ values: [PropertyValue], _ effort: inout Int) -> [FactSample]? {
    values.identities(another: values.anotherText("other"))
  }

  func text(_ facts: borrowing Facts) -> String? { fact.get(facts) }

  func set(_ text: String, in facts: inout Facts) -> Bool {
    fact.set(&facts, text)
    return true
  }
}
