import Base
import Linux
import Provenance
import TestSupport

/// The kernel as a witness, and what root can do to make it a false one.
enum WitnessCases {
  static let suite = Suite(
    name: "witness",
    cases: [
      Case("both-vouch") {
        let volume = try VerityVolume("demo", name: "both", signature: Machine.signature)
        let evidence = try examine("\(volume.mount())/xdp_counter.bpf.o")
        let facts = try unwrap(evidence.volume, "the kernel's witness")
        try expectEqual(facts.rootHash.hex, volume.rootHash, "root hash of the table")
        try expectEqual(evidence.verity?.rootHash.hex, volume.rootHash, "root hash of our proof")
        try expect(facts.kernelVouches, "the kernel does not vouch: \(facts.doubts)")
        try expectEqual(facts.isSigned, Machine.signature != nil, "signed")
        try expectEqual(facts.isVouchedByKernelKey, Machine.signature != nil, "vouched for by a kernel key")
        try expectEqual(facts.mode, "EIO", "mode")
        try expectEqual(facts.device, try volume.number, "device")
      },
      Case("options-are-facts") {
        for (option, doubt) in [
          ("ignore_corruption", VolumeFacts.Doubt.ignoresCorruption), ("check_at_most_once", .checksAtMostOnce),
        ] {
          let volume = try VerityVolume("demo", name: "options", options: [option])
          let facts = try unwrap(try examine("\(volume.mount())/xdp_counter.bpf.o").volume, "the kernel's witness")
          try expectEqual(facts.doubts, [doubt], option)
        }
        let volume = try VerityVolume("demo", name: "zero", options: ["restart_on_corruption", "ignore_zero_blocks"])
        let facts = try unwrap(try examine("\(volume.mount())/xdp_counter.bpf.o").volume, "the kernel's witness")
        try expectEqual(facts.mode, "RESTART", "mode")
        try expect(facts.ignoresZeroBlocks && facts.kernelVouches, "zero blocks: \(facts)")
      },
      Case("linear-with-a-verity-uuid") {
        // Its UUID says CRYPT-VERITY, its table says linear: over a verity device even, but verified by nobody.
        let volume = try VerityVolume("demo", name: "lower")
        let mapper = try DeviceMapper.open()
        let upper = try mapper.create(name: "upper", uuid: "CRYPT-VERITY-99999999222233334444555555555555-upper")
        defer { try? mapper.remove(name: "upper") }
        let number = try volume.number
        try mapper.loadTable(
          name: "upper", type: "linear", sectors: volume.sectors(), parameters: "\(number) 0")
        try mapper.resume(name: "upper")
        let place = try Machine.temporaryDirectory()
        try Mount.mount("/dev/dm-\(upper.number.minor)", on: place, type: "erofs", .readOnly)
        defer { try? Mount.unmount(place) }
        try expectRefusal("dm-table.target-type", "a linear device") {
          _ = try examine("\(place)/xdp_counter.bpf.o")
        }
      },
      Case("suspended") {
        let volume = try VerityVolume("demo", name: "suspended")
        let path = "\(try volume.mount())/xdp_counter.bpf.o"
        _ = try examine(path)
        try volume.suspend()
        defer { try? volume.resume() }
        try expectRefusal("provenance.suspended", "a suspended device") { _ = try examine(path) }
      },
      // The one other target that the kernel lets take a verity target's place.
      Case("error-target") {
        let volume = try VerityVolume("demo", name: "error")
        let path = "\(try volume.mount())/xdp_counter.bpf.o"
        _ = try examine(path)
        let mapper = try DeviceMapper.open()
        try mapper.loadTable(name: "error", type: "error", sectors: volume.sectors(), parameters: "")
        try mapper.resume(name: "error")
        try expectRefusal("dm-table.target-type", "an error target") { _ = try examine(path) }
      },
      Case("pending-table-is-told") {
        let volume = try VerityVolume("demo", name: "pending")
        let path = "\(try volume.mount())/xdp_counter.bpf.o"
        try volume.load(loop: volume.loop)
        try expectEqual(try examine(path).volume?.hasPendingTable, true, "pending table")
        try volume.resume()
        try expectEqual(try examine(path).volume?.hasPendingTable, false, "pending table after the resume")
      },
      Case("swapped-table") {
        let volume = try VerityVolume("demo", name: "swapped", signature: Machine.signature)
        let path = "\(try volume.mount())/xdp_counter.bpf.o"
        _ = try examine(path)
        let evil = try LoopDevices.attachReadOnly(OwnedFD.open("/images/evil.raw", .readOnly))
        defer { try? LoopDevices.detach(evil) }
        let evilHash = try Machine.text("/images/evil.roothash").trimmed
        try volume.load(loop: evil, rootHash: evilHash)
        try volume.resume()
        // The old bytes are still cached, and are no longer what the table vouches for.
        try expectRefusal("provenance.page-cache", "pages of the former table") { _ = try examine(path) }
        try Machine.dropCaches()
        // The name, the number and the UUID are those of the signed device; the table is not.
        let facts = try unwrap(try? examine(path).volume, "the kernel's witness")
        try expectEqual(facts.rootHash.hex, evilHash, "root hash in force")
        try expect(!facts.isSigned, "an unsigned table passes for signed")
        try volume.load(loop: volume.loop, signature: Machine.signature)
        try volume.resume()
      },
      Case("poisoned-page-cache") {
        let volume = try VerityVolume("demo", name: "poisoned", signature: Machine.signature)
        let path = "\(try volume.mount())/xdp_counter.bpf.o"
        let evil = try LoopDevices.attachReadOnly(OwnedFD.open("/images/evil.raw", .readOnly))
        defer { try? LoopDevices.detach(evil) }
        try volume.load(loop: evil, rootHash: Machine.text("/images/evil.roothash").trimmed)
        try volume.resume()
        try Machine.dropCaches()
        let poison = try Machine.read(path)
        try volume.load(loop: volume.loop, signature: Machine.signature)
        try volume.resume()
        // The kernel says signed and verified, and shows the other image's bytes.
        try expectEqual(try Machine.read(path), poison, "what the page cache holds")
        try expectRefusal("provenance.page-cache", "poisoned pages") { _ = try examine(path) }
        let result = try Command.run("provenance", "--fd", "3", object: path)
        try Command.expectStatus(4, result)
        try expect(result.text.contains("page cache"), result.text)
        // Nothing else was wrong: without the pages the object is what it should be.
        try Machine.dropCaches()
        try expect(try Machine.read(path) != poison, "dropping the caches did not heal the file")
        _ = try examine(path)
      },
      Case("corrupted-block") {
        let volume = try VerityVolume("flipped", name: "flipped")
        let mount = try volume.mount()
        let objects = try Directory.names(mount).filter { $0.hasSuffix(".o") }
        let unreadable = objects.filter { (try? Machine.read("\(mount)/\($0)")) == nil }
        try expectEqual(unreadable.count, 1, "objects that the kernel cannot read any more")
        for object in unreadable {
          try expectRefusal(nil, "a flipped block") { _ = try examine("\(mount)/\(object)") }
        }
        // Its neighbours are whole, but the kernel has noticed.
        let neighbour = try unwrap(objects.first { !unreadable.contains($0) }, "another object")
        try expectEqual(try examine("\(mount)/\(neighbour)").volume?.doubts, [.corruptionSeen], "doubts")
      },
      Case("doubts-keep-a-program-out") {
        let volume = try VerityVolume(
          "demo", name: "doubtful", signature: Machine.signature, options: ["ignore_corruption"])
        let directory = try Machine.temporaryDirectory()
        try Machine.write(
          "\(directory)/p.pol",
          Array(
            """
            policy_name=doubts policy_version=1.0.0
            DEFAULT action=DENY
            op=BPF_PROG_LOAD dmverity_roothash=sha256:\(volume.rootHash) action=ALLOW
            op=BPF_PROG_LOAD dmverity_signature=TRUE action=ALLOW
            op=BPF_PROG_LOAD x_witness=BOTH action=ALLOW

            """.utf8))
        let result = try Command.run(
          "load", "--fd", "3", "--policy", "\(directory)/p.pol", "--audit-dir", directory,
          object: "\(volume.mount())/xdp_counter.bpf.o")
        try Command.expectStatus(2, result)
      },
      // The table says where the tree is, and the superblock is in the block before it.
      Case("gap-before-the-tree") { try gap() },
      Case("no-permission-is-not-no") {
        let volume = try VerityVolume("demo", name: "nopermission")
        let path = "\(try volume.mount())/xdp_counter.bpf.o"
        let result = try Subprocess.run([
          "/bin/setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "/bin/sh", "-c",
          "exec /usr/bin/verity-bpf provenance --fd 3 3<'\(path)'",
        ])
        try expectEqual(result.status, 5, "exit: \(result.text)")
        try expect(result.text.contains("provenance.no-permission"), result.text)
      },
    ])

  private static func gap() throws {
    let rootHash = try Machine.text("/images/gap.roothash").trimmed
    let loop = try LoopDevices.attachReadOnly(OwnedFD.open("/images/gap.raw", .readOnly))
    defer { try? LoopDevices.detach(loop) }
    let offset = try Machine.text("/images/gap.offset").trimmed
    let opened = try Subprocess.run([
      "/bin/sh", "-c",
      "DM_DISABLE_UDEV=1 exec veritysetup open \(loop) gap \(loop) \(rootHash) --hash-offset=\(offset)",
    ])
    try expectEqual(opened.status, 0, "veritysetup: \(opened.text)")
    defer { try? DeviceMapper.open().remove(name: "gap") }
    let place = try Machine.temporaryDirectory()
    try Mount.mount("/dev/mapper/gap", on: place, type: "erofs", .readOnly)
    defer { try? Mount.unmount(place) }
    try expectEqual(try examine("\(place)/xdp_counter.bpf.o").verity?.rootHash.hex, rootHash, "root hash")
    // Control: a superblock that is not where the table has the tree.
    let mapper = try DeviceMapper.open()
    let table = try unwrap(try examine("\(place)/xdp_counter.bpf.o").volume?.table, "table")
    var words = table.split(separator: " ").map { String($0) }
    words[6] = "\((UInt64(words[6]) ?? 1) - 1)"
    let sectors = (UInt64(words[5]) ?? 0) * 8
    try mapper.loadTable(name: "gap", type: "verity", sectors: sectors, parameters: words.joined(separator: " "))
    try mapper.resume(name: "gap")
    try expectRefusal(nil, "a tree that is elsewhere") { _ = try examine("\(place)/xdp_counter.bpf.o") }
  }

  /// Fails the case unless the kernel and we vouch for a file of a volume.
  static func expectBothVouch(for path: String, on volume: VerityVolume) throws {
    let evidence = try examine(path)
    let facts = try unwrap(evidence.volume, "the kernel's witness")
    try expect(facts.kernelVouches, "the kernel does not vouch: \(facts.doubts)")
    try expectEqual(evidence.verity?.rootHash.hex, volume.rootHash, "root hash of our proof")
  }

  static func examine(_ path: String) throws -> Evidence {
    let file = try OwnedFD.open(path, .readOnly)
    var examination = Examination()
    return try examination.examine(fd: file.withRaw { $0 }).evidence
  }

  /// Fails the case unless the call is refused with that code (any code when nil).
  static func expectRefusal(_ code: String?, _ what: String, line: Int = #line, _ body: () throws -> Void) throws {
    do {
      try body()
    } catch let error as ProvenanceError {
      let found = error.diagnostic
      guard code == nil || found.code == code else {
        throw Failure(description: "line \(line): \(what): \(found.code): \(found.message)")
      }
      return
    }
    throw Failure(description: "line \(line): \(what) was accepted")
  }

  static func unwrap<T>(_ value: T?, _ what: String, line: Int = #line) throws -> T {
    guard let value else { throw Failure(description: "line \(line): \(what) is missing") }
    return value
  }
}
