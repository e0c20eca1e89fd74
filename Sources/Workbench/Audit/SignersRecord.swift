/// AUDIT_USER_MAC_CONFIG_CHANGE: it was changed whose signatures of policies count, or that was refused.
public struct SignersRecord: Equatable, Sendable {
  /// SHA-256 of the certificates, in lower-case digits.
  public var added: [String]
  public var retired: [String]
  /// The number of the statement that says so.
  public var counter: UInt64
  /// Who signed it; nil when nobody who is trusted did.
  public var signer: String?
  public var subject: AuditSubject
  /// 0, or the errno of the refusal as a negative number.
  public var errno: Int32

  public init(
    added: [String], retired: [String], counter: UInt64, signer: String?, subject: AuditSubject, errno: Int32
  ) {
    self.added = added
    self.retired = retired
    self.counter = counter
    self.signer = signer
    self.subject = subject
    self.errno = errno
  }

  var fields: String {
    func list(_ digests: [String]) -> String { digests.isEmpty ? "?" : digests.joined(separator: ",") }
    return "op=policy-signers counter=\(counter) added=\(list(added)) retired=\(list(retired)) signer=\(signer ?? "?") "
      + "\(subject.fields) res=\(errno == 0 ? 1 : 0) errno=\(errno)"
  }
}
