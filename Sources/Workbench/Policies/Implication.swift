public import Policy

extension PolicyDocument.Statement {
  /// Whether every set of facts that this rule matches is matched by the other rule as well.
  public func isCovered(by other: PolicyDocument.Statement) -> Bool {
    operation == other.operation
      && other.properties.allSatisfy { wanted in properties.contains { $0.implies(wanted) } }
  }

  /// The properties that only themselves can imply: those that name one digest or one path.
  var keys: [PropertyKey] {
    properties.compactMap { property in
      let key = PropertyKey(name: property.name, value: property.value)
      if case .digest = property.value { return key }
      return property.value.isExclusive(for: property.name) ? key : nil
    }
  }
}

/// A property as a key of dictionaries.
struct PropertyKey: Hashable {
  let name: PropertyName
  let value: PropertyValue
}
