import ByteKit
import Diagnostics
import ImageFiles
import LinuxSys
import Provenance
import TrustAnchors

extension RootHashVerdict {
  /// One line for people.
  var line: String {
    guard let refusal else { return "holds, by \(subject ?? "somebody") of the trust anchors `\(anchors ?? "none")`" }
    return "does not count: \(refusal.code), \(refusal.message)"
  }

  /// Checks the signature that came with an image, after what was revoked.
  ///
  /// - Returns: nil when none came with it.
  /// - Throws: ``Provenance/ProvenanceError/revoked(kind:digest:)``.
  static func check(
    _ signature: EnclosedSignature?, of rootHash: Digest, anchors: AnchorGroup, revocations: Revocations
  ) throws -> RootHashVerdict? {
    guard !revocations.contains(.rootHash, rootHash) else {
      throw ProvenanceError.revoked(kind: Revocations.Kind.rootHash.rawValue, digest: rootHash)
    }
    guard let signature else { return nil }
    let verdict = check(
      signature.message, from: signature.place, of: rootHash, anchors: anchors, time: Timestamp.now().seconds)
    if let signer = verdict.signer, revocations.contains(.signer, signer) {
      throw ProvenanceError.revoked(kind: Revocations.Kind.signer.rawValue, digest: signer)
    }
    return verdict
  }
}

extension ImageFile {
  /// Tells which of two signatures counts.
  borrowing func warnOfReplacedSignature() {
    guard let replaced = replacedSignature, let file = fileSignature else { return }
    Output.warning(
      "image.two-signatures",
      "`\(path)` has two signatures of its root hash that differ: the one in `\(file.place)` counts, the one in "
        + "\(replaced.place) is passed over")
  }
}

extension TrustAnchors {
  /// The anchors in a directory, this machine's when none is named; told what does not count there.
  static func chosen(in directory: String?) throws -> TrustAnchors {
    let anchors = if let directory { try TrustAnchors(directory: directory) } else { try TrustAnchors.standard() }
    anchors.warn()
    return anchors
  }

  /// Tells what was found where certificates are kept, and does not count.
  func warn() { Output.warnings(problems) }
}

extension Output {
  /// What does not keep the work from being done, and should be known.
  static func warnings(_ diagnostics: [Diagnostic]) {
    for diagnostic in diagnostics { warning(diagnostic.code, diagnostic.message) }
  }
}
