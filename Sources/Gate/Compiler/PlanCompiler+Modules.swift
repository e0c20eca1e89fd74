internal import Base
internal import Policy

// What becomes of the policy's rules about kernel modules.

extension PlanCompiler {
  /// Of a module the gate sees the volume that it is read from, and nothing else.
  mutating func planModules() -> [GatePlan.Rule] {
    var results: [GatePlan.Rule] = []
    var denial: PolicyDocument.Statement?
    for statement in request.policy.statements where statement.operation == .kmodule {
      switch statement.action {
      case .deny: if !statement.properties.allSatisfy({ $0.name == .dmverityRoothash }) { denial = denial ?? statement }
      case .allow:
        results.append(
          GatePlan.Rule(line: statement.line, text: statement.canonicalText, outcome: plan(modules: statement, denial)))
      }
    }
    return results
  }

  private mutating func plan(
    modules statement: PolicyDocument.Statement, _ denial: PolicyDocument.Statement?
  ) -> GatePlan.Outcome {
    guard let volume = statement.soleVolume, let rootHash = volume.digest else {
      return .leftOut("of a module the gate sees the dm-verity volume that it is read from, and nothing else")
    }
    if let denial {
      return .leftOut("line \(denial.line) denies modules by what the gate does not see")
    }
    var facts = Facts(operation: .kmodule)
    facts.dmverityRoothash = volume
    let decision = policy.decide(facts)
    guard decision.action == .allow else { return .leftOut(decision.summary) }
    if !rows.modules.contains(where: { $0.rootHash == rootHash }) {
      rows.modules.append(GateRows.ModuleRow(rootHash: rootHash, line: statement.line))
    }
    return .complete
  }
}

extension PolicyDocument.Statement {
  /// The root hash that is all it asks for.
  fileprivate var soleVolume: DigestLiteral? {
    guard properties.count == 1, let property = properties.first, property.name == .dmverityRoothash,
      case .digest(let literal) = property.value
    else { return nil }
    return literal
  }
}

extension DigestLiteral {
  /// The digest, where it is one that dm-verity makes.
  fileprivate var digest: Digest? {
    HashAlgorithm.allCases.first { Array($0.rawValue.utf8) == algorithm }.flatMap { Digest($0, bytes: bytes) }
  }
}
