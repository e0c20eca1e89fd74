import Base
import Linux
import Provenance
import TestSupport

/// Objects on dm-verity volumes of other file systems than EROFS: on ext4 and squashfs both witnesses vouch for them, on
/// btrfs, of which there is no reader here, the kernel alone.
enum OtherFileSystemCases {
  static let suite = Suite(
    name: "other-file-system",
    cases: [
      Case("ext4") { try bothVouch(on: "ext4") },
      Case("squashfs") { try bothVouch(on: "squashfs") },
      Case("squashfs-zstd") { try bothVouch(on: "squashfs-zstd", type: "squashfs") },
      Case("btrfs") { try kernelAlone(on: "btrfs") },
      Case("swapped-table") {
        for kind in kinds {
          let volume = try VerityVolume("demo-\(kind)", name: kind)
          let path = "\(try volume.mount(type: kind))/xdp_counter.bpf.o"
          let rule = "dmverity_roothash=sha256:\(volume.rootHash) x_witness=KERNEL"
          try Command.expectStatus(0, try load(path, rule))
          try swap(volume, kind)
          // The root hash in force is another; where the file system is read, the cached pages of the first volume are
          // noticed too.
          let result = try load(path, rule)
          try Command.expectStatus(kind == "btrfs" ? 2 : 4, result)
          try swapBack(volume)
          try Machine.dropCaches()
          try Command.expectStatus(0, try load(path, rule))
        }
      },
      Case("poisoned-page-cache") {
        for kind in ["ext4", "squashfs"] {
          let volume = try VerityVolume("demo-\(kind)", name: kind)
          let path = "\(try volume.mount(type: kind))/xdp_counter.bpf.o"
          let rule = "dmverity_roothash=sha256:\(volume.rootHash) x_witness=KERNEL"
          // Before the first read: squashfs keeps the ends of files in memory of its own, which drop_caches leaves alone.
          try swap(volume, kind)
          try Machine.dropCaches()
          let poison = try Machine.read(path)
          let isEvil = poison.span.bytes.firstOffset(of: Array("Evil BSD".utf8).span.bytes) != nil
          try expect(isEvil, "\(kind): the object is not the twin's")
          try swapBack(volume)
          try expectEqual(try Machine.read(path), poison, "\(kind): what the page cache holds")
          let result = try load(path, rule)
          try Command.expectStatus(4, result)
          try expect(result.text.contains("provenance.page-cache"), result.text)
          guard kind == "ext4" else { continue }
          try Machine.dropCaches()
          try Command.expectStatus(0, try load(path, rule))
        }
      },
      Case("without-dm-verity") {
        for kind in kinds {
          let loop = try LoopDevices.attachReadOnly(OwnedFD.open("/images/demo-\(kind).raw", .readOnly))
          defer { try? LoopDevices.detach(loop) }
          let place = try Machine.temporaryDirectory()
          try Mount.mount(loop, on: place, type: kind, .readOnly)
          defer { try? Mount.unmount(place) }
          let path = "\(place)/xdp_counter.bpf.o"
          let result = try load(path, "x_witness=KERNEL")
          guard kind == "btrfs" else {
            // The backing file is an image with a tree: its blocks are verified, and the kernel has nothing to say.
            try Command.expectStatus(2, result)
            try Command.expectStatus(0, try load(path, "x_witness=USERSPACE"))
            continue
          }
          try Command.expectStatus(4, result)
          try expect(result.text.contains("is on \(kind): its device 7:"), result.text)
          try expect(result.text.contains("no hash tree is over its blocks"), result.text)
        }
      },
      Case("device-over-a-volume") {
        let volume = try VerityVolume("demo-squashfs", name: "lower")
        let mapper = try DeviceMapper.open()
        let upper = try mapper.create(name: "upper", uuid: "CRYPT-VERITY-99999999222233334444555555555555-upper")
        defer { try? mapper.remove(name: "upper") }
        let number = try volume.number
        try mapper.loadTable(name: "upper", type: "linear", sectors: volume.sectors(), parameters: "\(number) 0")
        try mapper.resume(name: "upper")
        let place = try Machine.temporaryDirectory()
        try Mount.mount("/dev/dm-\(upper.number.minor)", on: place, type: "squashfs", .readOnly)
        defer { try? Mount.unmount(place) }
        let result = try load("\(place)/xdp_counter.bpf.o", "x_witness=KERNEL")
        try Command.expectStatus(4, result)
        try expect(result.text.contains("dm-table.target-type"), result.text)
      },
      Case("volume-in-doubt") {
        let volume = try VerityVolume("demo-ext4", name: "doubt", options: ["ignore_corruption"])
        let result = try load("\(volume.mount(type: "ext4"))/xdp_counter.bpf.o", "x_witness=KERNEL")
        try Command.expectStatus(2, result)
        try expect(result.text.contains("ignores-corruption"), result.text)
      },
      Case("several-devices") {
        // btrfs gives its files no device number that a device has, so it is asked how many it has.
        let place = try Machine.temporaryDirectory()
        var loops: [String] = []
        defer { for loop in loops { try? LoopDevices.detach(loop) } }
        for name in ["a", "b"] {
          let file = try OwnedFD.open("\(place)/\(name)", [.readWrite, .create], mode: 0o600)
          try file.writeAll([0].span.bytes, at: 128 << 20)
          let free = try Subprocess.run(["/bin/losetup", "-f"]).text.trimmed
          let attached = try Subprocess.run(["/bin/losetup", free, "\(place)/\(name)"])
          try expect(attached.status == 0, attached.text)
          loops.append(free)
        }
        let made = try Subprocess.run(["/usr/sbin/mkfs.btrfs", "-q", "-d", "single", "-m", "single"] + loops)
        try expect(made.status == 0, made.text)
        try Directory.create("\(place)/m")
        let mounted = try Subprocess.run(
          ["/bin/mount", "-t", "btrfs", "-o", "device=\(loops[1])", loops[0], "\(place)/m"])
        try expect(mounted.status == 0, mounted.text)
        defer { try? Mount.unmount("\(place)/m") }
        try Machine.write("\(place)/m/a.bpf.o", Array("an object".utf8))
        let result = try load("\(place)/m/a.bpf.o", "x_witness=KERNEL")
        try Command.expectStatus(4, result)
        try expect(result.text.contains("it has 2 devices"), result.text)
      },
    ])

  private static let kinds = ["ext4", "squashfs", "btrfs"]

  /// The whole way, by rules that both witnesses are needed for.
  private static func bothVouch(on image: String, type: String? = nil) throws {
    let volume = try VerityVolume("demo-\(image)", name: image)
    let path: String
    do {
      path = "\(try volume.mount(type: type ?? image))/xdp_counter.bpf.o"
    } catch {
      throw Skipped(reason: "this kernel does not mount it: \(error)")
    }
    try WitnessCases.expectBothVouch(for: path, on: volume)
    let root = "dmverity_roothash=sha256:\(volume.rootHash)"
    for rule in [root, "\(root) x_witness=BOTH", "\(root) x_blocks_verified=TRUE"] {
      try Command.expectStatus(0, try load(path, rule))
    }
    let other = try Machine.text("/images/other.roothash").trimmed
    try Command.expectStatus(2, try load(path, "dmverity_roothash=sha256:\(other)"))
    // Without a mount, out of the file.
    try Command.expectStatus(
      0, try Command.run("provenance", "--image", "/images/demo-\(image).raw", "--object", "xdp_counter.bpf.o"))
  }

  /// What a rule allows of an object on such a volume, and what it does not.
  private static func kernelAlone(on kind: String) throws {
    let volume = try VerityVolume("demo-\(kind)", name: kind)
    let path = "\(try volume.mount(type: kind))/xdp_counter.bpf.o"
    let root = "dmverity_roothash=sha256:\(volume.rootHash)"
    let loaded = try load(path, "\(root) x_witness=KERNEL")
    try Command.expectStatus(0, loaded)
    try expect(loaded.text.contains(#""witness":"kernel""#), loaded.text)
    try expect(loaded.text.contains(#""verified_blocks":null"#), loaded.text)
    try Command.expectStatus(2, try load(path, "\(root) x_witness=KERNEL x_blocks_verified=TRUE"))
    // Another volume's rule, and rules that do not believe the kernel alone.
    let other = try Machine.text("/images/other.roothash").trimmed
    try Command.expectStatus(2, try load(path, "dmverity_roothash=sha256:\(other) x_witness=KERNEL"))
    for rule in [root, "\(root) x_witness=BOTH", "\(root) x_witness=USERSPACE"] {
      let result = try load(path, rule)
      try Command.expectStatus(4, result)
      for text in ["provenance.kernel-alone", volume.rootHash, "x_witness=KERNEL", kind] {
        try expect(result.text.contains(text), "no \(text) in \(result.text)")
      }
      for text in ["writable", "spans devices", "no hash tree"] {
        try expect(!result.text.contains(text), result.text)
      }
    }
  }

  /// Puts the evil twin's table under a mounted volume.
  private static func swap(_ volume: VerityVolume, _ kind: String) throws {
    let evil = try LoopDevices.attachReadOnly(OwnedFD.open("/images/evil-\(kind).raw", .readOnly))
    // The table holds it from here on.
    defer { try? LoopDevices.detach(evil) }
    try volume.load(loop: evil, rootHash: Machine.text("/images/evil-\(kind).roothash").trimmed)
    try volume.resume()
  }

  private static func swapBack(_ volume: VerityVolume) throws {
    try volume.load(loop: volume.loop)
    try volume.resume()
  }

  /// Loads an object under a policy of one rule; the answer has the audit record at its end.
  private static func load(_ path: String, _ rule: String) throws -> Command.Result {
    let directory = try Machine.temporaryDirectory()
    try Machine.write(
      "\(directory)/p.pol",
      Array(
        "policy_name=other policy_version=1.0.0\nDEFAULT action=DENY\nop=BPF_PROG_LOAD \(rule) action=ALLOW\n".utf8))
    let result = try Command.run(
      "load", "--fd", "3", "--policy", "\(directory)/p.pol", "--audit-dir", directory, object: path)
    let record = (try? Machine.text("\(directory)/audit.jsonl")) ?? ""
    return Command.Result(status: result.status, text: result.text + record)
  }
}
