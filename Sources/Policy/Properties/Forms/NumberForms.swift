internal import Base

/// A lowest version; the fact is a version of one to four numbers with dots.
struct VersionForm: ValueForm {
  let fact: Fact<[UInt32]>

  var shape: PropertyName.Shape { .version }
  var factHint: String? { "write the version, for example 1.4.0" }

  func test(_ value: PropertyValue) -> FactTest {
    guard case .version(let wanted) = value else { return neverKnown }
    let get = fact.get
    return { facts in
      guard let known = get(facts) else { return nil }
      return Self.isAtLeast(known, wanted)
    }
  }

  func implies(_ value: PropertyValue, _ other: PropertyValue) -> Bool {
    guard case .version(let own) = value, case .version(let lower) = other else { return false }
    return Self.isAtLeast(own, lower)
  }
  func excludes(_ left: PropertyValue, _ right: PropertyValue) -> Bool { false }

  /// The highest minimum satisfies the others.
  func satisfying(_ values: [PropertyValue], variant: Int) -> String? {
    values.max { left, right in !implies(left, right) }?.description
  }

  func failing(_ value: PropertyValue) -> [String] { lower(value).map { [$0.description] } ?? [] }

  /// The next lower version of as many parts; nil below the lowest.
  func lower(_ value: PropertyValue) -> PropertyValue? {
    guard case .version(var parts) = value, let last = parts.lastIndex(where: { $0 > 0 }) else { return nil }
    parts[last] -= 1
    return .version(parts)
  }

  /// Each minimum, and what is below all of them.
  func samples(_ values: [PropertyValue], _ effort: inout Int) -> [FactSample]? {
    var bounds: [(place: Int, parts: [UInt32])] = []
    for (place, value) in values.enumerated() {
      if case .version(let parts) = value { bounds.append((place, parts)) }
    }
    // Most policies have one minimum or two; each satisfies those that are not above it.
    bounds.sort { left, right in !Self.isAtLeast(left.parts, right.parts) }
    effort -= bounds.count * bounds.count
    if effort < 0 { return nil }
    let met = bounds.map { bound in
      FactSample(
        PropertyValue.version(bound.parts).description,
        bounds.filter { Self.isAtLeast(bound.parts, $0.parts) }.map { $0.place }.sorted())
    }
    return [FactSample("0", bounds.filter { Self.isAtLeast([0], $0.parts) }.map { $0.place }.sorted())] + met
  }

  func text(_ facts: borrowing Facts) -> String? { fact.get(facts).map { PropertyValue.version($0).description } }

  func set(_ text: String, in facts: inout Facts) -> Bool {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { PolicyParser.number($0) }
    guard numbers.count == parts.count, (1...4).contains(numbers.count) else { return false }
    fact.set(&facts, numbers)
    return true
  }

  /// Whether a version is not below another; missing parts are zero.
  private static func isAtLeast(_ version: [UInt32], _ minimum: [UInt32]) -> Bool {
    for index in 0..<max(version.count, minimum.count) {
      let left = index < version.count ? version[index] : 0
      let right = index < minimum.count ? minimum[index] : 0
      if left != right { return left > right }
    }
    return true
  }
}

/// One or more numbers, of which the fact is one.
struct NumberForm: ValueForm {
  let fact: Fact<UInt32>

  var shape: PropertyName.Shape { .numbers }
  var factHint: String? { "write one number" }

  func test(_ value: PropertyValue) -> FactTest {
    guard case .numbers(let wanted) = value else { return neverKnown }
    let get = fact.get
    return { facts in
      guard let known = get(facts) else { return nil }
      return wanted.contains(known)
    }
  }

  func implies(_ value: PropertyValue, _ other: PropertyValue) -> Bool {
    guard case .numbers(let own) = value, case .numbers(let wider) = other else { return false }
    return Set(own).isSubset(of: wider)
  }

  func excludes(_ left: PropertyValue, _ right: PropertyValue) -> Bool {
    guard case .numbers(let left) = left, case .numbers(let right) = right else { return false }
    return Set(left).isDisjoint(with: right)
  }

  func satisfying(_ values: [PropertyValue], variant: Int) -> String? {
    var common: [UInt32]?
    for case .numbers(let numbers) in values { common = common?.filter { numbers.contains($0) } ?? numbers }
    guard let common, !common.isEmpty else { return nil }
    return String(common[variant % common.count])
  }

  func failing(_ value: PropertyValue) -> [String] {
    guard case .numbers(let wanted) = value else { return [] }
    return (0...UInt32(clamping: wanted.count)).first { !wanted.contains($0) }.map { [String($0)] } ?? []
  }

  /// Each number that is listed, and one that is not.
  func samples(_ values: [PropertyValue], _ effort: inout Int) -> [FactSample]? {
    var lists: [UInt32: [Int]] = [:]
    var order: [UInt32] = []
    for (place, value) in values.enumerated() {
      guard case .numbers(let numbers) = value else { continue }
      effort -= numbers.count
      for number in numbers where lists[number]?.last != place {
        if lists[number] == nil { order.append(number) }
        lists[number, default: []].append(place)
      }
    }
    let other = (0...UInt32(clamping: lists.count)).first { lists[$0] == nil }
    return order.map { FactSample(String($0), lists[$0] ?? []) } + (other.map { [FactSample(String($0), [])] } ?? [])
  }

  func text(_ facts: borrowing Facts) -> String? { fact.get(facts).map { String($0) } }
  func json(_ facts: borrowing Facts) -> JSONValue? { fact.get(facts).map { .unsigned(UInt64($0)) } }

  func set(_ text: String, in facts: inout Facts) -> Bool {
    guard let number = PolicyParser.number(text[...]) else { return false }
    fact.set(&facts, number)
    return true
  }
}
