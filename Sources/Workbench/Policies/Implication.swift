public import Policy

extension PolicyDocument.Statement {
  /// Whether every set of facts that this rule matches is matched by the other rule as well.
  ///
  /// A DENY rule about BPF programs matches more than an ALLOW rule that asks for the same: what is not known, and what no
  /// rule allows by for a doubt. So an ALLOW rule covers it only by properties that are alike for both; and so it is with
  /// two ALLOW rules of which one takes certificates that are not valid today.
  public func isCovered(by other: PolicyDocument.Statement) -> Bool {
    // Most rules ask for different things, so what they ask for is compared first.
    guard operation == other.operation,
      other.properties.allSatisfy({ wanted in properties.contains { $0.implies(wanted) } })
    else { return false }
    let isAlike =
      operation != .bpfProgLoad || other.action == .deny || action == .allow && takesExpired == other.takesExpired
    return isAlike || other.properties.allSatisfy { $0.name.isAlikeForAllRules }
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
