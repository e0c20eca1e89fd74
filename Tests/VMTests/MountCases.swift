import LinuxSys

/// `verity-bpf mount` and `umount` over real device-mapper volumes, and that nothing is left of either.
enum MountCases {
  static let suite = Suite(
    name: "mount",
    cases: [
      Case("signed", on: .secureBoot) {
        guard Machine.signature != nil else {
          throw Skipped(reason: "this kernel's dm-verity does not look into the .platform keyring")
        }
        for layout in layouts { try mountAndLoad(layout, witness: "accepted the signature", signed: true) }
      },
      Case("by-root-hash") {
        for layout in layouts {
          try mountAndLoad(layout, "--no-signature", witness: "by the root hash; no signature", signed: false)
        }
      },
      Case("unknown-key", on: .integrity, .confidentiality) {
        let directory = try Machine.temporaryDirectory()
        for layout in layouts {
          let result = try Command.run("mount", "/images/\(layout).raw", directory)
          try Command.expectStatus(4, result)
          try expect(result.text.contains("error[mount.signature]"), result.text)
          try expect(result.text.contains("Required key not available"), result.text)
        }
        try expectNothingLeft()
      },
      Case("undone-when-it-cannot-be-mounted") {
        let result = try Command.run("mount", "/images/ddi.raw", "/nowhere", "--no-signature")
        try Command.expectStatus(1, result)
        try expectNothingLeft()
      },
      Case("damaged-image-is-not-shown-to-the-kernel") {
        let directory = try Machine.temporaryDirectory()
        let result = try Command.run("mount", "/images/flipped.raw", directory)
        try Command.expectStatus(4, result)
        try expectNothingLeft()
      },
    ])

  private static let layouts = ["demo", "sidecar", "ddi"]

  private static func mountAndLoad(_ image: String, _ options: String..., witness: String, signed: Bool) throws {
    let directory = try Machine.temporaryDirectory()
    let mounted = try run(["mount", "/images/\(image).raw", directory] + options)
    try Command.expectStatus(0, mounted)
    try expect(mounted.text.contains(witness), mounted.text)
    let work = try Machine.temporaryDirectory()
    let rootHash = try Machine.text("/images/\(image).roothash").trimmed
    let policy = """
      policy_name=vm policy_version=1.0.0
      DEFAULT action=DENY
      op=BPF_PROG_LOAD dmverity_roothash=sha256:\(rootHash) dmverity_signature=\(signed ? "TRUE" : "FALSE") \
      x_witness=BOTH action=ALLOW

      """
    try Machine.write("\(work)/p.pol", Array(policy.utf8))
    let loaded = try Command.run(
      "load", "--fd", "3", "--policy", "\(work)/p.pol", "--audit-dir", work, object: "\(directory)/xdp_counter.bpf.o")
    try Command.expectStatus(0, loaded)
    try Command.expectStatus(0, try run(["umount", directory]))
    try expectNothingLeft()
  }

  private static func run(_ arguments: [String]) throws -> Command.Result {
    let result = try Subprocess.run(["/usr/bin/verity-bpf"] + arguments)
    return Command.Result(status: result.status, text: result.text)
  }

  /// No volume of ours and no loop device with a file under it.
  private static func expectNothingLeft() throws {
    let volumes = try Directory.names("/dev/mapper").filter { $0.hasPrefix("verity-bpf-") }
    try expect(volumes.isEmpty, "volumes are left: \(volumes)")
    let loops = try Directory.names("/sys/block").filter { $0.hasPrefix("loop") }.filter {
      (try? FileStatus.of(path: "/sys/block/\($0)/loop/backing_file")) != nil
    }
    try expect(loops.isEmpty, "loop devices are left: \(loops)")
  }
}
