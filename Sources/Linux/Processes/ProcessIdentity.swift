internal import KernelABI
internal import CLinuxShim
internal import Glibc

/// Who asks: the identity of this process, for audit records.
public struct ProcessIdentity: Equatable, Sendable {
  public let pid: Int32
  /// When the process was started, in clock ticks since the machine was (field 22 of /proc/PID/stat, proc_pid_stat(5)).
  /// With the pid it is of one process only; nil where procfs does not say.
  public let startTime: UInt64?
  /// The effective user and group.
  public let uid: UInt32
  public let gid: UInt32
  /// The login uid (`auid`), or nil when it was never set.
  public let auditUID: UInt32?
  /// The command name, as /proc/thread-self/comm holds it.
  public let command: [UInt8]
  /// Where the executable is, as the kernel names it in this process's mount namespace; nil when it has no name any more,
  /// or the kernel could not be asked.
  public let executable: String?

  /// Reads the identity of the calling process.
  public static func current() -> ProcessIdentity {
    ProcessIdentity(
      pid: getpid(), startTime: startTime(of: getpid()), uid: geteuid(), gid: getegid(),
      auditUID: number(.loginUser), command: command(), executable: executable())
  }

  /// The effective user of the calling process.
  public static var effectiveUser: UInt32 { geteuid() }

  /// The audit session of the calling process, or nil when there is none.
  public static func auditSession() -> UInt32? { number(.auditSession) }

  private static func executable() -> String? {
    // proc(5): what was removed has this at its end, and what lies outside of the root begins with no slash.
    guard let path = KernelFile.link(.executable), path.hasPrefix("/"), !path.hasSuffix(" (deleted)") else {
      return nil
    }
    return path
  }

  /// The process ids that this process sees, as the inode number of their namespace (pid_namespaces(7)); nil where
  /// procfs does not say.
  public static func namespace() -> UInt64? {
    // `pid:[4026531836]`
    KernelFile.link(.processNamespace)?.split(separator: "[").last.flatMap { UInt64($0.dropLast()) }
  }

  /// Whether no process with that id was started at that time, or it is only waited for by its parent. False as well
  /// where procfs does not say, or is that of another pid namespace.
  public static func isGone(pid: Int32, startTime: UInt64) -> Bool {
    guard showsOwnNamespace() else { return false }
    switch KernelFile.read(.processStatus, "\(pid)") {
    case .absent: return true
    case .unknown: return false
    case .text(let text):
      guard let fields = fields(ofStatus: text), let other = startTimeField(fields) else { return false }
      return other != startTime || fields.first == "Z" || fields.first == "X"
    }
  }

  /// Whether the ids in procfs are those that this process sees: it then has one in there, its own, and none of a namespace
  /// below that of the mount (`NSpid` of proc_pid_status(5)).
  private static func showsOwnNamespace() -> Bool {
    guard let status = KernelFile.text(.threadStatus),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("NSpid:") })
    else { return false }
    return line.split(whereSeparator: { $0 == "\t" || $0 == " " }).count == 2
  }

  /// Field 22 of /proc/PID/stat.
  private static func startTime(of pid: Int32) -> UInt64? {
    KernelFile.text(.processStatus, "\(pid)").flatMap { fields(ofStatus: $0) }.flatMap { startTimeField($0) }
  }

  /// The fields from the third on: the second, the command's name in parentheses, may hold blanks and parentheses.
  private static func fields(ofStatus text: String) -> [Substring]? {
    text.utf8.lastIndex(of: UInt8(ascii: ")")).map { text[text.utf8.index(after: $0)...].split(separator: " ") }
  }

  private static func startTimeField(_ fields: [Substring]) -> UInt64? { fields.count > 19 ? UInt64(fields[19]) : nil }

  /// Bytes of a command name with its end (TASK_COMM_LEN, include/linux/sched.h).
  private static let commandCount = 16

  private static func command() -> [UInt8] {
    var name = [CChar](repeating: 0, count: commandCount)
    let result = unsafe name.withUnsafeMutableBufferPointer { unsafe vb_get_command($0.baseAddress) }
    return result == 0 ? name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) } : []
  }

  /// The number in a file; nil when it says 4294967295, which stands for "not set".
  private static func number(_ statement: KernelStatement) -> UInt32? {
    KernelFile.text(statement).flatMap { UInt32($0) }.flatMap { $0 == .max ? nil : $0 }
  }
}
