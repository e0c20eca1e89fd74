import Glibc
import Linux
import TestSupport

/// Devices that are suspended, so that a read from them waits without end: no run does.
enum SuspendedCases {
  static let suite = Suite(
    name: "suspended",
    cases: [
      Case("is-refused-at-once") {
        let volume = try VerityVolume("demo", name: "suspended")
        let path = "\(try volume.mount())/xdp_counter.bpf.o"
        try Command.expectStatus(0, try Command.run("provenance", "--fd", "3", object: path))
        try volume.suspend()
        try expectSuspended(try Command.run("provenance", "--fd", "3", object: path), "suspended")
        try expectSuspended(try load(path), "suspended")
        try volume.resume()
        try Command.expectStatus(0, try Command.run("provenance", "--fd", "3", object: path))
        try Command.expectStatus(0, try load(path))
      },
      Case("device-under-it") {
        try withLinear(over: "/images/demo.raw") { under, mapper in
          let volume = try VerityVolume("demo", name: "over")
          try volume.load(loop: "/dev/dm-\(under.minor)")
          try volume.resume()
          let path = "\(try volume.mount())/xdp_counter.bpf.o"
          try Command.expectStatus(0, try Command.run("provenance", "--fd", "3", object: path))
          try mapper.suspend(name: "under")
          try expectSuspended(try Command.run("provenance", "--fd", "3", object: path), "under")
          try mapper.resume(name: "under")
          try Command.expectStatus(0, try Command.run("provenance", "--fd", "3", object: path))
          volume.close()
        }
      },
      Case("file-system-of-an-image") {
        try withLinear(over: "/images/host.ext4") { under, mapper in
          let host = try Machine.temporaryDirectory()
          try Mount.mount("/dev/dm-\(under.minor)", on: host, type: "ext4", .readOnly)
          defer { try? Mount.unmount(host) }
          let place = try Machine.temporaryDirectory()
          let examine = ["provenance", "--image", "\(host)/demo.raw", "--object", "xdp_counter.bpf.o"]
          let mount = ["mount", "\(host)/demo.raw", place, "--no-signature"]
          try Command.expectStatus(0, try Command.run(examine))
          let status = try FileStatus.of(path: place).device
          try mapper.suspend(name: "under")
          try expectSuspended(try Command.run(examine), "under")
          try Machine.write("\(place)-hash", Machine.read("/images/demo.roothash"))
          try expectSuspended(
            try Command.run(mount + ["--root-hash", Machine.text("/images/demo.roothash").trimmed]), "under")
          try mapper.resume(name: "under")
          try expectEqual(try FileStatus.of(path: place).device, status, "what is mounted")
          try Command.expectStatus(0, try MountCases.run(mount))
          // What is mounted from the file lies on it too.
          try Command.expectStatus(
            0, try Command.run("provenance", "--fd", "3", object: "\(place)/xdp_counter.bpf.o"))
          try mapper.suspend(name: "under")
          try expectSuspended(
            try Command.run("provenance", "--fd", "3", object: "\(place)/xdp_counter.bpf.o"), "under")
          try mapper.resume(name: "under")
          try Command.expectStatus(0, try MountCases.run(["umount", place]))
        }
      },
      Case("meanwhile") { try meanwhile() },
      Case("while-it-is-examined") { try whileExamined() },
    ])

  private static func expectSuspended(_ result: Command.Result, _ name: String, line: Int = #line) throws {
    try Command.expectStatus(4, result, line: line)
    for text in ["error[provenance.suspended]", "dmsetup resume \(name)"] {
      try expect(result.text.contains(text), "no \(text) in \(result.text)", line: line)
    }
  }

  private static func load(_ path: String) throws -> Command.Result {
    let directory = try Machine.temporaryDirectory()
    let rules =
      "policy_name=p policy_version=1.0.0\nDEFAULT action=DENY\nop=BPF_PROG_LOAD x_witness=BOTH action=ALLOW\n"
    try Machine.write("\(directory)/p.pol", Array(rules.utf8))
    return try Command.run(
      "load", "--fd", "3", "--policy", "\(directory)/p.pol", "--audit-dir", directory, object: path)
  }

  /// Puts the device `under` over a file.
  private static func withLinear(
    over file: String, _ body: (DeviceNumber, borrowing DeviceMapper) throws -> Void
  ) throws {
    let loop = try LoopDevices.attachReadOnly(OwnedFD.open(file, .readOnly))
    defer { try? LoopDevices.detach(loop) }
    let mapper = try DeviceMapper.open()
    let under = try mapper.create(name: "under", uuid: "verity-bpf-test-under")
    defer { try? DeviceMapper.open().remove(name: "under") }
    try mapper.loadTable(
      name: "under", type: "linear", sectors: FileStatus.of(path: file).size / 512, parameters: "\(loop) 0")
    try mapper.resume(name: "under")
    // A case that fails in between must not leave what waits for it.
    defer { try? DeviceMapper.open().resume(name: "under") }
    try body(under.number, mapper)
  }

  /// Suspended between the question and the read, for certain.
  private static func meanwhile() throws {
    let volume = try VerityVolume("demo", name: "meanwhile")
    let path = "\(try volume.mount())/xdp_counter.bpf.o"
    let number = try volume.number
    let watch = Stopwatch()
    do {
      let bytes = try SuspendedDevice.bounding(number) { () -> Int in
        guard let file = try? OwnedFD.open(path, .readOnly) else { return -1 }
        // Nothing of the file is in memory, so that it has to be read from the device.
        _ = file.withRaw { posix_fadvise($0, 0, 0, POSIX_FADV_DONTNEED) }
        try? DeviceMapper.open().suspend(name: "meanwhile")
        return (try? file.readToEnd(limit: 1 << 20))??.count ?? -1
      }
      try volume.resume()
      throw Failure(description: "a suspended device was read from: \(bytes) bytes")
    } catch let error as SuspendedDevice {
      try expectEqual(error.name, "meanwhile", "the device")
    }
    try volume.resume()
    try expect(watch.seconds < 60, "it took \(watch.seconds) s")
    // Control: a device that is resumed in time is read.
    let size = try FileStatus.of(path: path).size
    let bytes = try SuspendedDevice.bounding(number) { () -> Int in
      guard let file = try? OwnedFD.open(path, .readOnly) else { return -1 }
      return (try? file.readToEnd(limit: 1 << 20))??.count ?? -1
    }
    try expectEqual(UInt64(bytes), size, "bytes of the file")
  }

  /// The same from outside, at whatever moment: the run ends, though the device stays suspended.
  private static func whileExamined() throws {
    let volume = try VerityVolume("demo", name: "examined")
    let path = "\(try volume.mount())/xdp_counter.bpf.o"
    for round in 0..<3 {
      let file = try OwnedFD.open(path, .readOnly)
      _ = file.withRaw { posix_fadvise($0, 0, 0, POSIX_FADV_DONTNEED) }
      try file.close()
      let output = "\(try Machine.temporaryDirectory())/output"
      let result = try Subprocess.run([
        "/bin/sh", "-c",
        """
        (/usr/bin/verity-bpf provenance --fd 3 3< \(path) > \(output) 2>&1; echo "status $?" > \(output).done) &
        /bin/busybox usleep \(round * 120_000)
        DM_DISABLE_UDEV=1 dmsetup suspend examined
        i=0
        while [ ! -e \(output).done ] && [ $i -lt 120 ]; do /bin/busybox usleep 500000; i=$((i + 1)); done
        [ -e \(output).done ] || echo stuck
        DM_DISABLE_UDEV=1 dmsetup resume examined
        wait
        cat \(output) \(output).done
        """,
      ])
      try expect(!result.text.contains("stuck"), "round \(round): \(result.text)")
      try expect(
        result.text.contains("status 0")
          || result.text.contains("status 4") && result.text.contains("error[provenance.suspended]"),
        "round \(round): \(result.text)")
    }
  }
}
