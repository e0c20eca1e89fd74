internal import Base

/// How the digests of a fact are read, for the index of rules.
enum DigestFact: Sendable {
  case one(Fact<DigestLiteral>)
  /// Several at once, of which a rule names one; and those by which a rule denies and none allows.
  case several(Fact<[DigestLiteral]>, doubted: Fact<[DigestLiteral]>)

  /// Whether there may be others than those that are known.
  ///
  /// - Parameter isStrict: whether what is missing counts, see ``Condition``.
  func isOpen(_ facts: borrowing Facts, isStrict: Bool) -> Bool {
    switch self {
    case .one(let fact): fact.get(facts) == nil
    case .several(let fact, doubted: _): isStrict || fact.get(facts) == nil
    }
  }
}

/// `alg:hex`, of which there is one.
struct DigestForm: IdentityForm {
  /// The algorithms that the digest can have; nil for all that dm-verity has.
  let algorithms: [String]?
  let fact: Fact<DigestLiteral>

  var shape: PropertyName.Shape { .digest(algorithms: algorithms) }
  var digests: DigestFact? { .one(fact) }

  func test(_ value: PropertyValue) -> FactTest {
    guard case .digest(let wanted) = value else { return neverKnown }
    let get = fact.get
    return { facts in
      guard let known = get(facts) else { return nil }
      return known == wanted
    }
  }

  func failing(_ value: PropertyValue) -> [String] { value.otherDigest.map { [$0] } ?? [] }

  func samples(_ values: [PropertyValue], _ effort: inout Int) -> [FactSample]? {
    values.identities(another: values.anotherDigest)
  }

  func text(_ facts: borrowing Facts) -> String? { fact.get(facts)?.description }

  func set(_ text: String, in facts: inout Facts) -> Bool {
    guard let digest = DigestLiteral(text) else { return false }
    fact.set(&facts, digest)
    return true
  }
}

/// `sha256:hex`, of which there may be several: one of them is enough.
struct DigestSetForm: ValueForm {
  let fact: Fact<[DigestLiteral]>
  /// Digests like these by which a rule denies and none allows.
  let doubted: Fact<[DigestLiteral]>

  var shape: PropertyName.Shape { .digest(algorithms: ["sha256"]) }
  var digests: DigestFact? { .several(fact, doubted: doubted) }

  func test(_ value: PropertyValue) -> FactTest { Self.test(value, fact) }
  func doubtedTest(_ value: PropertyValue) -> FactTest? { Self.test(value, doubted) }

  private static func test(_ value: PropertyValue, _ fact: Fact<[DigestLiteral]>) -> FactTest {
    guard case .digest(let wanted) = value else { return neverKnown }
    let get = fact.get
    return { facts in
      guard let known = get(facts) else { return nil }
      return known.contains(wanted)
    }
  }

  func implies(_ value: PropertyValue, _ other: PropertyValue) -> Bool { false }
  func excludes(_ left: PropertyValue, _ right: PropertyValue) -> Bool { false }
  func determinesFact(_ value: PropertyValue) -> Bool { true }

  func satisfying(_ values: [PropertyValue], variant: Int) -> String? {
    Set(values.map { $0.description }).sorted().separated(by: ",")
  }
  func failing(_ value: PropertyValue) -> [String] { value.otherDigest.map { [$0] } ?? [] }

  /// Of one member: which of them there are is one question a value.
  func samples(_ values: [PropertyValue], _ effort: inout Int) -> [FactSample]? {
    values.identities(another: values.anotherDigest)
  }

  func text(_ facts: borrowing Facts) -> String? { fact.get(facts)?.map { $0.description }.separated(by: ",") }
  func json(_ facts: borrowing Facts) -> JSONValue? { .list(fact.get(facts)?.map { $0.description }) }

  func set(_ text: String, in facts: inout Facts) -> Bool {
    let parts = text.split(separator: ",")
    let digests = parts.compactMap { DigestLiteral(String($0)) }
    guard !parts.isEmpty, digests.count == parts.count else { return false }
    fact.set(&facts, digests)
    return true
  }
}

extension PropertyValue {
  /// Another digest of the same algorithm; nil for a value without digits.
  fileprivate var otherDigest: String? {
    guard case .digest(let digest) = self, let last = digest.bytes.last else { return nil }
    return DigestLiteral(algorithm: digest.algorithm, bytes: digest.bytes.dropLast() + [last ^ 1]).description
  }
}

extension JSONValue {
  /// An array of strings; nil for none.
  static func list(_ words: [String]?) -> JSONValue? { words.map { .array($0.map { .string($0) }) } }
}
