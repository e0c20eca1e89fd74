import Base
import CVMSupport
import Glibc
import Linux
import Provenance

/// Descriptors and devices that are not what they seem.
enum OriginCases {
  static let suite = Suite(
    name: "origin",
    cases: [
      Case("only-an-image-proves") { try everyOtherFileSystem() },
      Case("name-is-looked-up-not-believed") {
        let volume = try VerityVolume("demo", name: "names")
        let mount = try volume.mount()
        // Another object, under a path that ends in the name of one that the image has.
        let place = "\(try Machine.temporaryDirectory())/xdp_counter.bpf.o"
        try Machine.write(place, [])
        try bind("\(mount)/egress_filter.bpf.o", on: place)
        defer { try? Mount.unmount(place) }
        try expectEqual(try WitnessCases.examine(place).object?.path, "egress_filter.bpf.o", "path in the image")
      },
      Case("bind-mounts-and-mounts-over-it") {
        let volume = try VerityVolume("demo", name: "shadowed")
        let mount = try volume.mount()
        let elsewhere = try Machine.temporaryDirectory()
        try bind(mount, on: elsewhere)
        defer { try? Mount.unmount(elsewhere) }
        let file = try OwnedFD.open("\(mount)/xdp_counter.bpf.o", .readOnly)
        // From now on the path leads to another image's object; the descriptor does not.
        let evil = try VerityVolume("evil", name: "shadow")
        try Mount.mount(try evil.device, on: mount, type: "erofs", .readOnly)
        defer { try? Mount.unmount(mount) }
        var examination = Examination()
        let held = try examination.examine(fd: file.withRaw { $0 }).evidence
        try expectEqual(held.verity?.rootHash.hex, volume.rootHash, "root hash of the descriptor that was held")
        let bound = try WitnessCases.examine("\(elsewhere)/xdp_counter.bpf.o")
        try expectEqual(bound.verity?.rootHash.hex, volume.rootHash, "root hash behind the bind mount")
        let shadow = try WitnessCases.examine("\(mount)/xdp_counter.bpf.o")
        try expectEqual(shadow.verity?.rootHash.hex, evil.rootHash, "root hash of what lies over it")
      },
      Case("image-mounted-without-a-device") {
        // The file has to lie on a file system that reads by pages from a device: no tmpfs.
        let loop = try LoopDevices.attachReadOnly(OwnedFD.open("/images/host.ext4", .readOnly))
        defer { try? LoopDevices.detach(loop) }
        let host = try Machine.temporaryDirectory()
        try Mount.mount(loop, on: host, type: "ext4", .readOnly)
        defer { try? Mount.unmount(host) }
        let place = try Machine.temporaryDirectory()
        do {
          try Mount.mount("\(host)/demo.raw", on: place, type: "erofs", .readOnly)
        } catch let error as SystemError {
          throw Skipped(reason: "this kernel mounts no image without a block device: mount(2) says \(error.errnoName)")
        }
        defer { try? Mount.unmount(place) }
        try WitnessCases.expectRefusal("provenance.device", "an anonymous device") {
          _ = try WitnessCases.examine("\(place)/xdp_counter.bpf.o")
        }
        let told = try Command.run("provenance", "--fd", "3", object: "\(place)/xdp_counter.bpf.o")
        try expect(told.status == 4 && told.text.contains("mounted as a file"), told.text)
        // Control: the same bytes, and by the file they prove.
        let image = try Command.run("provenance", "--image", "\(host)/demo.raw", "--object", "xdp_counter.bpf.o")
        try Command.expectStatus(0, image)
      },
      Case("number-that-another-volume-had") {
        // One examination, so that it could mistake the second volume for the first.
        var examination = Examination()
        var number: DeviceNumber?
        for (image, name) in [("demo", "reused"), ("evil", "reused")] {
          let volume = try VerityVolume(image, name: name)
          if let number { try expectEqual(try volume.number, number, "the second volume's number") }
          number = try volume.number
          let file = try OwnedFD.open("\(volume.mount())/xdp_counter.bpf.o", .readOnly)
          let evidence = try examination.examine(fd: file.withRaw { $0 }).evidence
          try expectEqual(evidence.verity?.rootHash.hex, volume.rootHash, "root hash of \(image)")
          try file.close()
          volume.close()
        }
      },
      Case("loop-device-that-was-moved") { try movedLoop() },
      Case("table-unlike-its-superblock") {
        // Fewer blocks than the superblock says; the tree over them is another.
        let volume = try VerityVolume("demo", name: "short")
        let sectors = try volume.sectors()
        let mapper = try DeviceMapper.open()
        let words = try WitnessCases.unwrap(
          try WitnessCases.examine("\(volume.mount())/xdp_counter.bpf.o").volume?.table.split(separator: " "), "table")
        var shorter = words.map { String($0) }
        let count = try WitnessCases.unwrap(UInt64(shorter[5]), "number of blocks") - 1
        shorter[5] = "\(count)"
        try mapper.loadTable(
          name: "short", type: "verity", sectors: sectors - 8, parameters: shorter.joined(separator: " "))
        try mapper.resume(name: "short")
        try WitnessCases.expectRefusal(nil, "a table that is shorter than the superblock") {
          _ = try WitnessCases.examine("\(volume.mountPoint ?? "")/xdp_counter.bpf.o")
        }
      },
    ])

  /// The right bytes, where nobody vouches for them.
  private static func everyOtherFileSystem() throws {
    let volume = try VerityVolume("demo", name: "source")
    let bytes = try Machine.read("\(volume.mount())/xdp_counter.bpf.o")
    let memory = bytes.withUnsafeBytes { vm_memory_file($0.baseAddress, UInt($0.count)) }
    try expect(memory >= 0, "memfd_create: errno \(errno)")
    let file = OwnedFD(adopting: memory)
    try WitnessCases.expectRefusal("provenance.file-system", "a file in memory") {
      var examination = Examination()
      _ = try examination.examine(fd: file.withRaw { $0 })
    }
    try WitnessCases.expectRefusal("provenance.file-system", "a file in memory, by its magic link") {
      _ = try file.withRaw { try WitnessCases.examine("/proc/self/fd/\($0)") }
    }
    let copy = "\(try Machine.temporaryDirectory())/xdp_counter.bpf.o"
    try Machine.write(copy, bytes)
    // The initramfs, tmpfs and files that the kernel makes.
    for path in ["/init", copy, "/proc/version", "/sys/kernel/notes", "/sys/kernel/security/lsm"] {
      try WitnessCases.expectRefusal("provenance.file-system", path) { _ = try WitnessCases.examine(path) }
    }
  }

  /// Under a mount, a loop device goes from one image to the next in its file.
  private static func movedLoop() throws {
    let offset = try WitnessCases.unwrap(UInt(try Machine.text("/images/pair.offset").trimmed), "offset")
    let roots = try ["demo", "evil"].map { try Machine.text("/images/\($0).roothash").trimmed }
    // Not the last image of the file, so its end has to be named.
    let first = try AttachedLoop.attach(
      OwnedFD.open("/images/pair.raw", .readOnly), sizeLimit: FileStatus.of(path: "/images/demo.raw").size)
    let place = try Machine.temporaryDirectory()
    try Mount.mount(first.path, on: place, type: "erofs", .readOnly)
    defer { try? Mount.unmount(place) }
    let path = "\(place)/xdp_counter.bpf.o"
    let before = try Machine.read(path)
    try expectEqual(try WitnessCases.examine(path).verity?.rootHash.hex, roots[0], "root hash before")
    let device = try OwnedFD.open(first.path, .readWrite)
    guard device.withRaw({ vm_move_loop($0, offset) }) == 0 else {
      throw Skipped(reason: "the kernel does not move a loop device that is mounted: errno \(errno)")
    }
    try Machine.dropCaches()
    // Whatever the mount shows now, it must not pass for the first image.
    let now = try? WitnessCases.examine(path)
    try expect(now?.verity?.rootHash.hex != roots[0] || (try Machine.read(path)) == before, "moved, and not noticed")
    try expect(now == nil || now?.verity?.rootHash.hex == roots[1], "neither image: \(String(describing: now?.verity))")
  }

  static func bind(_ source: String, on target: String) throws {
    // MS_BIND
    try Mount.mount(source, on: target, type: "none", Mount.Flags(rawValue: 4096))
  }
}
