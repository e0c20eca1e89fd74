internal import KernelABI
public import Linux

/// What the kernel's IPE says of executing the object, asked about the very descriptor. It is IPE's word, and IPE believes the
/// page cache.
public struct ExecutionFacts: Equatable, Sendable {
  /// Whether the kernel would execute it. Where it would, IPE has allowed it; where not, another security module may have refused.
  public let isAllowed: Bool
  /// The policy that it went by, before and after.
  public let policy: EnforcedIntegrityPolicy

  /// The first release known to ask IPE: 6.18 answers the same call without asking (tried on both).
  private static let firstRelease = KernelRelease(7, 2)

  /// Asks; nil where the answer would not be IPE's.
  static func ask(_ file: borrowing OwnedFD) -> ExecutionFacts? {
    guard let policy = EnforcedIntegrityPolicy.read(), let release = KernelReports.runningRelease(),
      release >= firstRelease
    else { return nil }
    let isAllowed: Bool
    switch ExecutionCheck.ask(file) {
    case .allowed: isAllowed = true
    case .refused: isAllowed = false
    case .unanswered: return nil
    }
    guard EnforcedIntegrityPolicy.read() == policy else { return nil }
    return ExecutionFacts(isAllowed: isAllowed, policy: policy)
  }
}
