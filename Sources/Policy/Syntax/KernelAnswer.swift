/// What the kernel answers when a policy is written to securityfs: the parser, and the layers around it.
public struct KernelAnswer: Sendable, Equatable {
  /// Nil when the policy is loaded.
  public let error: KernelError?
  /// The name the kernel reports after loading it.
  public let name: [UInt8]?
  /// The version it reports.
  public let version: PolicyVersion?

  /// `ok`, or the errno's name.
  public var word: String { error?.rawValue ?? "ok" }

  /// The longest ASN.1 message the kernel decodes (lib/asn1_decoder.c).
  public static let messageLimit = 65535

  /// Bytes that the documented `openssl smime` command adds to a text of this size: the DER headers, the signer's
  /// certificate and an RSA signature of 2048 bits. What another key adds differs by a few hundred bytes.
  public static let usualSignatureSize = 1183

  /// Writing to `new_policy`, or to `update` of an installed policy.
  ///
  /// - Parameters:
  ///   - document: of the kernel's dialect.
  ///   - installed: the names of the policies that are loaded.
  ///   - updating: the policy whose `update` file is written; nil for `new_policy`.
  ///   - messageSize: bytes of the signed message, when it is known; else the usual overhead is assumed.
  public init(
    to document: PolicyDocument, installed: Set<[UInt8]> = [], updating: (name: [UInt8], version: PolicyVersion)? = nil,
    messageSize: Int? = nil
  ) {
    let size = messageSize ?? document.text.bytes.count + Self.usualSignatureSize
    let error: KernelError? =
      if size > Self.messageLimit {
        .messageSize
      } else if let parser = document.parserAnswer {
        parser
      } else if let header = document.header {
        if let updating {
          Self.updateError(header, updating)
        } else {
          Self.directoryError(header.name) ?? (installed.contains(header.name) ? .exists : nil)
        }
      } else {
        .badMessage
      }
    self.error = error
    name = error == nil ? document.header?.name : nil
    version = error == nil ? document.header?.version : nil
  }

  /// The name becomes a directory below `policies/` (fs/namei.c, `lookup_one_len`; NAME_MAX of fs/libfs.c).
  private static func directoryError(_ name: [UInt8]) -> KernelError? {
    if name == [0x2e] || name == [0x2e, 0x2e] || name.contains(0x2f) { return .access }
    return name.count > 255 ? .nameTooLong : nil
  }

  /// `ipe_update_policy`: the same name, and a version above.
  private static func updateError(
    _ header: PolicyDocument.Header, _ installed: (name: [UInt8], version: PolicyVersion)
  ) -> KernelError? {
    if header.name != installed.name { return .invalid }
    return header.version <= installed.version ? .stale : nil
  }
}
