public import Base
internal import KernelABI
public import Linux

/// Why nothing can be put on record.
public enum AuditError: Error, Equatable, Sendable {
  /// A record could not be written whole, and no part of it is there.
  case unwritable(directory: String, SystemError)
  /// The directory, or a file in it, is not what records may be written to.
  case place(path: String, expected: String, found: String)
  /// Another process has held the lock all the while.
  case busy(path: String, seconds: Double)
}

extension AuditError {
  /// The same as the call that failed would have it.
  public var systemError: SystemError {
    switch self {
    case .unwritable(_, let error): error
    case .place(let path, _, _): SystemError("open", path: path, .eperm)
    case .busy(let path, _): SystemError("flock", path: path, .ewouldblock)
    }
  }
}

extension AuditError: Diagnosable {
  public var diagnostic: Diagnostic {
    switch self {
    case .unwritable(let directory, let error):
      Diagnostic(
        "audit.unwritable", .incomplete, "the audit record cannot be written to `\(directory)`",
        expected: "a directory that this process may write to, with space for the record", found: error.description,
        why: "a load that leaves no record is not made", next: "make the directory, or name another with --audit-dir")
    case .place(let path, let expected, let found):
      Diagnostic(
        "audit.place", .incomplete, "no audit record is written to `\(path)`", expected: expected, found: found,
        why:
          "others could read, change or hold up what is recorded there, and a load that leaves no record is not made",
        next: "put it right, or name another directory with --audit-dir")
    case .busy(let path, let seconds):
      Diagnostic(
        "audit.busy", .incomplete, "another process holds the lock of the audit log",
        expected: "the lock within \(Int(seconds)) seconds", found: "`\(path)` is locked",
        why: "a load that leaves no record is not made", next: "find the process: fuser \(path)")
    }
  }
}
