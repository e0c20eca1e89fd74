internal import Base
internal import Policy

// What becomes of the policy's rules.

extension PlanCompiler {
  mutating func planRules() -> [GatePlan.Rule] {
    var results: [GatePlan.Rule] = []
    if !policy.header.enforcing {
      let start = request.policy.text.position(of: Int(policy.header.nameRange.start))
      results.append(
        GatePlan.Rule(
          line: start.line, text: "x_enforcing=FALSE",
          outcome: .leftOut("what this policy denies happens all the same, and the gate refuses what no row admits")))
    }
    let enforcement = request.policy.enforcement
    for statement in request.policy.statements
    where statement.operation == .bpfProgLoad && statement.enforcing == false {
      results.append(
        GatePlan.Rule(
          line: statement.line, text: statement.canonicalText,
          outcome: .leftOut(
            enforcement.watches(statement)
              ? "what this rule denies happens all the same, and the gate refuses what no row admits"
              : "what this operation denies happens all the same, and the gate refuses what no row admits")))
    }
    // The default of all operations is none for one that has its own.
    let hasOwnDefault = request.policy.statements.contains { $0.kind == .fallback && $0.operation == .bpfProgLoad }
    for statement in request.policy.statements
    where statement.allowsPrograms && !(hasOwnDefault && statement.operation == nil) {
      results.append(
        GatePlan.Rule(line: statement.line, text: statement.canonicalText, outcome: plan(statement)))
    }
    return results
  }

  private mutating func plan(_ statement: PolicyDocument.Statement) -> GatePlan.Outcome {
    var reasons: [String] = []
    var hasRows = false
    if statement.isForRows {
      let direct = planDirect(statement)
      switch direct {
      case .complete: return .complete
      case .narrower(let reason):
        hasRows = true
        reasons.append(reason)
      case .leftOut(let reason): reasons.append(reason)
      }
    } else if statement.kind == .fallback {
      reasons.append("it allows whatever no rule denies, and rows admit what they name")
    }
    switch request.mode {
    case .loader:
      // No loader loads what has no object.
      guard !statement.isAboutGenerators else { break }
      // A loader knows its own executable, and judges by the rule where it is the one.
      guard !statement.namesExecutable || request.loaders.contains(where: { statement.mayBeMeant($0) }) else {
        if !statement.isForRows {
          reasons.append("it asks for what only a loader knows, of an executable that is none")
        }
        break
      }
      guard !request.loaders.isEmpty else {
        reasons.append("no executable judges by it: name the loader with --loader")
        break
      }
      if reasons.isEmpty { return .complete }
      reasons.append("what it allows else is loaded by the loader alone")
      hasRows = true
    case .digests:
      guard linesWithDigests.contains(statement.line) || allowsAdmitted(statement) else {
        if !statement.isForRows, statement.kind == .rule { reasons.append(whyNoProgram(statement)) }
        break
      }
      guard !request.loaders.isEmpty else {
        reasons.append("its programs have rows, and no executable may load them: name the loader with --loader")
        break
      }
      if statement.namesOneObject { return reasons.isEmpty ? .complete : .narrower(reasons.joined(separator: "; ")) }
      reasons.append("programs of images that were not given have no rows")
      hasRows = true
    }
    let reason = reasons.joined(separator: "; ")
    return hasRows ? .narrower(reason) : .leftOut(reason)
  }

  /// Whether the rule alone would allow a program that has a row by an earlier one.
  private mutating func allowsAdmitted(_ statement: PolicyDocument.Statement) -> Bool {
    guard statement.kind == .rule, statement.knownAtLoad.isEmpty, !admitted.isEmpty else { return false }
    for property in statement.properties where property.name == .dmverityRoothash {
      // A policy may have a hundred thousand rules about other volumes.
      guard request.images.contains(where: { property.value == .digest(DigestLiteral($0.rootHash)) }) else {
        return false
      }
    }
    let text = "policy_name=one policy_version=1.0.0\nDEFAULT action=DENY\n\(statement.canonicalText)\n"
    guard let alone = try? CompiledPolicy(PolicyDocument.parse(Array(text.utf8), dialect: .verityBPF)) else {
      return false
    }
    guard programsTried + admitted.count <= Self.programLimit else {
      isEveryProgramTried = false
      return false
    }
    programsTried += admitted.count
    return admitted.contains { alone.decide($0).action == .allow }
  }

  /// How often programs are held against rules that did not decide about them, in all.
  private static let programLimit = 1 << 20

  private func whyNoProgram(_ statement: PolicyDocument.Statement) -> String {
    let unknown = statement.knownAtLoad
    guard unknown.isEmpty else {
      return "only when an object is loaded is it known what it asks of \(unknown.joined(separator: ", "))"
    }
    guard isEveryProgramTried else {
      return "it decides about no program of the images; there are too many rules and programs to say whether it would"
    }
    return "no program of the images is allowed by it"
  }

  /// Rows for a rule of which rows can say everything.
  private mutating func planDirect(_ statement: PolicyDocument.Statement) -> GatePlan.Outcome {
    guard statement.namesExecutable else { return planClass(statement) }
    if statement.isAboutGenerators, !statement.namesOneExecutable {
      return .leftOut(
        "a generator is named by its volume and its bytes: x_requester_dmverity_roothash and x_requester_object")
    }
    var reasons: [String] = []
    var count = 0
    for executable in request.executables where statement.mayBeMeant(executable) {
      let answer = direct.answer(to: statement, by: executable)
      if let refusal = answer.refusal { reasons.append("\(executable.path) of \(executable.image): \(refusal)") }
      guard let scope = answer.scope else { continue }
      rows.executables.append(GateRows.ExecutableRow(executable, .programs(scope, line: statement.line)))
      if scope.helpers != nil { reasons.append(Self.listedHelpers) }
      count += 1
    }
    guard count > 0 else {
      return .leftOut(
        reasons.isEmpty
          ? "no executable that was given is the one it names: name it with --executable"
          : reasons.joined(separator: "; "))
    }
    // Another file of the volume may have the same bytes.
    reasons.append("executables that were not given have no rows")
    return .narrower(reasons.joined(separator: "; "))
  }

  /// A row for every process. It is for programs that do no harm, so that types and helpers have to be named.
  private mutating func planClass(_ statement: PolicyDocument.Statement) -> GatePlan.Outcome {
    guard statement.words(of: .programType) != nil, statement.words(of: .helpers) != nil else {
      return .leftOut("it lets every process load: a row for that needs lists in x_prog_type and x_helpers")
    }
    let answer = direct.answer(to: statement, by: nil)
    guard let scope = answer.scope else { return .leftOut(answer.refusal ?? "it is about no program") }
    rows.classes.append(GateRows.ClassRow(scope, line: statement.line))
    return .narrower([answer.refusal, Self.listedHelpers].compactMap { $0 }.joined(separator: "; "))
  }

  private static let listedHelpers =
    "programs that call functions of the kernel, which no list of helpers names, have none"
}

extension PolicyDocument.Statement {
  /// Whether nothing that the rule says of executables fails for this one.
  fileprivate func mayBeMeant(_ executable: Executable) -> Bool {
    properties.allSatisfy { property in
      switch PropertyUse(property) {
      case .executable:
        property.value
          == .digest(
            DigestLiteral(property.name == .requesterObject ? executable.digest : executable.identity.rootHash))
      case .row, .plan, .load: true
      }
    }
  }

  /// Whether it names one file of one volume.
  fileprivate var namesOneExecutable: Bool {
    properties.contains { $0.name == .requesterRoothash } && properties.contains { $0.name == .requesterObject }
  }

  /// Whether it names the image or object that its programs are of.
  fileprivate var namesOneObject: Bool {
    properties.contains { $0.name == .dmverityRoothash }
  }
}
