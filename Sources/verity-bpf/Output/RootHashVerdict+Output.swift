import Base
import Image
import Linux
import Trust

extension RootHashVerdict {
  /// One line for people.
  var line: String {
    guard let refusal else { return "holds, by \(subject ?? "somebody") of the trust anchors `\(anchors ?? "none")`" }
    return "does not count: \(refusal.code), \(refusal.message)"
  }

  /// Judges a root hash and the signature that came with it, now.
  ///
  /// - Returns: nil when none came with it.
  static func judge(
    _ rootHash: Digest, _ signature: EnclosedSignature?, trust: Trust
  ) throws(Revocation) -> RootHashVerdict? {
    try judge(
      rootHash, signature: signature?.message, from: signature?.place ?? "", trust: trust, at: Timestamp.now().seconds)
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

extension Trust {
  /// The anchors in a directory, this machine's when none is named; told what does not count there.
  ///
  /// - Parameter binds: whether the command lets something in, so that the settings of this host may leave no choice.
  static func told(in directory: String?, binds: Bool = false) throws -> Trust {
    let trust = binds ? try Site.bindingTrust(directory) : try Site.trust(directory)
    trust.warn()
    return trust
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
