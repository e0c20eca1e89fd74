import Base
import CVMSupport
import Glibc
import Linux
import Provenance

/// What the kernel states: who makes a statement, for what time it holds, and that withholding it gains nothing.
enum KernelWordCases {
  static let suite = Suite(
    name: "word",
    cases: [
      Case("control-device-in-user-space") { try controlInUserSpace() },
      Case("other-devices-in-its-place") { try otherControls() },
      Case("hidden-is-no-answer") { try hiddenFiles() },
      Case("name-that-is-no-text") {
        let volume = try VerityVolume("demo", name: "text")
        let path = "\(try volume.mount())/xdp_counter.bpf.o"
        // A byte that no text in UTF-8 has.
        let other: [CChar] = [0x6e, -1, 0]
        try expect(vm_rename_mapped("text", other) == 0, "it cannot be renamed: errno \(errno)")
        defer { _ = vm_rename_mapped(other, "text") }
        try expectEqual(try WitnessCases.examine(path).volume?.rootHash.hex, volume.rootHash, "root hash of its table")
      },
      Case("node-of-another-volume") { try otherNodes() },
      Case("device-older-than-the-module", on: .secureBoot) { try olderDevice() },
    ])

  /// What changes the machine for good, and so comes after every other case.
  static let lastSuite = Suite(
    name: "word",
    cases: [
      Case("module-removed-by-force", on: .integrity, .confidentiality) { try removedByForce() },
      Case("taint-of-a-forced-removal", on: .secureBoot) { try taint() },
    ])

  /// Runs `load` by a policy that allows signed volumes and nothing else.
  private static func loadSigned(_ path: String) throws -> Command.Result {
    let directory = try Machine.temporaryDirectory()
    let rules = "DEFAULT action=DENY\nop=BPF_PROG_LOAD dmverity_signature=TRUE action=ALLOW\n"
    try Machine.write("\(directory)/p.pol", Array("policy_name=p policy_version=1.0.0\n\(rules)".utf8))
    return try Command.run(
      "load", "--fd", "3", "--policy", "\(directory)/p.pol", "--audit-dir", directory, object: path)
  }

  private static func expectNoAnswer(_ result: Command.Result, _ what: String, line: Int = #line) throws {
    try expect(
      result.status == 4 && result.text.contains("error[provenance.cannot-ask]"),
      "\(what): exit \(result.status): \(result.text)", line: line)
  }

  /// Something lies over a path while `body` runs.
  private static func with(_ source: String, over target: String, _ body: () throws -> Void) throws {
    try OriginCases.bind(source, on: target)
    defer { try? Mount.unmount(target) }
    try body()
  }

  private static func controlInUserSpace() throws {
    guard (try? FileStatus.of(path: "/dev/cuse")) != nil else { throw Skipped(reason: "this kernel has no CUSE") }
    let volume = try VerityVolume("evil", name: "unsigned")
    let path = "\(try volume.mount())/xdp_counter.bpf.o"
    try Command.expectStatus(2, try loadSigned(path))
    let server = vm_serve_control("false-control", "2 root_hash_sig_key_desc x")
    try expect(server > 0, "no device in user space: errno \(errno)")
    defer { vm_stop(server) }
    var waited = 0
    while (try? FileStatus.of(path: "/dev/false-control")) == nil, waited < 200 {
      usleep(20_000)
      waited += 1
    }
    try with("/dev/false-control", over: "/dev/mapper/control") {
      try expectNoAnswer(try loadSigned(path), "a process as the device-mapper")
      try expectNoAnswer(try Command.run("provenance", "--fd", "3", object: path), "a process as the device-mapper")
      let doctor = try Command.run("doctor", "--json")
      try expect(doctor.text.contains(#""id":"dm-verity","state":"unknown""#), doctor.text)
      let place = try Machine.temporaryDirectory()
      try expectNoAnswer(try Command.run("mount", "/images/demo.raw", place, "--no-signature"), "mount")
    }
    try Command.expectStatus(2, try loadSigned(path))
  }

  private static func otherControls() throws {
    let volume = try VerityVolume("demo", name: "place")
    let path = "\(try volume.mount())/xdp_counter.bpf.o"
    let place = try Machine.temporaryDirectory()
    let file = "\(try Machine.temporaryDirectory())/control"
    try Machine.write(file, [])
    func expectRefused(_ what: String) throws {
      try expectNoAnswer(try Command.run("provenance", "--fd", "3", object: path), what)
      // Nor is an image mounted without dm-verity for want of an answer.
      try expectNoAnswer(try Command.run("mount", "/images/demo.raw", place, "--no-signature"), what)
    }
    for source in [file, "/dev/null", "/dev/loop-control", volume.loop] {
      try with(source, over: "/dev/mapper/control") { try expectRefused(source) }
    }
    try with(try Machine.temporaryDirectory(), over: "/dev/mapper") { try expectRefused("no node") }
    try Command.expectStatus(0, try Command.run("provenance", "--fd", "3", object: path))
  }

  private static func hiddenFiles() throws {
    let volume = try VerityVolume("demo", name: "hidden")
    let path = "\(try volume.mount())/xdp_counter.bpf.o"
    let file = "\(try Machine.temporaryDirectory())/name"
    try Machine.write(file, Array("x\n".utf8))
    let empty = try Machine.temporaryDirectory()
    let directory = "/sys/dev/block/\(try volume.number)"
    for (source, target) in [
      (file, "\(directory)/dm/name"), (empty, "\(directory)/dm"), (empty, "/sys/dev"), (empty, "/sys"),
      (file, "\(directory)/diskseq"), (file, "/sys/class/misc/device-mapper/dev"),
    ] {
      guard (try? FileStatus.of(path: target)) != nil else { continue }
      try with(source, over: target) {
        try expectNoAnswer(try Command.run("provenance", "--fd", "3", object: path), "\(source) over \(target)")
      }
    }
    try Command.expectStatus(0, try Command.run("provenance", "--fd", "3", object: path))
    // Whose mount it is cannot be asked either.
    let place = try Machine.temporaryDirectory()
    try Command.expectStatus(0, try Command.run("mount", "/images/other.raw", place, "--no-signature"))
    try with(empty, over: "/sys") { try expectNoAnswer(try Command.run("umount", place), "umount without sysfs") }
    try Command.expectStatus(0, try Command.run("umount", place))
  }

  private static func otherNodes() throws {
    let volume = try VerityVolume("demo", name: "first")
    let path = "\(try volume.mount())/xdp_counter.bpf.o"
    let other = try VerityVolume("demo", name: "second")
    for source in [try other.device, other.loop, "/dev/null"] {
      try with(source, over: volume.loop) {
        try expectNoAnswer(try Command.run("provenance", "--fd", "3", object: path), "\(source) over \(volume.loop)")
      }
    }
    try Command.expectStatus(0, try Command.run("provenance", "--fd", "3", object: path))
  }

  /// A device that was there before the module: its table is of the module that is loaded now, which cannot be told from
  /// one that another module took.
  private static func olderDevice() throws {
    guard let signature = Machine.signature else {
      throw Skipped(reason: "this kernel's dm-verity does not look into the .platform keyring")
    }
    let mapper = try DeviceMapper.open()
    _ = try mapper.create(name: "older", uuid: "CRYPT-VERITY-11111111222233334444555555555555-older")
    defer { try? mapper.remove(name: "older") }
    try mapper.loadTable(name: "older", type: "error", sectors: 8, parameters: "")
    try mapper.resume(name: "older")
    try Machine.removeModule("dm_verity")
    try Machine.insertModule("dm_verity")
    let volume = try VerityVolume("demo", name: "older", signature: signature, replacesTable: true)
    let older = try WitnessCases.unwrap(
      try WitnessCases.examine("\(volume.mount())/xdp_counter.bpf.o").volume, "the kernel's witness")
    try expect(older.isSigned && !older.isVouchedByKernelKey, "\(older.keyring)")
    try expectEqual(older.keyring, .unknown(.moduleYounger), "keyring")
    volume.close()
    let younger = try VerityVolume("demo", name: "younger", signature: signature)
    let facts = try WitnessCases.unwrap(
      try WitnessCases.examine("\(younger.mount())/xdp_counter.bpf.o").volume, "the kernel's witness")
    try expect(facts.isVouchedByKernelKey, "\(facts.keyring)")
  }

  /// Which module was removed by force the kernel does not tell: it may have been dm-verity.
  private static func taint() throws {
    guard let signature = Machine.signature else {
      throw Skipped(reason: "this kernel's dm-verity does not look into the .platform keyring")
    }
    guard Machine.isConfigured("CONFIG_MODULE_FORCE_UNLOAD=y"), (try? FileStatus.of(path: "/dev/cuse")) != nil else {
      throw Skipped(reason: "this kernel has no module here that can be removed by force")
    }
    let volume = try VerityVolume("demo", name: "tainted", signature: signature)
    let path = "\(try volume.mount())/xdp_counter.bpf.o"
    try Command.expectStatus(0, try loadSigned(path))
    let before = try WitnessCases.unwrap(try WitnessCases.examine(path).volume, "the kernel's witness")
    try expect(before.isVouchedByKernelKey, "\(before.keyring)")
    // In use until the machine is turned off: closing it would call what is gone. That is what a program that is started
    // from now on does, too, so none is.
    try expect(open("/dev/cuse", O_RDWR) >= 0, "the module cannot be used: errno \(errno)")
    try expect(vm_force_module_out("cuse") == 0, "it cannot be removed by force: errno \(errno)")
    let facts = try WitnessCases.unwrap(try WitnessCases.examine(path).volume, "the kernel's witness")
    try expectEqual(facts.keyring, .unknown(.moduleRemoved), "keyring")
    try expect(facts.isSigned && !facts.isVouchedByKernelKey, "root's own key could have signed it")
  }

  /// dm-verity taken out under a volume that root's own key signed, and put back with its keyring closed.
  private static func removedByForce() throws {
    let parameter = "/sys/module/dm_verity/parameters/keyring_unsealed"
    guard (try? Machine.text(parameter)) != nil else {
      throw Skipped(reason: "this kernel's dm-verity has no keyring of its own")
    }
    guard Machine.isConfigured("CONFIG_MODULE_FORCE_UNLOAD=y") else {
      throw Skipped(reason: "this kernel removes no module by force")
    }
    try Machine.removeModule("dm_verity")
    try Machine.insertModule("dm_verity", parameters: "keyring_unsealed=1")
    let ring = try KeyringCases.serial(of: ".dm-verity")
    let certificate = try Machine.read("/images/stranger.der")
    try expect(
      certificate.withUnsafeBytes { vm_add_certificate($0.baseAddress, UInt($0.count), ring) } > 0,
      "root cannot add its key: errno \(errno)")
    try expect(vm_close_keyring(ring) == 0, "the keyring cannot be restricted: errno \(errno)")
    let volume = try VerityVolume("demo", name: "forced", signature: "demo.stranger.p7s")
    let path = "\(try volume.mount())/xdp_counter.bpf.o"
    try Command.expectStatus(2, try loadSigned(path))

    try expect(vm_force_module_out("dm_verity") == 0, "it cannot be removed by force: errno \(errno)")
    try Machine.insertModule("dm_verity")
    try expectEqual(try Machine.text(parameter).trimmed, "N", "what the new module says")
    try Command.expectStatus(2, try loadSigned(path))
    let told = try Command.run("provenance", "--fd", "3", object: path)
    try expect(told.text.contains("removed by force"), told.text)
    let doctor = try Command.run("doctor")
    try expect(doctor.text.contains("removed by force"), doctor.text)
  }
}
