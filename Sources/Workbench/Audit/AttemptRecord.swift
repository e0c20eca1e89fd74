/// This program's own records beside those in IPE's form: a load that was asked for, and one that ended without a decision
/// and without an outcome. IPE knows only decisions, so their type is one that the kernel leaves to applications
/// (AUDIT_TRUSTED_APP, include/uapi/linux/audit.h); the fields that IPE has as well stand first and are IPE's.
public struct AttemptRecord: Equatable, Sendable {
  /// Where a load stands; the raw value is `result=`.
  public enum Stage: String, CaseIterable, Sendable {
    /// It was asked for. Nothing is read yet.
    case attempt
    /// Its process is gone, and has not recorded what came of it.
    case crashed
    /// A signal ended the process, and what it had made was undone.
    case interrupted
    /// The run ended before its turn came.
    case notBegun = "not-begun"
  }

  /// `BPF_PROG_LOAD`.
  public var operation: String
  public var pid: Int32
  /// The process's name, any bytes.
  public var command: [UInt8]
  /// The object as it was asked for; nil for a descriptor that is none.
  public var file: AccessRecord.File?
  /// The effective user and group, and the login's user; nil where nobody knows.
  public var uid: UInt64?
  public var gid: UInt64?
  public var auid: UInt64?
  /// The executable's path, any bytes.
  public var executable: [UInt8]?
  /// What ties the records of one load together.
  public var event: String
  public var stage: Stage

  public init(
    operation: String, pid: Int32, command: [UInt8], file: AccessRecord.File?, uid: UInt64?, gid: UInt64?,
    auid: UInt64?, executable: [UInt8]?, event: String, stage: Stage
  ) {
    self.operation = operation
    self.pid = pid
    self.command = command
    self.file = file
    self.uid = uid
    self.gid = gid
    self.auid = auid
    self.executable = executable
    self.event = event
    self.stage = stage
  }

  var fields: String {
    func number(_ value: UInt64?) -> String { value.map { "\($0)" } ?? "?" }
    return "ipe_op=\(operation) ipe_hook=\(operation) \(AccessRecord.asking(pid, command, file)) "
      + "uid=\(number(uid)) gid=\(number(gid)) auid=\(auid ?? UInt64(UInt32.max)) "
      + "exe=\(executable.map { AuditEncoding.untrusted($0) } ?? "?") event=\(AuditEncoding.untrusted(event.utf8)) "
      + "result=\(stage.rawValue)"
  }
}

/// A load that was refused before a policy decided: a record of IPE's type with a denial's fields, so that tools which read
/// the kernel's records see it. In the place of the rule stands that no rule decided, and why.
public struct RefusalRecord: Equatable, Sendable {
  /// ``AccessRecord/rule`` is empty.
  public var access: AccessRecord
  /// The code of the diagnostic.
  public var code: String

  public init(access: AccessRecord, code: String) {
    self.access = access
    self.code = code
  }

  /// What stands between `rule="` and the closing quote.
  private static let start = "REFUSED code="
  private static let end = " action=DENY"

  var fields: String {
    var access = access
    access.rule = "\(Self.start)\(code)\(Self.end)"
    return access.fields
  }

  /// Reads a record whose rule is none; nil when a rule decided.
  init?(_ access: AccessRecord) {
    guard access.rule.hasPrefix(Self.start), access.rule.hasSuffix(Self.end) else { return nil }
    code = String(access.rule.dropFirst(Self.start.count).dropLast(Self.end.count))
    self.access = access
    self.access.rule = ""
  }
}
