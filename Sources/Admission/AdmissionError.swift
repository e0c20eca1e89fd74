public import BPFLoad
public import BPFObject
public import Diagnostics
public import LinuxSys
public import PolicySyntax
public import Provenance
public import TrustAnchors

/// Which room on the way refused; the room's own error says why.
public enum AdmissionError: Error, Sendable {
  case policy(file: String, InvalidPolicy)
  case provenance(ProvenanceError)
  case trust(TrustError)
  case object(BPFObjectError)
  case load(BPFLoadError)
  /// The audit record could not be written, so nothing was loaded.
  case audit(directory: String, SystemError)
}

extension AdmissionError: Diagnosable {
  public var diagnostic: Diagnostic {
    switch self {
    case .policy(let file, let error):
      var diagnostic = error.diagnostic
      diagnostic.message = "policy `\(file)`: \(diagnostic.message)"
      return diagnostic
    case .provenance(let error): return error.diagnostic
    case .trust(let error): return error.diagnostic
    case .object(let error): return error.diagnostic
    case .load(let error): return error.diagnostic
    case .audit(let directory, let error):
      return Diagnostic(
        "audit.unwritable", .incomplete, "the audit record cannot be written to `\(directory)`",
        expected: "a directory this process may write", found: error.description,
        why: "a load that leaves no record is not made", next: "make the directory, or name another with --audit-dir")
    }
  }
}
