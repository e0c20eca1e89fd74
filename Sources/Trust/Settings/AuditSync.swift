/// When records are on the disk, and not only in the kernel's page cache, before the run goes on (fdatasync(2)).
///
/// What is in the page cache survives the end of this process, whatever ends it, and not a power cut; nor do the programs
/// that were loaded. Each waits for more records than the one before it.
public enum AuditSync: String, CaseIterable, Comparable, Sendable {
  /// When the kernel gets to it, as auditd's `flush = none`.
  case none
  /// The attempt and the decision are on the disk before a program is loaded.
  case decision
  /// Every record is before the run goes on, as auditd's `flush = data`.
  case always

  private var rank: Int {
    switch self {
    case .none: 0
    case .decision: 1
    case .always: 2
    }
  }

  public static func < (left: AuditSync, right: AuditSync) -> Bool { left.rank < right.rank }
}
