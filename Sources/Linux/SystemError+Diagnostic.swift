public import Base
internal import Glibc
internal import KernelABI

extension SystemError: Diagnosable {
  public var diagnostic: Diagnostic {
    if let unanswered { return cannotAsk(unanswered) }
    return switch errno {
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
      Diagnostic("system.failed", .incomplete, description, next: remedy)
    }
  }

  /// What helps against a failure that is none of those above.
  private var remedy: String {
    let known = Self.remedies.first { row in code.map { row.codes.contains($0) } ?? false }
    return known?.next
      ?? "`man 2 \(operation.split(separator: " ").first ?? "syscalls")` says what \(errnoName) means there"
  }

  private static let remedies: [(codes: [Errno], next: String)] = [
    ([.enomem], "free memory, or raise the limit of this process's cgroup (memory.max)"),
    ([.emfile, .enfile], "raise the limit of open files: `ulimit -n`, or LimitNOFILE= of the unit"),
    ([.erofs], "name a place on a file system that is mounted for writing"),
    ([.eio, .euclean, .enodata], "look for what the disk or the file system says: dmesg"),
    ([.enotdir, .eisdir, .eloop, .enametoolong, .eexist, .enotempty, .exdev], "name another path"),
    ([.ebusy, .etxtbsy, .eagain], "find who uses it (fuser, findmnt), and try again"),
  ]

  /// What could not be asked is not known, and nothing may be concluded from that.
  private func cannotAsk(_ statement: KernelStatement) -> Diagnostic {
    let place = path ?? statement.place()
    let isMine = [EACCES, EPERM].contains(errno) && found == nil
    return Diagnostic(
      "provenance.cannot-ask", .integrity, "the kernel could not be asked for this: \(statement.subject)",
      expected: "the kernel's own answer in `\(place)`", found: found ?? "\(errnoText) (\(errnoName))",
      why: "what could not be asked is not known, which is not the same as no",
      next: isMine ? "run the command as root" : Self.remedy(place))
  }

  private static func remedy(_ place: String) -> String {
    if place.hasPrefix("/dev/") {
      return "check that devtmpfs is mounted at /dev, and nothing over its nodes (findmnt --submounts /dev)"
    }
    let root = place.hasPrefix("/proc") ? "/proc" : "/sys"
    let type = root == "/proc" ? "procfs" : "sysfs"
    return "check that \(type) is mounted at \(root), and nothing over its files (findmnt --submounts \(root))"
  }
}
