public import Policy

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
