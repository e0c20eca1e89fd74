/// Whether a fact satisfies a property.
public enum Outcome: String, Sendable {
  case holds
  case fails
  /// It is not known. A rule that allows does not match; one that denies BPF programs stands in the way of every later
  /// ALLOW. (For the kernel's own operations it does not match either, as in IPE.)
  case unknown
  /// The fact satisfies it, and no rule may allow by that: the volume is in doubt, or the certificate is not valid now.
  case doubted

  /// Of two properties of one rule: what becomes of both together.
  func and(_ other: Outcome) -> Outcome {
    switch (self, other) {
    case (.fails, _), (_, .fails): .fails
    case (.unknown, _), (_, .unknown): .unknown
    case (.doubted, _), (_, .doubted): .doubted
    case (.holds, .holds): .holds
    }
  }
}

/// One property of a rule, made ready for evaluation.
///
/// Three-valued, because what is asked about chooses what evidence is there: a rule that allows BPF programs holds only
/// by evidence that is there, and one that denies them fails only by such. Taking evidence away can then make a DENY out of
/// an ALLOW, and never the other way round.
package struct Condition: Sendable {
  private let test: @Sendable (borrowing Facts) -> Outcome

  /// - Parameter statement: the rule that the property is of.
  package init(_ property: PolicyDocument.Property, of statement: PolicyDocument.Statement) {
    guard statement.isStrict else {
      test = Self.kernels(property)
      return
    }
    switch statement.action {
    case .allow: test = Self.allowing(property, takesExpired: statement.takesExpired)
    case .deny: test = Self.denying(property)
    }
  }

  /// Whether the facts satisfy the property.
  package func outcome(_ facts: borrowing Facts) -> Outcome { test(facts) }

  /// As IPE has it: what is not known satisfies nothing.
  private static func kernels(_ property: PolicyDocument.Property) -> @Sendable (borrowing Facts) -> Outcome {
    let plain = property.name.entry.form.test(property.value)
    return { facts in
      switch plain(facts) {
      case true?: .holds
      case false?: .fails
      case nil: .unknown
      }
    }
  }

  private static func allowing(
    _ property: PolicyDocument.Property, takesExpired: Bool
  ) -> @Sendable (borrowing Facts) -> Outcome {
    let entry = property.name.entry
    let plain = entry.form.test(property.value)
    let doubted = entry.form.doubtedTest(property.value)
    let isVoid = takesExpired ? nil : entry.isVoid
    // That evidence is missing allows nothing, unless verified bytes say that there is none.
    let wantsSettled = property.asksForAbsence ? property.name : nil
    let isAboutVolume = entry.isAboutVolume
    return { facts in
      let holds = plain(facts)
      if holds == true {
        if let wantsSettled, !facts.settled.contains(wantsSettled) { return .unknown }
        if isAboutVolume, !facts.doubts.isEmpty { return .doubted }
        if let isVoid, isVoid(facts) { return .doubted }
        return .holds
      }
      if let doubted, doubted(facts) == true { return .doubted }
      return holds == nil ? .unknown : .fails
    }
  }

  private static func denying(_ property: PolicyDocument.Property) -> @Sendable (borrowing Facts) -> Outcome {
    let (name, entry) = (property.name, property.name.entry)
    let plain = entry.form.test(property.value)
    let doubted = entry.form.doubtedTest(property.value)
    let asksForAbsence = property.asksForAbsence
    let isGiven = name.isGiven
    // Whether facts that are known could be others if nothing were missing.
    let couldBeOthers: @Sendable (borrowing Facts) -> Bool
    switch entry.absence {
    case .impossible, .given, .unknown: couldBeOthers = { _ in false }
    case .fewer: couldBeOthers = { _ in true }
    case .values(let values):
      let absent = values.map { entry.form.test($0) }
      couldBeOthers = { facts in
        for test in absent where test(facts) == true { return true }
        return false
      }
    }
    return { facts in
      let holds = plain(facts)
      if holds == true { return .holds }
      if let doubted, doubted(facts) == true { return .holds }
      guard holds == nil && !isGiven || couldBeOthers(facts) else { return .fails }
      // Where nothing is missing, and the rule does not ask for just that.
      return facts.settled.contains(name) && !asksForAbsence ? .fails : .unknown
    }
  }
}

extension PolicyDocument.Statement {
  /// Whether it is about the loading of BPF programs, where what is not known counts as the worst. The kernel decides
  /// about its own operations, and what it does not know satisfies nothing.
  package var isStrict: Bool { operation == .bpfProgLoad }

  /// Whether the rule speaks of signatures by certificates that are not valid today.
  public var takesExpired: Bool {
    properties.contains { $0.name == .bpfSignature && $0.value == .word(SignatureVerdict.expired.rawValue) }
  }
}
