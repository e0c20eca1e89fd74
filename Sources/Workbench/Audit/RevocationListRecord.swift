/// AUDIT_USER_MAC_CONFIG_CHANGE: a signed list of what was revoked came into force, or was refused.
public struct RevocationListRecord: Equatable, Sendable {
  /// The list; nil when it could not be read, or has no signature that counts.
  public var name: String?
  /// `major.minor.revision`.
  public var version: String?
  /// SHA-256 of the signed message, and of the signer's certificate in DER, `sha256:` with lower-case digits.
  public var message: String?
  public var signer: String?
  /// How many lines revoke something.
  public var count: Int
  public var subject: AuditSubject
  /// 0, or the errno of the refusal as a negative number.
  public var errno: Int32

  public init(
    name: String?, version: String?, message: String?, signer: String?, count: Int, subject: AuditSubject, errno: Int32
  ) {
    self.name = name
    self.version = version
    self.message = message
    self.signer = signer
    self.count = count
    self.subject = subject
    self.errno = errno
  }

  var fields: String {
    "op=revocation-list list_name=\(name ?? "?") list_version=\(version ?? "?") list_digest=\(message ?? "?") "
      + "entries=\(count) signer=\(signer ?? "?") \(subject.fields) res=\(errno == 0 ? 1 : 0) errno=\(errno)"
  }
}
