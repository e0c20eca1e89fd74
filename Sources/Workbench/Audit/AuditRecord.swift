/// One of the records that IPE writes (security/ipe/audit.c, Linux 6.12), and this project in the same form; and one of
/// its own, for what IPE leaves to keyrings.
public enum AuditRecord: Equatable, Sendable {
  case access(AccessRecord)
  case activation(ActivationRecord)
  case load(LoadRecord)
  case status(StatusRecord)
  case signers(SignersRecord)
  case revocations(RevocationListRecord)
  case refusal(RefusalRecord)
  case attempt(AttemptRecord)

  /// The record's type (include/uapi/linux/audit.h; the last one is a program's, of libaudit.h).
  public var type: Int {
    switch self {
    case .attempt: 1121
    case .status: 1404
    case .access, .refusal: 1420
    case .activation: 1421
    case .load: 1422
    case .signers, .revocations: 2312
    }
  }

  /// The record's fields, as they stand behind `audit(TIME:SERIAL): `.
  public var fields: String {
    switch self {
    case .access(let record): record.fields
    case .activation(let record): record.fields
    case .load(let record): record.fields
    case .status(let record): record.fields
    case .signers(let record): record.fields
    case .revocations(let record): record.fields
    case .refusal(let record): record.fields
    case .attempt(let record): record.fields
    }
  }

  /// The whole line. With `daemon`, as auditd writes it to its log (`type=1420 msg=audit(…): …`); without, as the
  /// kernel prints it when no daemon runs.
  public func line(_ stamp: AuditStamp, daemon: Bool = false) -> String {
    "type=\(type) \(daemon ? "msg=" : "")audit(\(stamp)): \(fields)"
  }
}

/// When a record was written, and its number.
public struct AuditStamp: Hashable, Sendable, CustomStringConvertible {
  /// Seconds since 1970.
  public let seconds: UInt64
  /// 0 to 999.
  public let milliseconds: UInt64
  /// Counts the events; records of one event share it.
  public let serial: UInt64

  public init(seconds: UInt64, milliseconds: UInt64, serial: UInt64) {
    self.seconds = seconds
    self.milliseconds = milliseconds
    self.serial = serial
  }

  public var description: String {
    let digits = String(milliseconds)
    return "\(seconds).\(String(repeating: "0", count: max(0, 3 - digits.count)))\(digits):\(serial)"
  }
}

/// AUDIT_IPE_ACCESS: a decision.
public struct AccessRecord: Equatable, Sendable {
  /// `EXECUTE`, `BPF_PROG_LOAD` …, or `UNKNOWN`.
  public var operation: String
  /// What asked: `BPRM_CHECK`, `MMAP`, `MPROTECT`, `KERNEL_READ`, `KERNEL_LOAD` …
  public var hook: String
  public var enforcing: Bool
  public var pid: Int32
  /// The process's name, any bytes.
  public var command: [UInt8]
  /// The file; nil for memory that no file is behind.
  public var file: File?
  /// The deciding rule as policies write it.
  public var rule: String
  /// What the shadow policy says; nil where there is none, and in the kernel's records.
  public var shadow: Shadow?

  /// The answer of a policy that is judged beside the one that decides.
  public struct Shadow: Equatable, Sendable {
    /// `allow`, `deny`, or `unusable` where the shadow policy cannot be used.
    public var decision: String
    /// The rule as policies write it; the code of what is wrong with a policy that cannot be used.
    public var rule: String

    public init(decision: String, rule: String) {
      self.decision = decision
      self.rule = rule
    }
  }

  public struct File: Equatable, Sendable {
    /// Any bytes; nil when the kernel could not name the file.
    public var path: [UInt8]?
    /// The superblock's id: a device's name, or a file system's.
    public var device: [UInt8]
    /// Nil where nobody knows it yet: the kernel's records always have one.
    public var inode: UInt64?

    public init(path: [UInt8]?, device: [UInt8], inode: UInt64?) {
      self.path = path
      self.device = device
      self.inode = inode
    }
  }

  public init(
    operation: String, hook: String, enforcing: Bool, pid: Int32, command: [UInt8], file: File?, rule: String,
    shadow: Shadow? = nil
  ) {
    self.operation = operation
    self.hook = hook
    self.enforcing = enforcing
    self.pid = pid
    self.command = command
    self.file = file
    self.rule = rule
    self.shadow = shadow
  }

  var fields: String {
    let shadow = shadow.map {
      " shadow_decision=\($0.decision) shadow_rule=\(AuditEncoding.untrusted($0.rule.utf8))"
    }
    return "ipe_op=\(operation) ipe_hook=\(hook) enforcing=\(enforcing ? 1 : 0) "
      + "\(Self.asking(pid, command, file))\(shadow ?? "") rule=\"\(AuditEncoding.rule(rule))\""
  }

  /// Who asked about what: `pid=`, `comm=`, `path=`, `dev=` and `ino=`.
  static func asking(_ pid: Int32, _ command: [UInt8], _ file: File?) -> String {
    let who = "pid=\(pid) comm=\(AuditEncoding.untrusted(command))"
    guard let file else { return "\(who) path=? dev=? ino=?" }
    return "\(who) path=\(file.path.map { AuditEncoding.untrusted($0) } ?? "?") "
      + "dev=\(AuditEncoding.untrusted(file.device)) ino=\(file.inode.map { "\($0)" } ?? "?")"
  }
}

/// A policy as records name it.
public struct AuditedPolicy: Equatable, Sendable {
  /// The name, any bytes without blanks. The kernel prints it as it is, between quotes.
  public var name: [UInt8]
  /// `major.minor.revision`.
  public var version: String
  /// SHA-256 of the signed message; of nothing, for the policy that was compiled into the kernel.
  public var digest: [UInt8]

  public init(name: [UInt8], version: String, digest: [UInt8]) {
    self.name = name
    self.version = version
    self.digest = digest
  }

  func fields(name nameField: String, version versionField: String, digest digestField: String) -> String {
    "\(nameField)=\"\(String(decoding: name, as: UTF8.self))\" \(versionField)=\(version) "
      + "\(digestField)=sha256:\(AuditEncoding.upperHex(digest))"
  }
}

/// Who did it, as records say it.
public struct AuditSubject: Equatable, Sendable {
  /// The login's user id; 4294967295 when there was no login.
  public var auid: UInt32
  public var session: UInt32

  public init(auid: UInt32, session: UInt32) {
    self.auid = auid
    self.session = session
  }

  var fields: String { "auid=\(auid) ses=\(session)" }
}

/// AUDIT_IPE_CONFIG_CHANGE: another policy became the active one.
public struct ActivationRecord: Equatable, Sendable {
  /// Nil when none was active before.
  public var old: AuditedPolicy?
  public var new: AuditedPolicy
  public var subject: AuditSubject

  public init(old: AuditedPolicy?, new: AuditedPolicy, subject: AuditSubject) {
    self.old = old
    self.new = new
    self.subject = subject
  }

  var fields: String {
    let before =
      old?.fields(name: "old_active_pol_name", version: "old_active_pol_version", digest: "old_policy_digest")
      ?? "old_active_pol_name=? old_active_pol_version=? old_policy_digest=?"
    let after = new.fields(name: "new_active_pol_name", version: "new_active_pol_version", digest: "new_policy_digest")
    return "\(before) \(after) \(subject.fields) lsm=ipe res=1"
  }
}

/// AUDIT_IPE_POLICY_LOAD: a policy was loaded, or since about 6.16 refused.
public struct LoadRecord: Equatable, Sendable {
  /// Nil when the text could not be read.
  public var policy: AuditedPolicy?
  public var subject: AuditSubject
  public var succeeded: Bool
  /// The errno, as a negative number; nil from kernels that do not say it.
  public var errno: Int32?
  /// Whether it is to be judged beside the active policy, and to decide nothing.
  public var isShadow: Bool

  public init(
    policy: AuditedPolicy?, subject: AuditSubject, succeeded: Bool, errno: Int32?, isShadow: Bool = false
  ) {
    self.isShadow = isShadow
    self.policy = policy
    self.subject = subject
    self.succeeded = succeeded
    self.errno = errno
  }

  var fields: String {
    let what =
      policy?.fields(name: "policy_name", version: "policy_version", digest: "policy_digest")
      ?? "policy_name=? policy_version=? policy_digest=?"
    return "\(what) \(subject.fields) lsm=ipe res=\(succeeded ? 1 : 0)" + (errno.map { " errno=\($0)" } ?? "")
      + (isShadow ? " shadow=1" : "")
  }
}

/// AUDIT_MAC_STATUS: enforcing was switched on or off.
public struct StatusRecord: Equatable, Sendable {
  public var enforcing: Bool
  public var wasEnforcing: Bool
  public var subject: AuditSubject

  public init(enforcing: Bool, wasEnforcing: Bool, subject: AuditSubject) {
    self.enforcing = enforcing
    self.wasEnforcing = wasEnforcing
    self.subject = subject
  }

  var fields: String {
    "enforcing=\(enforcing ? 1 : 0) old_enforcing=\(wasEnforcing ? 1 : 0) \(subject.fields) "
      + "enabled=1 old-enabled=1 lsm=ipe res=1"
  }
}
