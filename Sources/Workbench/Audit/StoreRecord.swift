/// AUDIT_USER_MAC_CONFIG_CHANGE: what was done with the policies of a store, or refused, where the kernel's IPE has no record
/// for it.
public struct StoreRecord: Equatable, Sendable {
  public enum Operation: String, Sendable {
    /// A store was made.
    case initialization = "policy-init"
    /// Another policy was to become the active one; of one that did, the kernel has a record (``ActivationRecord``).
    case activation = "policy-activate"
    case removal = "policy-remove"
    case shadowRemoval = "policy-remove-shadow"
  }

  public var operation: Operation
  /// The policy's name, or the store's directory where it was made; any bytes.
  public var name: [UInt8]
  public var subject: AuditSubject
  /// 0, or the errno of the refusal as a negative number.
  public var errno: Int32

  public init(_ operation: Operation, name: [UInt8], subject: AuditSubject, errno: Int32 = 0) {
    self.operation = operation
    self.name = name
    self.subject = subject
    self.errno = errno
  }

  /// The line, as auditd writes it to its log.
  public func line(_ stamp: AuditStamp) -> String {
    let field =
      switch operation {
      case .initialization: "store"
      case .activation, .removal, .shadowRemoval: "policy_name"
      }
    return "type=2312 msg=audit(\(stamp)): op=\(operation.rawValue) \(field)=\(AuditEncoding.untrusted(name)) "
      + "\(subject.fields) res=\(errno == 0 ? 1 : 0) errno=\(errno)"
  }
}
