public import BPFObject
internal import KernelABI

extension Annotation {
  /// What a program can do that the annotation does not allow.
  public func excess(of report: ProgramReport) -> [ProgramPower] {
    report.powers.filter { !powers.contains($0) }
  }
}
