import Linux

/// Signed root hashes: what the kernel takes, and a load from such a volume.
enum SignedImageCases {
  static let suite = Suite(
    name: "signed-image",
    cases: [
      Case("loads-a-program", on: .secureBoot) {
        guard let signature = Machine.signature else {
          throw Skipped(reason: "this kernel's dm-verity does not look into the .platform keyring")
        }
        let volume = try VerityVolume("demo", name: "demo", signature: signature)
        let mount = try volume.mount()
        let directory = try Machine.temporaryDirectory()
        try Machine.write("\(directory)/p.pol", Array(policy(volume.rootHash, "x_dmverity_mode=EIO ").utf8))
        let result = try Command.run(
          "load", "--fd", "3", "--policy", "\(directory)/p.pol", "--audit-dir", directory,
          object: "\(mount)/xdp_counter.bpf.o")
        try Command.expectStatus(0, result)
      },
      Case("unknown-key", on: .integrity, .confidentiality) {
        try expectErrno("ENOKEY", "a signature by a key that the kernel does not have") {
          _ = try VerityVolume("demo", name: "nokey", signature: "demo.roothash.p7s")
        }
      },
      Case("other-root-hash", on: .secureBoot) {
        try expectErrno(Machine.signature == nil ? "ENOKEY" : "EKEYREJECTED", "another image's signature") {
          _ = try VerityVolume("other", name: "rejected", signature: "demo.roothash.p7s")
        }
      },
    ])

  /// A policy that allows a volume whose signature the kernel has checked.
  ///
  /// - Parameter more: further properties of the rule, each with a blank after it.
  static func policy(_ rootHash: String, _ more: String = "") -> String {
    """
    policy_name=vm policy_version=1.0.0
    DEFAULT action=DENY
    op=BPF_PROG_LOAD dmverity_roothash=sha256:\(rootHash) dmverity_signature=TRUE x_witness=BOTH \(more)action=ALLOW

    """
  }
}
