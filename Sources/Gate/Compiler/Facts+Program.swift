public import BPFAnalysis
public import Policy

extension Facts {
  /// Takes over what a program's own bytes say of it: the one place where its report becomes facts.
  public mutating func take(_ program: ProgramReport) {
    programTypes = [program.typeName]
    attachTypes = program.attachTypeName.map { [$0] } ?? []
    // A helper that has no name here has one that no rule can list, so a rule about helpers does not match.
    helpers = program.helpers.map { $0.name ?? "unknown#\($0.id)" }
    lockdown = program.strictestLockdown
    programClass = program.isRestricted ? .restricted : .full
    reads = KernelReads(program.readScope)
  }
}

extension KernelReads {
  init(_ scope: ReadScope) {
    self =
      switch scope {
      case .none: .none
      case .declared: .declared
      case .undeclared: .undeclared
      }
  }
}
