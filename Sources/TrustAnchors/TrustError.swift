public import Diagnostics
public import LinuxSys
public import Signatures

/// Why a directory of trust anchors cannot be used.
public enum TrustError: Error, Sendable {
  case system(SystemError)
  /// Something in the directory is neither a set nor the list of what was revoked.
  case unknownEntry(path: String)
  case certificate(path: String, SignatureError)
  /// A line of the list of what was revoked is not understood.
  case revocations(path: String, line: Int)
}

extension TrustError: Diagnosable {
  public var diagnostic: Diagnostic {
    switch self {
    case .system(let error):
      return error.diagnostic
    case .unknownEntry(let path):
      return Diagnostic(
        "trust.unknown-entry", .invalid, "`\(path)` is no set of trust anchors",
        expected: "one of \(TrustAnchors.setNames.joined(separator: ", ")), or `revoked`",
        why: "a misspelt list of revocations would revoke nothing", next: "rename it, or move it elsewhere")
    case .certificate(let path, let error):
      var diagnostic = error.diagnostic
      diagnostic.message = "`\(path)`: \(diagnostic.message)"
      return diagnostic
    case .revocations(let path, let line):
      return Diagnostic(
        "trust.revocations", .invalid, "`\(path)`, line \(line): this revokes nothing that is known",
        expected: "signer, object or root-hash, then sha256:HEX", why: "the line could be the one that matters",
        next: "correct the line, or begin it with #")
    }
  }
}
