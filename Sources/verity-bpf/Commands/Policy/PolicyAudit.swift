import KernelABI
import Admission
import Workbench
import Base
import Linux
import Trust
import Policy

/// Records about policies in the audit log, in the kernel's form (types 1421 and 1422), and about their signers.
struct PolicyAudit {
  private let log: AuditLog
  /// Who asks.
  let subject: AuditSubject

  /// Opens the log before anything is done: a change that cannot be recorded is not begun.
  static func open(_ directory: String) throws -> PolicyAudit {
    let log = try AuditLog.open(directory: directory, sync: .decision)
    Output.warn(of: log.crashedRuns)
    return PolicyAudit(log: log, subject: currentSubject)
  }

  /// Appends one record. It is on the disk before the change is made.
  func write(_ record: AuditRecord, serial: UInt64) throws(SystemError) {
    try append(record.line(Self.stamp(serial), daemon: true))
  }

  func write(_ record: StoreRecord, serial: UInt64) throws(SystemError) {
    try append(record.line(Self.stamp(serial)))
  }

  private func append(_ line: String) throws(SystemError) {
    do throws(AuditError) {
      try log.append(text: line)
    } catch {
      throw error.systemError
    }
  }

  private static func stamp(_ serial: UInt64) -> AuditStamp {
    let now = Timestamp.now()
    return AuditStamp(
      seconds: UInt64(clamping: now.seconds), milliseconds: UInt64(clamping: now.nanoseconds / 1_000_000),
      serial: serial)
  }

  /// A policy as records name it.
  static func named(_ policy: PolicyStore.StoredPolicy) -> AuditedPolicy {
    AuditedPolicy(
      name: policy.document.header?.name ?? [], version: policy.entry.version.description,
      digest: policy.entry.message.bytes)
  }

  static func loaded(_ policy: PolicyStore.StoredPolicy, asShadow isShadow: Bool = false) -> LoadRecord {
    LoadRecord(policy: named(policy), subject: currentSubject, succeeded: true, errno: 0, isShadow: isShadow)
  }

  /// A refusal, with the errno the kernel would have answered, and the policy where its signature counts.
  func refused(_ policy: PolicyStore.StoredPolicy?, _ errno: Errno) -> AuditRecord {
    .load(
      LoadRecord(policy: policy.map { Self.named($0) }, subject: subject, succeeded: false, errno: -errno.rawValue))
  }

  func refused(_ operation: StoreRecord.Operation, _ name: String, _ errno: Errno) -> StoreRecord {
    StoreRecord(operation, name: Array(name.utf8), subject: subject, errno: -errno.rawValue)
  }

  func done(_ operation: StoreRecord.Operation, _ name: String) -> StoreRecord {
    StoreRecord(operation, name: Array(name.utf8), subject: subject)
  }

  static func changed(_ change: PolicyStore.SignerChange) -> SignersRecord {
    SignersRecord(
      added: change.added.map(\.description), retired: change.retired.map(\.description), counter: change.counter,
      signer: change.signer.description, subject: currentSubject, errno: 0)
  }

  /// A statement that was refused.
  func unchanged(_ errno: Errno) -> AuditRecord {
    .signers(
      SignersRecord(added: [], retired: [], counter: 0, signer: nil, subject: subject, errno: -errno.rawValue))
  }

  // The kernel writes 4294967295 for a process without login.
  private static var currentSubject: AuditSubject {
    let process = ProcessIdentity.current()
    return AuditSubject(auid: process.auditUID ?? .max, session: ProcessIdentity.auditSession() ?? .max)
  }
}
