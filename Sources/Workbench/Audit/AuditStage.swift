public import Base

/// Which step of a load a record is of, or that it is the gate's: `stage` in `docs/audit.md`.
public enum AuditStage: String, CaseIterable, Sendable {
  /// It was asked for. Nothing is read yet.
  case attempt
  /// What the policy said.
  case decision
  /// What came of it.
  case outcome
  /// What the kernel's gate answered, whatever process asked.
  case gate

  /// The member that says so.
  public var member: JSONValue.Member { .init("stage", .string(rawValue)) }
}

/// The stage that a record states.
public enum StatedStage: Equatable, Sendable {
  case known(AuditStage)
  /// A newer version's.
  case unknown(String)
  /// It states none, and so is no record.
  case missing

  public init(of record: JSONValue) {
    guard case .string(let word)? = record["stage"] else {
      self = .missing
      return
    }
    self = AuditStage(rawValue: word).map { .known($0) } ?? .unknown(word)
  }
}
