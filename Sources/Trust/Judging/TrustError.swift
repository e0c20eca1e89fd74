public import Base
public import Linux
public import Signatures

/// Why a directory of trust anchors cannot be used.
public enum TrustError: Error, Equatable, Sendable {
  case system(SystemError)
  /// Something in the directory is neither a set nor the list of what was revoked.
  case unknownEntry(path: String)
  /// A file of certificates cannot be used.
  case certificate(path: String, SignatureError)
  /// A place for a certificate holds something that is no file.
  case notAFile(path: String, kind: String)
  /// A file is larger than anything it could be for, in bytes.
  case tooLarge(path: String, limit: Int)
  /// A file holds several certificates where readers would take different ones.
  case certificateCount(path: String, count: Int)
  /// A key lies in a file of certificates, in a block counted from 1. The certificates beside it count.
  case keyAmongCertificates(path: String, block: Int, label: String)
  /// A directory or file that could hold certificates, or take some away, cannot be looked at.
  case unreadable(SystemError)
  /// Something in the hierarchy of UAPI.11 is not to be considered.
  case notConsidered(path: String, reason: String)
  /// A line of the list of what was revoked is not understood.
  case revocations(path: String, line: Int)
  /// A signed list of what was revoked cannot be relied on, or may not be installed.
  case list(path: String, ListProblem)
}

extension TrustError: Diagnosable {
  public var diagnostic: Diagnostic {
    switch self {
    case .system(let error):
      return error.diagnostic
    case .unknownEntry(let path):
      return Diagnostic(
        "trust.unknown-entry", .invalid, "`\(path)` is no set of trust anchors",
        expected: "one of \(Trust.setNames.joined(separator: ", ")), or `revoked`",
        why: "a misspelt list of revocations would revoke nothing", next: "rename it, or move it elsewhere")
    case .certificate(let path, let error):
      var diagnostic = error.diagnostic
      diagnostic.message = "`\(path)`: \(diagnostic.message)"
      return diagnostic
    case .notAFile(let path, let kind):
      return Diagnostic(
        "trust.not-a-file", .invalid, "`\(path)` is a \(kind) and no file", expected: "a regular file", found: kind)
    case .tooLarge(let path, let limit):
      return Diagnostic(
        "trust.too-large", .invalid, "`\(path)` is too large to be what it is called",
        expected: "at most \(limit) bytes")
    case .certificateCount(let path, let count):
      return Diagnostic(
        "trust.certificate-count", .invalid, "`\(path)` holds \(count) certificates and does not count",
        expected: "one certificate", why: "other readers of this place take the first and pass over the rest",
        next: "put each certificate into a file of its own")
    case .keyAmongCertificates(let path, let block, let label):
      return Diagnostic(
        "trust.key", .invalid, "`\(path)`: block \(block) is a `\(label)` and no certificate; it is passed over",
        expected: "certificates", why: "a private key that is read where it is not needed can be stolen there",
        next: "take the key out of the file")
    case .unreadable(let error):
      var diagnostic = error.diagnostic
      diagnostic.code = "trust.unreadable"
      diagnostic.category = .invalid
      diagnostic.message = "it is not known who is trusted: \(diagnostic.message)"
      diagnostic.why = "what is there could be the certificate that counts, or a mask that takes one away"
      diagnostic.next = "make it readable, or name the certificates: --certificate FILE, --trust-anchors DIR"
      return diagnostic
    case .notConsidered(let path, let reason):
      return Diagnostic(
        "trust.not-considered", .invalid, "`\(path)` does not count: \(reason)",
        expected: "a file, or a link as UAPI.11 allows them")
    case .revocations(let path, let line):
      return Diagnostic(
        "trust.revocations", .invalid, "`\(path)`, line \(line): this revokes nothing that is known",
        expected: "signer, object or root-hash, then sha256:HEX", why: "the line could be the one that matters",
        next: "correct the line, or begin it with #")
    case .list(let path, let problem):
      return problem.diagnostic(of: path)
    }
  }
}
