import Linux

/// Evidence that is left out, or put in doubt, so that what lowers trust is not met: it gains nothing.
enum WithheldCases {
  static let suite = Suite(
    name: "withheld",
    cases: [
      // The attack: a volume that a DENY rule names, opened so that the kernel's word about it is in doubt.
      Case("doubts-do-not-hide-a-root-hash") {
        let evil = try Machine.text("/images/evil.roothash").trimmed
        let rules =
          "op=BPF_PROG_LOAD dmverity_roothash=sha256:\(evil) action=DENY\nop=BPF_PROG_LOAD x_image_name=demo action=ALLOW"
        try expectEqual(try load("demo", [], rules).status, 0, "another volume, in no doubt")
        for options in [[], ["ignore_corruption"], ["check_at_most_once"]] {
          let result = try load("evil", options, rules)
          try Command.expectStatus(2, result)
          try expect(result.text.contains("line 3"), result.text)
        }
      },
      // No rule allows by anything about a volume that is in doubt.
      Case("doubts-allow-nothing") {
        let rootHash = try Machine.text("/images/demo.roothash").trimmed
        for rule in [
          "x_image_name=demo", "x_image_version_min=1.0", "x_path=/xdp_counter.bpf.o", "x_witness=USERSPACE",
          "dmverity_roothash=sha256:\(rootHash)",
        ] {
          let allowing = "op=BPF_PROG_LOAD \(rule) action=ALLOW"
          try expectEqual(try load("demo", [], allowing).status, 0, rule)
          let result = try load("demo", ["check_at_most_once"], allowing)
          try Command.expectStatus(2, result)
          // The rule is there: to add one is no advice.
          try expect(result.text.contains("line 3 would allow it"), result.text)
          try expect(!result.text.contains("if you trust this image"), result.text)
        }
      },
      // The same bytes where nothing says which volume they are of.
      Case("a-copy-is-not-ruled-out") {
        let evil = try Machine.text("/images/evil.roothash").trimmed
        let denying = "op=BPF_PROG_LOAD dmverity_roothash=sha256:\(evil) action=DENY\n"
        let volume = try VerityVolume("demo", name: "copied")
        let directory = try Machine.temporaryDirectory()
        let object = "\(directory)/xdp_counter.bpf.o"
        try Machine.write(object, try Machine.read("\(volume.mount())/xdp_counter.bpf.o"))
        let allowing = "op=BPF_PROG_LOAD x_class=RESTRICTED action=ALLOW\nop=BPF_PROG_LOAD x_class=FULL action=ALLOW"
        for (rules, status) in [(denying + allowing, 2), (allowing + "\n" + denying, 0)] {
          try WithheldCases.write(rules, "\(directory)/p.pol")
          let result = try Command.run(
            "load", "--object", object, "--policy", "\(directory)/p.pol", "--audit-dir", directory)
          try Command.expectStatus(status, result)
        }
      },
      // The attack: the file with a revoked signer's signature is taken away from beside the image.
      Case("revoked-signer-without-the-file", on: .secureBoot) { try revokedSigner() },
    ])

  /// Comes last: every decision of the loads before it was tried with less (``Command``).
  static let deletion = Suite(
    name: "deletion",
    cases: [
      Case("every-denial-stands") {
        try expect(Command.triedDecisions > 0, "no decision was tried")
        Machine.say("deletion: \(Command.triedDecisions) decisions")
      }
    ])

  private static func revokedSigner() throws {
    guard let signature = Machine.signature else {
      throw Skipped(reason: "this kernel's dm-verity does not look into the .platform keyring")
    }
    let trust = try Machine.temporaryDirectory()
    try Directory.create("\(trust)/image")
    try Machine.write("\(trust)/image/db.pem", try Machine.read("/images/db.pem"))
    let signed = "op=BPF_PROG_LOAD dmverity_signature=TRUE action=ALLOW"
    func status() throws -> Int {
      try load("demo", [], signed, signature: signature, more: ["--trust-anchors", trust]).status
    }
    func without(_ body: () throws -> Void) throws {
      try Machine.rename("/images/\(signature)", to: "/images/kept.p7s")
      defer { try? Machine.rename("/images/kept.p7s", to: "/images/\(signature)") }
      try body()
    }
    try expectEqual(try status(), 0, "nobody is revoked")
    // Another signer is revoked: it has to be known that it was not that one.
    try Machine.write("\(trust)/revoked", Array("signer sha256:\(String(repeating: "0a", count: 32))\n".utf8))
    try expectEqual(try status(), 0, "the signer is known, and is not revoked")
    let volume = try VerityVolume("demo", name: "withheld", signature: signature)
    let mount = try volume.mount()
    try without {
      try expectEqual(
        try loadMounted(mount, signed, ["--trust-anchors", trust]).status, 2, "nobody knows who signed")
    }
    try expectEqual(try loadMounted(mount, signed, ["--trust-anchors", trust]).status, 0, "the file is back")
  }

  private static func write(_ rules: String, _ path: String) throws {
    try Machine.write(path, Array("policy_name=vm policy_version=1.0.0\nDEFAULT action=DENY\n\(rules)\n".utf8))
  }

  private static func load(
    _ image: String, _ options: [String], _ rules: String, signature: String? = nil, more: [String] = []
  ) throws -> Command.Result {
    let volume = try VerityVolume(image, name: "withheld", signature: signature, options: options)
    return try loadMounted(try volume.mount(), rules, more)
  }

  private static func loadMounted(_ mount: String, _ rules: String, _ more: [String]) throws -> Command.Result {
    let directory = try Machine.temporaryDirectory()
    try write(rules, "\(directory)/p.pol")
    return try Command.run(
      ["load", "--fd", "3", "--policy", "\(directory)/p.pol", "--audit-dir", directory] + more,
      object: "\(mount)/xdp_counter.bpf.o")
  }
}
