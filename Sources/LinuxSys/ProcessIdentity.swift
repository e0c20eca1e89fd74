internal import Glibc

/// Who asks: the identity of this process, for audit records.
public struct ProcessIdentity: Equatable, Sendable {
  public let pid: Int32
  public let uid: UInt32
  /// The login uid (`auid`), or nil when it was never set.
  public let auditUID: UInt32?
  /// The audit session, or nil when there is none.
  public let session: UInt32?
  /// The command name, as /proc/self/comm holds it.
  public let command: [UInt8]

  /// Reads the identity of the calling process.
  public static func current() -> ProcessIdentity {
    // 4294967295 stands for "not set" in both files.
    let unset = UInt32.max
    let auditUID = number("/proc/self/loginuid").flatMap { $0 == unset ? nil : $0 }
    let session = number("/proc/self/sessionid").flatMap { $0 == unset ? nil : $0 }
    let command = bytes("/proc/self/comm").map { $0.last == 0x0a ? Array($0.dropLast()) : $0 } ?? []
    return ProcessIdentity(pid: getpid(), uid: geteuid(), auditUID: auditUID, session: session, command: command)
  }

  private static func bytes(_ path: String) -> [UInt8]? {
    guard let descriptor = try? OwnedFD.open(path, .readOnly) else { return nil }
    return try? descriptor.readToEnd(limit: 4096)
  }

  private static func number(_ path: String) -> UInt32? {
    bytes(path).flatMap { String(validating: $0, as: UTF8.self) }.flatMap { UInt32($0) }
  }
}
