public import Policy

extension PolicyDocument.Property {
  /// Whether every fact that satisfies this property satisfies the other one too.
  public func implies(_ other: PolicyDocument.Property) -> Bool {
    guard name == other.name else { return false }
    if value == other.value { return true }
    switch (value, other.value) {
    case (.words(let own), .words(let wider)): return Set(own).isSubset(of: wider)
    case (.numbers(let own), .numbers(let wider)): return Set(own).isSubset(of: wider)
    case (.version(let own), .version(let lower)): return Self.isAtLeast(own, lower)
    case (.pattern, .pattern(let wider)): return wider == "**" || wider == "/**"
    case (.word(let own), .word(let weaker)): return Self.isAtLeast(own, weaker, of: name)
    default: return false
    }
  }

  private static func isAtLeast(_ version: [UInt32], _ lower: [UInt32]) -> Bool {
    for index in 0..<max(version.count, lower.count) {
      let left = index < version.count ? version[index] : 0
      let right = index < lower.count ? lower[index] : 0
      if left != right { return left > right }
    }
    return true
  }

  private static func isAtLeast(_ word: String, _ weaker: String, of name: PropertyName) -> Bool {
    switch name {
    case .lockdown:
      guard case .word(let order) = name.shape, let left = order.firstIndex(of: word),
        let right = order.firstIndex(of: weaker)
      else { return false }
      return left >= right
    case .reads:
      guard case .word(let order) = name.shape, let left = order.firstIndex(of: word),
        let right = order.firstIndex(of: weaker)
      else { return false }
      return left <= right
    case .programClass: return word == "RESTRICTED"
    case .witness, .signatureSource: return word == "BOTH"
    case .bpfSignature:
      let verified = ["OK", "VERIFIED"]
      return verified.contains(weaker) && (verified.contains(word) || word == "METADATA_VERIFIED")
    default: return false
    }
  }
}

extension PolicyDocument.Statement {
  /// Whether every set of facts that this rule matches is matched by the other rule as well.
  public func isCovered(by other: PolicyDocument.Statement) -> Bool {
    operation == other.operation
      && other.properties.allSatisfy { wanted in properties.contains { $0.implies(wanted) } }
  }

  /// The properties that name one digest, which can only be implied by themselves.
  var digestProperties: [(name: PropertyName, digest: DigestLiteral)] {
    properties.compactMap { property in
      if case .digest(let digest) = property.value { (property.name, digest) } else { nil }
    }
  }
}
