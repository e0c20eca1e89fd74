/// Whether a fact satisfies a property.
public enum Outcome: String, Sendable {
  case holds
  case fails
  /// The fact is not known; to a rule this is the same as ``fails``.
  case unknown

  init(_ holds: Bool?) {
    switch holds {
    case true?: self = .holds
    case false?: self = .fails
    case nil: self = .unknown
    }
  }
}

/// One property of a rule, made ready for evaluation.
struct Condition: Sendable {
  let property: PolicyDocument.Property
  private let test: Test

  private enum Test: Sendable {
    case flag(Bool)
    case digest(DigestLiteral)
    case verdict(SignatureVerdict)
    /// An expired signature is in no keyring, but for a rule that takes such.
    case keyring(Keyring, takesExpired: Bool)
    case witnesses(Witnesses)
    case lockdown(LockdownMode)
    case programClass(ProgramClass)
    case reads(KernelReads)
    case words([String])
    case pattern(PathPattern)
    case text(String)
    case numbers([UInt32])
    /// A word that this engine has no meaning for: satisfied by nothing.
    case nothing
  }

  /// - Parameter statement: the rule that the property is of.
  init(_ property: PolicyDocument.Property, of statement: PolicyDocument.Statement) {
    self.property = property
    test =
      switch property.value {
      case .flag(let value): .flag(value)
      case .digest(let value): .digest(value)
      case .words(let values): .words(values)
      case .pattern(let value): .pattern(PathPattern(value))
      case .text(let value): .text(value)
      case .numbers(let values), .version(let values): .numbers(values)
      case .word(let word):
        switch property.name {
        case .bpfSignature: SignatureVerdict(rawValue: word).map { .verdict($0) } ?? .nothing
        case .bpfKeyring:
          Keyring(rawValue: word).map { .keyring($0, takesExpired: statement.takesExpired) } ?? .nothing
        case .lockdown: LockdownMode(rawValue: word).map { .lockdown($0) } ?? .nothing
        case .programClass: ProgramClass(rawValue: word).map { .programClass($0) } ?? .nothing
        case .reads: KernelReads(rawValue: word).map { .reads($0) } ?? .nothing
        case .witness, .signatureSource: Witnesses(word: word).map { .witnesses($0) } ?? .nothing
        default: .nothing
        }
      }
  }

  /// Whether the facts satisfy the property.
  func outcome(_ facts: borrowing Facts) -> Outcome {
    let holds: Bool? =
      switch test {
      case .flag(let wanted): flag(facts).map { $0 == wanted }
      case .digest(let wanted):
        property.name == .signer
          ? (facts.signers.isEmpty ? nil : facts.signers.contains(wanted))
          : facts.digest(property.name).map { $0 == wanted }
      case .verdict(let wanted): facts.bpfSignature.map { $0.satisfies(wanted) }
      case .keyring(let wanted, let takesExpired):
        facts.bpfKeyring.map { $0 == wanted && (takesExpired || facts.bpfSignature != .expired) }
      case .lockdown(let wanted): facts.lockdown.map { $0 >= wanted }
      // What is restricted does nothing that a full program may not do.
      case .programClass(let wanted): facts.programClass.map { wanted == .full || $0 == wanted }
      // Who reads less may do what is allowed to those who read more.
      case .reads(let wanted): facts.reads.map { $0 <= wanted }
      case .witnesses(let wanted):
        (property.name == .witness ? facts.witnesses : facts.signatureSources).map { $0.isSuperset(of: wanted) }
      case .words(let wanted): words(wanted, facts)
      case .pattern(let pattern):
        (property.name == .path ? facts.path : facts.requesterPath).map { pattern.matches($0) }
      case .text(let wanted): facts.imageName.map { $0 == wanted }
      case .numbers(let wanted): numbers(wanted, facts)
      case .nothing: nil
      }
    return Outcome(holds)
  }

  private func flag(_ facts: borrowing Facts) -> Bool? {
    switch property.name {
    case .bootVerified: facts.bootVerified
    case .dmveritySignature: facts.dmveritySignature
    case .fsveritySignature: facts.fsveritySignature
    case .bpfKernel: facts.bpfKernel
    case .requesterSignature: facts.requesterSignature
    default: nil
    }
  }

  private func words(_ wanted: [String], _ facts: borrowing Facts) -> Bool? {
    switch property.name {
    case .dmverityMode: facts.dmverityMode.map { wanted.contains($0.rawValue) }
    // All programs, and there is at least one, are of the types that the rule lists.
    case .programType: facts.programTypes.map { !$0.isEmpty && $0.allSatisfy { wanted.contains($0) } }
    case .attachType: facts.attachTypes.map { !$0.isEmpty && $0.allSatisfy { wanted.contains($0) } }
    // Programs that call nothing call nothing outside the list.
    case .helpers: facts.helpers.map { $0.allSatisfy { wanted.contains($0) } }
    default: nil
    }
  }

  private func numbers(_ wanted: [UInt32], _ facts: borrowing Facts) -> Bool? {
    switch property.name {
    case .requesterUID: facts.requesterUID.map { wanted.contains($0) }
    case .requesterGID: facts.requesterGID.map { wanted.contains($0) }
    case .imageVersionMin: facts.imageVersion.map { Self.isAtLeast($0, wanted) }
    default: nil
    }
  }

  /// Whether a version is not below another; missing parts are zero.
  static func isAtLeast(_ version: [UInt32], _ minimum: [UInt32]) -> Bool {
    for index in 0..<max(version.count, minimum.count) {
      let left = index < version.count ? version[index] : 0
      let right = index < minimum.count ? minimum[index] : 0
      if left != right { return left > right }
    }
    return true
  }
}

extension PolicyDocument.Statement {
  /// Whether the rule speaks of signatures by certificates that are not valid today: one that names them, or one that
  /// keeps out.
  fileprivate var takesExpired: Bool {
    action == .deny
      || properties.contains { $0.name == .bpfSignature && $0.value == .word(SignatureVerdict.expired.rawValue) }
  }
}

extension Facts {
  /// The one digest that a property of that name is compared with.
  func digest(_ name: PropertyName) -> DigestLiteral? {
    switch name {
    case .dmverityRoothash: dmverityRoothash
    case .fsverityDigest: fsverityDigest
    case .object: object
    case .requesterObject: requesterObject
    case .requesterRoothash: requesterRoothash
    default: nil
    }
  }
}
