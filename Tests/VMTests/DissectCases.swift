import Base
import Linux
import Provenance
import TestSupport

/// Disk images as systemd opens them: a newer one than the build machine's, with image policies, run from `/sid` by its own
/// dynamic loader (`tools/vm/systemd`).
enum DissectCases {
  static let suite = Suite(
    name: "systemd-dissect",
    cases: [
      Case("validates-a-signed-image", on: .secureBoot) {
        let result = try dissect("--validate", "--image-policy=\(signedOnly)", "/images/ddi.raw")
        try expectEqual(result.status, 0, result.text)
      },
      Case("refuses-an-unsigned-image", on: .secureBoot) {
        // Without the demand it is as good as any, so it is the demand that refuses.
        let allowed = try dissect("--validate", "--image-policy=root=verity:=ignore", "/images/ddi-unsigned.raw")
        try expectEqual(allowed.status, 0, allowed.text)
        for operation in [["--validate"], ["--mount"]] {
          let place = operation == ["--mount"] ? [try Machine.temporaryDirectory()] : []
          let refused = try dissect(operation + ["--image-policy=\(signedOnly)", "/images/ddi-unsigned.raw"] + place)
          try expect(refused.status != 0, "\(operation): \(refused.text)")
          try expect(refused.text.contains("policy"), refused.text)
        }
      },
      Case("mounts-a-signed-image", on: .secureBoot) {
        guard Machine.signature != nil else {
          throw Skipped(reason: "this kernel's dm-verity does not look into the .platform keyring")
        }
        let place = try Machine.temporaryDirectory()
        let result = try dissect("--mount", "--read-only", "--image-policy=\(signedOnly)", "/images/ddi.raw", place)
        try expectEqual(result.status, 0, result.text)
        defer { takeDown(place) }
        // What systemd activated is what both witnesses vouch for.
        let evidence = try WitnessCases.examine("\(place)/xdp_counter.bpf.o")
        let volume = try WitnessCases.unwrap(evidence.volume, "the kernel's witness")
        try expectEqual(volume.rootHash.hex, try Machine.text("/images/ddi.roothash").trimmed, "root hash")
        try expect(volume.isVouchedByKernelKey, "the kernel took no signature: \(volume.table)")
        let directory = try Machine.temporaryDirectory()
        try Machine.write("\(directory)/p.pol", Array(SignedImageCases.policy(volume.rootHash.hex).utf8))
        let loaded = try Command.run(
          "load", "--fd", "3", "--policy", "\(directory)/p.pol", "--audit-dir", directory,
          object: "\(place)/xdp_counter.bpf.o")
        try Command.expectStatus(0, loaded)
      },
    ])

  /// Unmounts what `--mount` mounted. systemd leaves the volume in a machine without udev, and it would keep dm-verity in
  /// use.
  private static func takeDown(_ place: String) {
    let device = try? FileStatus.of(path: place).device
    _ = try? dissect("--umount", place)
    guard let device, let mapper = try? DeviceMapper.open() else { return }
    // Where it did not even find the device under the mount.
    if (try? FileStatus.of(path: place).device) == device { try? Mount.unmount(place) }
    _ = try? mapper.removeWhenUnused(device)
  }

  private static let signedOnly = "root=signed:=ignore"

  private static func dissect(_ arguments: String...) throws -> Subprocess.Result { try dissect(arguments) }

  private static func dissect(_ arguments: [String]) throws -> Subprocess.Result {
    try newer("systemd-dissect", arguments)
  }

  /// Runs a program of the newer systemd.
  static func newer(_ program: String, _ arguments: [String]) throws -> Subprocess.Result {
    guard (try? FileStatus.of(path: "/sid/\(program)")) != nil else {
      throw Skipped(reason: "no newer systemd: Debian's sid could not be read")
    }
    return try Subprocess.run(
      ["/sid/lib/ld-linux-x86-64.so.2", "--library-path", "/sid/lib", "/sid/\(program)"] + arguments)
  }
}
