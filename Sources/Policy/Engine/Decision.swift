/// What a policy says to one set of facts, and by which of its lines.
public struct Decision: Sendable {
  /// What the deciding line says.
  public let action: Action
  /// False for a denial that is only recorded, and for what is allowed where such denials are: what nothing allows happens
  /// there all the same.
  public private(set) var enforcing: Bool
  public let reason: Reason
  /// The DENY rules before the deciding line of which nothing fails and something is not known.
  public let unknownDenials: UnknownDenials
  private let statements: CompiledPolicy.Statements
  private let place: UInt32?
  /// The deciding line of the other view, see ``watchedStatement`` and ``lettingStatement``.
  private var otherPlace: UInt32?

  /// Which kind of line decided.
  public enum Reason: String, Sendable {
    /// The first rule whose properties all hold.
    case rule
    /// No rule matched: the operation's own DEFAULT.
    case operationDefault = "operation-default"
    /// No rule matched, and the operation has no default of its own: the DEFAULT for all.
    case globalDefault = "global-default"
    /// The policy has no line for this operation. The kernel would allow it and warn; here it is denied.
    case noDefault = "no-default"
    /// An ALLOW follows, and a DENY rule before it is not known to fail: what it asks for may only be missing.
    case notRuledOut = "not-ruled-out"
    /// The kernel alone vouches for the bytes, and no rule that allows them says that this is enough.
    case kernelAlone = "kernel-alone"
    /// There is no program to decide about.
    case nothingToJudge = "nothing-to-judge"
    /// The facts are about other bytes than the permit would be for.
    case otherObject = "other-object"
    /// The policy is of the kernel's dialect, which does not know the loading of BPF programs.
    case otherDialect = "other-dialect"

    /// Whether a DEFAULT decided.
    public var isDefault: Bool { self == .operationDefault || self == .globalDefault }
  }

  init(
    action: Action, enforcing: Bool, reason: Reason, statements: CompiledPolicy.Statements, place: UInt32? = nil,
    unknownDenials: UnknownDenials = .none
  ) {
    self.action = action
    self.enforcing = enforcing
    self.reason = reason
    self.statements = statements
    self.place = place
    self.unknownDenials = unknownDenials
  }

  /// The line that decided; nil when there was none.
  public var statement: PolicyDocument.Statement? { place.map { statements.all[Int($0)] } }
  /// Its number in the policy's text, from 1.
  public var line: Int? { statement?.line }
  /// Its text in the canonical form, `DEFAULT action=DENY` for a default; empty when there was none.
  public var ruleText: String { statement?.canonicalText ?? "" }
  /// Whether the thing may happen: it is allowed, or the policy only watches.
  public var lets: Bool { action == .allow || !enforcing }

  /// The line that would have denied before the deciding one did, and only records; nil when there is none.
  public var watchedStatement: PolicyDocument.Statement? { action == .deny && enforcing ? otherStatement : nil }
  /// Of a denial that is only recorded, the line by which it happens; nil when nothing but the policy's trial mode lets it.
  public var lettingStatement: PolicyDocument.Statement? {
    guard action == .deny, !enforcing, let other = otherStatement, other.action == .allow else { return nil }
    return other
  }
  private var otherStatement: PolicyDocument.Statement? { otherPlace.map { statements.all[Int($0)] } }

  /// The same denial, where an earlier line would have denied and is not enforced.
  func passing(_ stated: Decision) -> Decision {
    var decision = self
    if stated.place != place { decision.otherPlace = stated.place }
    return decision
  }

  /// The same denial as one that is only recorded.
  ///
  /// - Parameter other: what is decided without the denials that are not enforced.
  func unenforced(_ other: Decision) -> Decision {
    var decision = self
    decision.enforcing = false
    decision.otherPlace = other.place
    return decision
  }

  /// `ALLOW at line 7`, `DENY by DEFAULT at line 2`, `DENY at line 5 (only recorded)`.
  public var summary: String { words + (action == .deny && !enforcing ? " (only recorded)" : "") }

  private var words: String {
    switch reason {
    case .rule: "\(action.rawValue) at line \(line ?? 0)"
    case .operationDefault, .globalDefault: "\(action.rawValue) by DEFAULT at line \(line ?? 0)"
    case .noDefault: "DENY, because the policy has no default for this operation"
    case .notRuledOut: unknownDenials.rules.first?.summary ?? "DENY, because something is not known"
    case .kernelAlone: "DENY, because the kernel alone vouches for the bytes, and no rule says x_witness=KERNEL"
    case .nothingToJudge: "DENY, because the object holds no program"
    case .otherObject: "DENY, because the facts are about another object"
    case .otherDialect: "DENY, because a policy of the kernel's dialect says nothing about BPF programs"
    }
  }
}
