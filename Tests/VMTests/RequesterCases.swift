import Linux
import TestSupport

/// Facts about the process that asks, which only a kernel with dm-verity can bear out: the command on a volume of its own.
enum RequesterCases {
  static let suite = Suite(
    name: "requester",
    cases: [
      Case("executable-of-a-volume", on: .integrity) {
        let tool = try VerityVolume("tool", name: "requester")
        let place = try tool.mount()
        let digest = try Subprocess.run(["/bin/busybox", "sha256sum", "\(place)/verity-bpf"]).text.prefix(64)
        let root = "x_requester_dmverity_roothash=sha256:"
        let object = "x_requester_object=sha256:"
        let other = String(repeating: "0", count: 64)
        let allows = "op=BPF_PROG_LOAD action=ALLOW"
        // Reading the command takes its time in this machine, so that a policy asks for much at once.
        try expectEqual(
          try load(
            by: place,
            """
            \(root)\(other) action=DENY
            op=BPF_PROG_LOAD \(object)\(other) action=DENY
            op=BPF_PROG_LOAD \(root)\(tool.rootHash) \(object)\(digest) action=ALLOW
            """), 0, "its own volume and bytes")
        try expectEqual(
          try load(
            by: place,
            """
            \(root)\(other) action=ALLOW
            op=BPF_PROG_LOAD \(object)\(other) action=ALLOW
            op=BPF_PROG_LOAD x_requester_dmverity_signature=TRUE action=ALLOW
            op=BPF_PROG_LOAD \(object)\(digest) action=DENY
            \(allows)
            """), 2, "another's, and a signature that nobody made")
        // The same bytes on the initramfs are no volume's. What is not known stands in the way of an ALLOW behind it.
        for rule in ["\(root)\(tool.rootHash)", "\(object)\(digest)"] {
          try expectEqual(try load(by: "/usr/bin", "\(rule) action=ALLOW"), 2, "\(rule) for a copy")
          try expectEqual(try load(by: "/usr/bin", "\(rule) action=DENY\n\(allows)"), 2, "\(rule) denied")
        }
      },
      // A volume that hands out damaged blocks.
      Case("executable-of-a-volume-in-doubt", on: .integrity) {
        let tool = try VerityVolume("tool", name: "requester", options: ["ignore_corruption"])
        let place = try tool.mount()
        let rule = "x_requester_dmverity_roothash=sha256:\(tool.rootHash)"
        try expectEqual(try load(by: place, "\(rule) action=ALLOW"), 2, "a volume that ignores corruption")
        try expectEqual(
          try load(by: place, "\(rule) action=DENY\nop=BPF_PROG_LOAD action=ALLOW"), 2, "and stays denied by it")
      },
      Case("executable-of-a-signed-volume", on: .secureBoot) {
        guard Machine.signature != nil else {
          throw Skipped(reason: "this kernel's dm-verity does not look into the .platform keyring")
        }
        let tool = try VerityVolume("tool", name: "requester", signature: "tool.roothash.p7s")
        let place = try tool.mount()
        let signed = "x_requester_dmverity_signature=TRUE action=ALLOW"
        try expectEqual(try load(by: place, signed), 0, signed)
        try expectEqual(try load(by: "/usr/bin", signed), 2, "the same from the initramfs")
      },
    ])

  /// The exit status of the command in that directory, with a policy of such rules about a program that is only decided about.
  private static func load(by place: String, _ rules: String) throws -> Int {
    let directory = try Machine.temporaryDirectory()
    let text = "policy_name=r policy_version=1.0.0\nDEFAULT action=DENY\nop=BPF_PROG_LOAD \(rules)\n"
    try Machine.write("\(directory)/r.pol", Array(text.utf8))
    let result = try Subprocess.run([
      "\(place)/verity-bpf", "load", "--image", "/images/demo.raw", "--object", "xdp_counter.bpf.o", "--policy",
      "\(directory)/r.pol", "--dry-run", "--audit-dir", directory,
    ])
    guard result.status == 0 || result.status == 2 else {
      throw Failure(description: "exit \(result.status): \(result.text)")
    }
    return result.status
  }
}
