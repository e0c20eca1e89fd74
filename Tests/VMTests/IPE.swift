import Linux

/// The kernel's IPE (Documentation/admin-guide/LSM/ipe.rst).
enum IPE {
  private static let root = "/sys/kernel/security/ipe"

  /// Skips the case where this kernel has no IPE, or no key of ours to check a policy with.
  static func require() throws {
    guard (try? FileStatus.of(path: root)) != nil else { throw Skipped(reason: "this kernel has no IPE") }
    guard Machine.signature != nil else { throw Skipped(reason: "no key of ours is in a keyring that IPE looks into") }
  }

  /// Loads a policy of `/images` unless it is there, and puts it into force. One write: a policy in two is refused.
  static func enforce(_ policy: String, in directory: String = "/images") throws {
    if (try? FileStatus.of(path: "\(root)/policies/\(policy)")) == nil {
      try put("\(root)/new_policy", Machine.read("\(directory)/\(policy).p7b"))
    }
    try put("\(root)/policies/\(policy)/active", Array("1".utf8))
    try put("\(root)/enforce", Array("1".utf8))
  }

  static func relax() { try? put("\(root)/enforce", Array("0".utf8)) }

  private static func put(_ path: String, _ bytes: [UInt8]) throws {
    try OwnedFD.open(path, .writeOnly).writeAll(bytes.span.bytes)
  }
}
