import Base
import Linux
import Provenance
import TestSupport

/// Objects that an overlay without a writable layer shows: of dm-verity volumes, and of what systemd-sysext has merged.
enum OverlayCases {
  static let suite = Suite(
    name: "overlay",
    cases: [
      Case("both-vouch-through-an-overlay") {
        let (upper, lower) = try (VerityVolume("demo-ext4", name: "upper"), VerityVolume("other", name: "lower"))
        let places = try [upper.mount(type: "ext4"), lower.mount()]
        try over(places) { place in
          let path = "\(place)/xdp_counter.bpf.o"
          try WitnessCases.expectBothVouch(for: path, on: upper)
          let root = "dmverity_roothash=sha256:\(upper.rootHash)"
          for rule in [root, "\(root) x_witness=BOTH"] { try Command.expectStatus(0, try load(path, rule)) }
          try Command.expectStatus(2, try load(path, "dmverity_roothash=sha256:\(lower.rootHash)"))
          let result = try load(path, root)
          try expect(result.text.contains(#""layer":"\#(places[0])""#), result.text)
        }
        try over(places.reversed()) { place in
          try WitnessCases.expectBothVouch(for: "\(place)/xdp_counter.bpf.o", on: lower)
        }
      },
      Case("kernel-alone-through-an-overlay") {
        let volume = try VerityVolume("demo-btrfs", name: "btrfs")
        try over([volume.mount(type: "btrfs"), Machine.temporaryDirectory()]) { place in
          let path = "\(place)/xdp_counter.bpf.o"
          let root = "dmverity_roothash=sha256:\(volume.rootHash)"
          try Command.expectStatus(0, try load(path, "\(root) x_witness=KERNEL"))
          let result = try load(path, root)
          try Command.expectStatus(4, result)
          try expect(result.text.contains("provenance.kernel-alone"), result.text)
        }
      },
      Case("attacks-below-an-overlay") {
        let volume = try VerityVolume("demo-ext4", name: "below")
        try over([volume.mount(type: "ext4"), Machine.temporaryDirectory()]) { place in
          let path = "\(place)/xdp_counter.bpf.o"
          let rule = "dmverity_roothash=sha256:\(volume.rootHash)"
          try Command.expectStatus(0, try load(path, rule))
          try volume.suspend()
          let suspended = try load(path, rule)
          try volume.resume()
          try Command.expectStatus(4, suspended)
          try expect(suspended.text.contains("provenance.suspended"), suspended.text)
          // Another table, and back, while the page cache holds what the other one led to.
          let evil = try LoopDevices.attachReadOnly(OwnedFD.open("/images/evil-ext4.raw", .readOnly))
          defer { try? LoopDevices.detach(evil) }
          try volume.load(loop: evil, rootHash: Machine.text("/images/evil-ext4.roothash").trimmed)
          try volume.resume()
          try Command.expectStatus(4, try load(path, rule))
          try Machine.dropCaches()
          _ = try Machine.read(path)
          try volume.load(loop: volume.loop)
          try volume.resume()
          let poisoned = try load(path, rule)
          try Command.expectStatus(4, poisoned)
          try expect(poisoned.text.contains("provenance.page-cache"), poisoned.text)
          try Machine.dropCaches()
          try Command.expectStatus(0, try load(path, rule))
        }
      },
      Case("merged-extension", on: .secureBoot) {
        try merged { path, volume in
          let rootHash = volume.rootHash.hex
          try expectEqual(rootHash, try Machine.text("/images/bpf-tools.roothash").trimmed, "root hash")
          let root = "dmverity_roothash=sha256:\(rootHash)"
          for rule in [root, "\(root) x_witness=BOTH"] { try Command.expectStatus(0, try load(path, rule)) }
          let other = try Machine.text("/images/other.roothash").trimmed
          try Command.expectStatus(2, try load(path, "dmverity_roothash=sha256:\(other)"))
          // Another image of that name is none that is active.
          try copy("/images/twin/bpf-tools.raw", to: image)
          let refused = try load(path, root)
          try Command.expectStatus(4, refused)
          try expect(refused.text.contains("no dm-verity device has the root hash of `\(image)`"), refused.text)
        }
      },
      Case("merged-extension-with-a-swapped-table", on: .secureBoot) {
        try merged { path, volume in
          let rule = "dmverity_roothash=\(volume.rootHash)"
          try Command.expectStatus(0, try load(path, rule))
          // What systemd set up goes away with its last user, which is the table that is replaced.
          let own = try loops(over: "/images/bpf-tools.raw", as: volume)
          let twin = try loops(over: "/images/twin/bpf-tools.raw", as: volume)
          defer { for loop in own + twin { try? LoopDevices.detach(loop) } }
          try replaceTable(of: volume, by: twin, Machine.text("/images/twin/bpf-tools.roothash").trimmed)
          try Machine.dropCaches()
          let poison = try Machine.read(path)
          let isEvil = poison.span.bytes.firstOffset(of: Array("Evil BSD".utf8).span.bytes) != nil
          try expect(isEvil, "the object is not the twin's")
          // The image's root hash is no longer that of an active device.
          try Command.expectStatus(4, try load(path, rule))
          try replaceTable(of: volume, by: own, volume.rootHash.hex)
          let result = try load(path, rule)
          try Command.expectStatus(4, result)
          try expect(result.text.contains("provenance.page-cache"), result.text)
          try Machine.dropCaches()
          try Command.expectStatus(0, try load(path, rule))
        }
      },
    ])

  /// Where the extension's image lies.
  private static let image = "/var/lib/extensions/bpf-tools.raw"

  /// Mounts an overlay of read-only layers, the uppermost first, for the time of a closure.
  private static func over(_ layers: [String], _ body: (String) throws -> Void) throws {
    let place = try Machine.temporaryDirectory()
    let options = "ro,lowerdir=\(layers.joined(separator: ":"))"
    let result = try Subprocess.run(["/bin/mount", "-t", "overlay", "-o", options, "overlay", place])
    try expectEqual(result.status, 0, result.text)
    defer { try? Mount.unmount(place) }
    try body(place)
  }

  /// Has systemd merge the extension, for the time of a closure, which is given the path of an object and its volume.
  private static func merged(_ body: (String, VolumeFacts) throws -> Void) throws {
    for directory in ["/var/lib", "/var/lib/extensions", "/etc/verity.d"] { try? Directory.create(directory) }
    try Machine.write("/etc/os-release", Array("ID=test\n".utf8))
    try copy("/images/db.pem", to: "/etc/verity.d/db.crt")
    try copy("/images/bpf-tools.raw", to: image)
    // What systemd mounts in a namespace of its own gets here by that.
    let shared = try Subprocess.run(["/bin/busybox", "mount", "--make-rshared", "/"])
    try expectEqual(shared.status, 0, shared.text)
    let result = try DissectCases.newer("systemd-sysext", ["merge"])
    try expectEqual(result.status, 0, result.text)
    let path = "/usr/lib/bpf-tools/xdp_counter.bpf.o"
    var volume: VolumeFacts?
    defer {
      _ = try? DissectCases.newer("systemd-sysext", ["unmerge"])
      if let volume { _ = try? DeviceMapper.open().removeWhenUnused(volume.device) }
      _ = try? Subprocess.run(["/bin/busybox", "mount", "--make-rprivate", "/"])
    }
    let evidence: Evidence
    do {
      evidence = try WitnessCases.examine(path)
    } catch {
      throw Failure(description: "\(error)\n\(result.text)\n\((try? Machine.text("/proc/self/mountinfo")) ?? "")")
    }
    let found = try WitnessCases.unwrap(evidence.volume, "the kernel's witness")
    volume = found
    try expectEqual(evidence.layer?.name, "/run/systemd/sysext/extensions/bpf-tools/usr", "layer")
    try expectEqual(evidence.object?.path, "usr/lib/bpf-tools/xdp_counter.bpf.o", "path in the image")
    try expectEqual(evidence.verity?.rootHash, found.rootHash, "root hash of our proof")
    try expect(found.kernelVouches, "the kernel does not vouch: \(found.doubts)")
    try body(path, found)
  }

  private static func copy(_ path: String, to other: String) throws {
    // A file of its own each time: loop devices go on showing the one that they were set up with.
    try Machine.write("\(other).new", Machine.read(path))
    try Machine.rename("\(other).new", to: other)
  }

  /// Loop devices over an image's data and tree, which lie where the volume's do.
  private static func loops(over image: String, as volume: VolumeFacts) throws -> [String] {
    var loops: [String] = []
    for device in [volume.dataDevice, volume.hashDevice] {
      let start = UInt64(try Machine.text("/sys/dev/block/\(device)/start").trimmed) ?? 0
      let free = try Subprocess.run(["/bin/losetup", "-f"]).text.trimmed
      let result = try Subprocess.run(
        ["/bin/losetup", "-r", "-o", "\(start * 512)", free, image])
      try expectEqual(result.status, 0, result.text)
      loops.append(free)
    }
    return loops
  }

  /// Puts a table with these devices and this root hash in the place of the volume's, and nothing else of it changed.
  private static func replaceTable(of volume: VolumeFacts, by devices: [String], _ rootHash: String) throws {
    var words = volume.table.split(separator: " ").map { String($0) }
    (words[1], words[2], words[8]) = (devices[0], devices[1], rootHash)
    let blocks = UInt64(words[5]) ?? 0
    let mapper = try DeviceMapper.open()
    try mapper.loadTable(
      name: volume.name, type: "verity", sectors: blocks * (UInt64(words[3]) ?? 0) / 512,
      parameters: words.prefix(10).joined(separator: " "))
    try mapper.resume(name: volume.name)
  }

  /// Loads an object under a policy of one rule; the answer has the audit record at its end.
  private static func load(_ path: String, _ rule: String) throws -> Command.Result {
    let directory = try Machine.temporaryDirectory()
    try Machine.write(
      "\(directory)/p.pol",
      Array(
        "policy_name=overlay policy_version=1.0.0\nDEFAULT action=DENY\nop=BPF_PROG_LOAD \(rule) action=ALLOW\n".utf8))
    let result = try Command.run(
      "load", "--fd", "3", "--policy", "\(directory)/p.pol", "--audit-dir", directory, object: path)
    let record = (try? Machine.text("\(directory)/audit.jsonl")) ?? ""
    return Command.Result(status: result.status, text: result.text + record)
  }
}
