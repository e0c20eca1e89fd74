public import Base
internal import Glibc

extension SystemError: Diagnosable {
  public var diagnostic: Diagnostic {
    switch errno {
    case ENOENT:
      Diagnostic(
        "system.not-found", .incomplete, description,
        next: "check the path; relative paths start at the current directory")
    case EACCES, EPERM:
      Diagnostic("system.permission", .incomplete, description, next: "run as a user who may do this, often root")
    case ENOSPC, EDQUOT:
      Diagnostic(
        "system.disk-full", .incomplete, description, next: "free some space")
    case EFBIG where limit != nil:
      Diagnostic(
        "system.too-large", .incomplete, "\(path.map { "`\($0)`" } ?? "the file") is too large for what reads it",
        expected: "at most \(limit ?? 0) bytes", found: "more", next: "see that it is the file that was meant")
    default:
      Diagnostic("system.failed", .incomplete, description)
    }
  }
}
