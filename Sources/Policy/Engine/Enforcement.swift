/// Which denials of a policy are refused, and which are only recorded.
///
/// The nearest word counts: a rule's own `x_enforcing=`, else that of its operation (on `DEFAULT op=…`), else the header's.
public struct Enforcement: Sendable, Equatable {
  private let header: Bool
  /// What the operations' own defaults say.
  private let operations: [Operation: Bool]
  /// Whether a line says something of its own, be it what the header says.
  public let isStatedByLines: Bool

  /// - Parameter header: nil counts as enforcing, as in a text that says nothing.
  init(header: PolicyDocument.Header?, statements: [PolicyDocument.Statement]) {
    self.header = header?.enforcing ?? true
    var operations: [Operation: Bool] = [:]
    var isStated = false
    for statement in statements {
      guard let word = statement.enforcing else { continue }
      isStated = true
      if statement.kind == .fallback, let operation = statement.operation { operations[operation] = word }
    }
    self.operations = operations
    isStatedByLines = isStated
  }

  /// Whether what nothing allows is refused: denials by the default, or by no line at all.
  ///
  /// - Parameter operation: nil for one that is not known.
  public func covers(_ operation: Operation?) -> Bool { operation.flatMap { operations[$0] } ?? header }

  /// Whether what the line denies is refused. A line that allows counts as its operation does.
  public func covers(_ statement: PolicyDocument.Statement) -> Bool {
    switch statement.kind {
    case .rule: statement.enforcing ?? covers(statement.operation)
    case .fallback: covers(statement.operation)
    }
  }

  /// Whether the line is a rule that denies on paper only: what is refused is decided as if it were not there.
  public func watches(_ statement: PolicyDocument.Statement) -> Bool {
    statement.kind == .rule && statement.action == .deny && !covers(statement)
  }
}

extension PolicyDocument {
  /// Which of its denials are refused. Takes a walk over all lines.
  public var enforcement: Enforcement { Enforcement(header: header, statements: statements) }
}
