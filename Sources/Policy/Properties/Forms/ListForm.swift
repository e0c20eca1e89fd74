internal import Base

/// One or more of the kernel's words; the fact is a list, and all of it is among them.
struct ListForm: ValueForm {
  /// The words that a rule can list.
  let known: @Sendable () -> [String]
  let fact: Fact<[String]>

  var shape: PropertyName.Shape { .words(known()) }

  func test(_ value: PropertyValue) -> FactTest {
    guard case .words(let wanted) = value else { return neverKnown }
    let get = fact.get
    // There is at least one: a list that says nothing is of no listed kind.
    return { facts in
      guard let known = get(facts) else { return nil }
      return !known.isEmpty && known.allSatisfy { wanted.contains($0) }
    }
  }

  func implies(_ value: PropertyValue, _ other: PropertyValue) -> Bool { value.isSubset(of: other) }
  func excludes(_ left: PropertyValue, _ right: PropertyValue) -> Bool { left.isDisjoint(with: right) }

  func satisfying(_ values: [PropertyValue], variant: Int) -> String? {
    let common = values.commonWords
    return common.isEmpty ? nil : common[variant % common.count]
  }

  func failing(_ value: PropertyValue) -> [String] {
    guard case .words(let wanted) = value, let first = wanted.first,
      let other = known().first(where: { !wanted.contains($0) })
    else { return [""] }
    return [other, "\(first),\(other)", ""]
  }

  /// A list that is in several rules' lists is in what these have in common. One word that no list has is in none.
  func samples(_ values: [PropertyValue], _ effort: inout Int) -> [FactSample]? {
    guard let common = values.commonLists(&effort) else { return nil }
    var listed: Set<String> = []
    for case .words(let words) in values { listed.formUnion(words) }
    let other = known().first { !listed.contains($0) } ?? String(UInt32.max)
    return tested(common.map { $0.separated(by: ",") } + [other], values, &effort)
  }

  func text(_ facts: borrowing Facts) -> String? { fact.get(facts)?.separated(by: ",") }
  func json(_ facts: borrowing Facts) -> JSONValue? { .list(fact.get(facts)) }

  /// Takes numbers too: kinds of programs that have no name here.
  func set(_ text: String, in facts: inout Facts) -> Bool {
    let words = text.listedWords
    let known = known()
    guard words.allSatisfy({ known.contains($0) || UInt32($0) != nil }) else { return false }
    fact.set(&facts, words)
    return true
  }
}

/// Helper names; the programs call nothing outside of the list.
struct HelperForm: ValueForm {
  let fact: Fact<[String]>

  var shape: PropertyName.Shape { .helpers }

  func test(_ value: PropertyValue) -> FactTest {
    guard case .words(let wanted) = value else { return neverKnown }
    let get = fact.get
    // Programs that call nothing call nothing outside of the list.
    return { facts in
      guard let known = get(facts) else { return nil }
      return known.allSatisfy { wanted.contains($0) }
    }
  }

  func implies(_ value: PropertyValue, _ other: PropertyValue) -> Bool { value.isSubset(of: other) }
  func excludes(_ left: PropertyValue, _ right: PropertyValue) -> Bool { false }

  func satisfying(_ values: [PropertyValue], variant: Int) -> String? {
    variant == 0 ? values.commonWords.separated(by: ",") : ""
  }

  func failing(_ value: PropertyValue) -> [String] {
    guard case .words(let wanted) = value else { return [] }
    let other = wanted.contains("probe_write_user") ? wanted.separated(by: "_") : "probe_write_user"
    return [other, (wanted + [other]).separated(by: ",")]
  }

  /// As for other lists; no helpers at all are in each.
  func samples(_ values: [PropertyValue], _ effort: inout Int) -> [FactSample]? {
    guard let common = values.commonLists(&effort) else { return nil }
    var listed: [PropertyValue] = []
    for case .words(let words) in values { listed += words.map { .text($0) } }
    let other = listed.anotherText("other")
    return tested([""] + common.map { $0.separated(by: ",") } + [other], values, &effort)
  }

  func text(_ facts: borrowing Facts) -> String? { fact.get(facts)?.separated(by: ",") }
  func json(_ facts: borrowing Facts) -> JSONValue? { .list(fact.get(facts)) }

  func set(_ text: String, in facts: inout Facts) -> Bool {
    fact.set(&facts, text.listedWords.map { $0.hasPrefix("bpf_") ? String($0.dropFirst(4)) : $0 })
    return true
  }
}

extension String {
  /// The words of a list with commas; none for an empty text.
  fileprivate var listedWords: [String] {
    isEmpty ? [] : split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
  }
}

extension PropertyValue {
  /// Whether a list of words holds nothing that the other does not.
  func isSubset(of other: PropertyValue) -> Bool {
    guard case .words(let own) = self, case .words(let wider) = other else { return false }
    return Set(own).isSubset(of: wider)
  }

  /// Whether two lists of words have nothing in common.
  func isDisjoint(with other: PropertyValue) -> Bool {
    guard case .words(let own) = self, case .words(let others) = other else { return false }
    return Set(own).isDisjoint(with: others)
  }
}

extension [PropertyValue] {
  /// The words that all lists have, in the order of the first.
  var commonWords: [String] {
    var common: [String]?
    for case .words(let words) in self { common = common?.filter { words.contains($0) } ?? words }
    return common ?? []
  }
}
