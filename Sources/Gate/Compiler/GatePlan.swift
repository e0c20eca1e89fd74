public import Policy

/// A policy as rows of the gate, and everything that it allows and no row says.
///
/// Every load that a row admits is one that the policy allows, judged by what the row is about and nothing else: a fact
/// that the kernel does not know when it asks the gate counts as not known, which satisfies no rule that allows and
/// rules out none that denies. Where that leaves something out, it is in ``rules`` or ``programs`` with the reason.
public struct GatePlan: Sendable {
  public let header: PolicyDocument.Header
  public let mode: GateRequest.Mode
  public let rows: GateRows
  /// Each line that allows BPF programs or kernel modules, in the order of the policy.
  public let rules: [Rule]
  /// Each program of the images, in their order; empty in the mode ``GateRequest/Mode/loader``, which lists none.
  public let programs: [Program]

  /// What became of a line of the policy.
  public struct Rule: Equatable, Sendable {
    public let line: Int
    public let text: String
    public let outcome: Outcome
  }

  /// What became of a program.
  public struct Program: Equatable, Sendable {
    public let image: String
    public let object: String
    public let name: String
    public let fate: Fate
  }

  /// How much of what a rule allows the rows admit.
  public enum Outcome: Equatable, Sendable {
    case complete
    /// There are rows, and they admit less than the rule allows, for this reason.
    case narrower(String)
    /// There is no row, for this reason.
    case leftOut(String)
  }

  public enum Fate: Equatable, Sendable {
    /// It has a row, by the policy's rule in that line, or by its default.
    case row(line: Int?)
    /// The policy denies it, for this reason.
    case denied(String)
    /// The policy allows it, or may allow it when it is loaded, and it has no row, for this reason.
    case leftOut(String)
  }

  /// Whether a rule or program that the policy allows has no row at all.
  public var leavesOut: Bool { !omissions.isEmpty }

  /// What has no row and why, a sentence each.
  public var omissions: [String] {
    rules.compactMap { rule in
      guard case .leftOut(let reason) = rule.outcome else { return nil }
      return "line \(rule.line): `\(rule.text)`: \(reason)"
    }
      + programs.compactMap { program in
        guard case .leftOut(let reason) = program.fate else { return nil }
        return "\(program.image): \(program.object): program `\(program.name)`: \(reason)"
      }
  }

  /// Compiles a policy.
  ///
  /// - Throws: ``InvalidPolicy`` when the policy has errors or is of the kernel's dialect, which does not know BPF programs.
  public init(_ request: GateRequest) throws(InvalidPolicy) {
    var compiler = try PlanCompiler(request)
    header = compiler.policy.header
    mode = request.mode
    programs = compiler.planPrograms()
    rules = (compiler.planRules() + compiler.planModules()).sorted { $0.line < $1.line }
    rows = compiler.rows
  }
}
