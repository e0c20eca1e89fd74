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
        "system.disk-full", .incomplete, description, next: "free some space; nothing half-made was left behind")
    default:
      Diagnostic("system.failed", .incomplete, description)
    }
  }
}
