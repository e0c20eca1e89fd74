import Linux
import TestSupport

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
      Case("taken-down-with-its-last-user") { try lastUsers() },
      Case("mounted-twice") {
        let places = try (0..<2).map { _ in try Machine.temporaryDirectory() }
        try Command.expectStatus(0, try run(["mount", "/images/demo.raw", places[0], "--no-signature"]))
        let second = try run(["mount", "/images/demo.raw", places[1], "--no-signature"])
        try Command.expectStatus(1, second)
        try expect(second.text.contains("error[mount.active]") && second.text.contains(places[0]), second.text)
        let named = try run(["mount", "/images/demo.raw", places[1], "--no-signature", "--name", "verity-bpf-second"])
        try Command.expectStatus(0, named)
        for place in places { try Command.expectStatus(0, try run(["umount", place])) }
        try expectNothingLeft()
      },
      Case("what-others-mounted-stays") {
        let other = try VerityVolume("demo", name: "others")
        let result = try run(["umount", try other.mount()])
        try Command.expectStatus(64, result)
        try expect(result.text.contains("error[mount.not-ours]"), result.text)
      },
      Case("signature-that-is-none") {
        let directory = try Machine.temporaryDirectory()
        for (name, bytes) in [
          ("empty", []), ("text", Array("no signature".utf8)), ("zeros", [UInt8](repeating: 0, count: 999)),
        ] {
          try Machine.write("\(directory).\(name)", bytes)
          let result = try run(
            ["mount", "/images/demo.raw", directory, "--root-hash-signature", "\(directory).\(name)"])
          try Command.expectStatus(4, result)
          try expect(result.text.contains("error[mount.signature]"), "\(name): \(result.text)")
        }
        try expectNothingLeft()
      },
      // The key is known, and the signature is of another root hash: that is the cause to report.
      Case("signature-of-another-image", on: .secureBoot) {
        guard let signature = Machine.signature else {
          throw Skipped(reason: "this kernel's dm-verity does not look into the .platform keyring")
        }
        let directory = try Machine.temporaryDirectory()
        let mount = ["mount", "/images/other.raw", directory, "--root-hash-signature"]
        let known = try run(mount + ["/images/\(signature)"])
        try Command.expectStatus(4, known)
        try expect(
          known.text.contains("error[mount.signature]") && known.text.contains("another root hash"), known.text)
        try expect(!known.text.contains("--no-signature"), known.text)
        // Control: a key that is in no keyring.
        let unknown = try run(mount + ["/images/demo.stranger.p7s"])
        try Command.expectStatus(4, unknown)
        try expect(unknown.text.contains("may be in none of them"), unknown.text)
        try expectNothingLeft()
      },
      // A signature beside a disk image counts, and in the place of the one in the disk; there is no falling back to it.
      Case("signature-beside-a-disk", on: .secureBoot) {
        guard let signature = Machine.signature else {
          throw Skipped(reason: "this kernel's dm-verity does not look into the .platform keyring")
        }
        let directory = try Machine.temporaryDirectory()
        let image = "\(directory)-disk.raw"
        for (disk, beside, status, text) in [
          ("ddi-unsigned", signature, 0, "accepted the signature"),
          ("ddi-unsigned", "demo.stranger.p7s", 4, "error[mount.signature]"),
          ("ddi", "demo.stranger.p7s", 4, "error[mount.signature]"),
        ] {
          try Machine.write(image, Machine.read("/images/\(disk).raw"))
          try Machine.write("\(directory)-disk.roothash", Machine.read("/images/demo.roothash"))
          try Machine.write("\(directory)-disk.roothash.p7s", Machine.read("/images/\(beside)"))
          let result = try run(["mount", image, directory])
          try Command.expectStatus(status, result)
          try expect(result.text.contains(text), "\(disk) with \(beside): \(result.text)")
          if status == 0 { try Command.expectStatus(0, try run(["umount", directory])) }
        }
        try expectNothingLeft()
      },
    ])

  /// A volume that is in use when it is unmounted goes later, and that is said.
  private static func lastUsers() throws {
    let places = try (0..<2).map { _ in try Machine.temporaryDirectory() }
    let mount = ["mount", "/images/demo.raw", places[0], "--no-signature"]
    let name = "verity-bpf-\(try Machine.text("/images/demo.roothash").prefix(16))"
    // Somebody has the device open.
    try Command.expectStatus(0, try run(mount))
    let user = try OwnedFD.open("/dev/mapper/\(name)", .readOnly)
    let unmounted = try run(["umount", places[0]])
    try Command.expectStatus(0, unmounted)
    try expect(unmounted.text.contains("remains") && !unmounted.text.contains("is gone"), unmounted.text)
    let again = try run(mount)
    try Command.expectStatus(1, again)
    try expect(again.text.contains("error[mount.active]") && again.text.contains("last user"), again.text)
    try user.close()
    try expectNothingLeft()
    // It is mounted elsewhere too.
    try Command.expectStatus(0, try run(mount))
    try OriginCases.bind(places[0], on: places[1])
    let first = try run(["umount", places[0]])
    try Command.expectStatus(0, first)
    try expect(first.text.contains("remains") && first.text.contains(places[1]), first.text)
    let second = try run(["umount", places[1]])
    try Command.expectStatus(0, second)
    try expect(second.text.contains("is gone"), second.text)
    try expectNothingLeft()
  }

  private static let layouts = ["demo", "sidecar", "ddi"]

  private static func mountAndLoad(_ image: String, _ options: String..., witness: String, signed: Bool) throws {
    let directory = try Machine.temporaryDirectory()
    let mounted = try run(["mount", "/images/\(image).raw", directory] + options)
    try Command.expectStatus(0, mounted)
    try expect(mounted.text.contains(witness), mounted.text)
    // Once, for scripts.
    if image == layouts[0] {
      try Command.expectStatus(0, try run(["umount", directory]))
      try expectNothingLeft()
      let told = try run(["mount", "/images/\(image).raw", directory, "--json"] + options)
      try Command.expectStatus(0, told)
      try expect(told.text.contains(#""keyring_unsealed":\#(signed ? "false" : "null")"#), told.text)
    }
    let work = try Machine.temporaryDirectory()
    let rootHash = try Machine.text("/images/\(image).roothash").trimmed
    for (more, status) in [("", 0), (" dmverity_signature=TRUE", signed ? 0 : 2)] {
      let policy = """
        policy_name=vm policy_version=1.0.0
        DEFAULT action=DENY
        op=BPF_PROG_LOAD dmverity_roothash=sha256:\(rootHash)\(more) x_witness=BOTH action=ALLOW

        """
      try Machine.write("\(work)/p.pol", Array(policy.utf8))
      let loaded = try Command.run(
        "load", "--fd", "3", "--policy", "\(work)/p.pol", "--audit-dir", work, object: "\(directory)/xdp_counter.bpf.o")
      try Command.expectStatus(status, loaded)
    }
    try Command.expectStatus(0, try run(["umount", directory]))
    try expectNothingLeft()
  }

  static func run(_ arguments: [String]) throws -> Command.Result {
    let result = try Subprocess.run(["/usr/bin/verity-bpf"] + arguments)
    return Command.Result(status: result.status, text: result.text)
  }

  /// No volume and no loop device with a file under it, at the latest in a moment: what the kernel takes down with its
  /// last user it takes down in the background.
  static func expectNothingLeft() throws {
    var left = remains()
    for _ in 0..<50 where !left.isEmpty {
      Timestamp.pause(milliseconds: 100)
      left = remains()
    }
    try expect(left.isEmpty, "devices are left: \(left)")
  }

  /// Asked of the kernel: without udev a node stays in /dev/mapper when the kernel itself removes its device.
  static func remains() -> [String] {
    let names = (try? Directory.names("/sys/block")) ?? ["?"]
    return names.filter { $0.hasPrefix("dm-") }
      + names.filter { $0.hasPrefix("loop") }.filter {
        (try? FileStatus.of(path: "/sys/block/\($0)/loop/backing_file")) != nil
      }
  }
}
