import CVMSupport
import Glibc
import Linux
import Provenance

/// Keyrings that root can fill, so that "signed" says less than it seems (kernel 7.0 and later).
enum KeyringCases {
  static let suite = Suite(
    name: "keyring",
    cases: [
      // The dm-verity module's own keyring, left unsealed: root adds its own key at run time, under Secure Boot too, and
      // the kernel takes what that key signed. We say signed, and that this signature vouches for nothing.
      Case("key-that-root-added-does-not-vouch", on: .secureBoot) {
        try requireKeyring()
        try expectErrno("ENOKEY", "a stranger's signature") {
          _ = try VerityVolume("demo", name: "stranger", signature: "demo.stranger.p7s")
        }
        try openKeyring()
        defer {
          try? Machine.removeModule("dm_verity")
          try? Machine.insertModule("dm_verity")
        }
        let volume = try VerityVolume("demo", name: "stranger", signature: "demo.stranger.p7s")
        let path = "\(try volume.mount())/xdp_counter.bpf.o"
        let facts = try WitnessCases.unwrap(try WitnessCases.examine(path).volume, "the kernel's witness")
        try expect(facts.isSigned && facts.isKeyringUnsealed, "signed \(facts.isSigned)")
        try expect(!facts.isVouchedByKernelKey, "root's own key vouches")
        let directory = try Machine.temporaryDirectory()
        try Machine.write("\(directory)/p.pol", Array(SignedImageCases.policy(volume.rootHash).utf8))
        let result = try Command.run(
          "load", "--fd", "3", "--policy", "\(directory)/p.pol", "--audit-dir", directory, object: path)
        try Command.expectStatus(2, result)
        // Root has something else say that the keyring is sealed, or nothing say anything.
        let forged = "\(try Machine.temporaryDirectory())/keyring_unsealed"
        try Machine.write(forged, Array("N\n".utf8))
        let parameters = "/sys/module/dm_verity/parameters"
        // One of the kernel's own files says N too.
        try expectEqual(try Machine.text("\(parameters)/require_signatures").trimmed, "N", "another parameter")
        for (source, target) in [
          (forged, parameter), ("\(parameters)/require_signatures", parameter),
          (try Machine.temporaryDirectory(), parameters), (try Machine.temporaryDirectory(), "/sys/module"),
        ] {
          try OriginCases.bind(source, on: target)
          defer { try? Mount.unmount(target) }
          let hidden = try WitnessCases.unwrap(try WitnessCases.examine(path).volume, "the kernel's witness")
          try expect(hidden.isSigned && hidden.isKeyringUnsealed, "\(source) over \(target) is believed")
          let result = try Command.run(
            "load", "--fd", "3", "--policy", "\(directory)/p.pol", "--audit-dir", directory, object: path)
          try Command.expectStatus(2, result)
        }
        volume.close()
      },
      // A mount of such an image says so, in text and in JSON.
      Case("mount-says-so", on: .secureBoot) {
        try requireKeyring()
        let place = try Machine.temporaryDirectory()
        let mount = ["mount", "/images/demo.raw", place, "--root-hash-signature", "/images/demo.stranger.p7s"]
        try Command.expectStatus(4, try MountCases.run(mount))
        try openKeyring()
        defer {
          try? Machine.removeModule("dm_verity")
          try? Machine.insertModule("dm_verity")
        }
        for (option, text) in [("--json", #""keyring_unsealed":true"#), ("--exec", "root may have added the key")] {
          let mounted = try MountCases.run(mount + [option])
          try Command.expectStatus(0, mounted)
          try expect(mounted.text.contains(text), mounted.text)
          try Command.expectStatus(0, try MountCases.run(["umount", place]))
          try MountCases.expectNothingLeft()
        }
      },
    ])

  private static let parameter = "/sys/module/dm_verity/parameters/keyring_unsealed"

  private static func requireKeyring() throws {
    guard let sealed = try? Machine.text(parameter) else {
      throw Skipped(reason: "this kernel's dm-verity has no keyring of its own")
    }
    try expectEqual(sealed.trimmed, "N", "unsealed at first")
  }

  /// Inserts dm-verity anew with an open keyring, and adds root's own key.
  private static func openKeyring() throws {
    try Machine.removeModule("dm_verity")
    try Machine.insertModule("dm_verity", parameters: "keyring_unsealed=1")
    let ring = try serial(of: ".dm-verity")
    let certificate = try Machine.read("/images/stranger.der")
    try expect(
      certificate.withUnsafeBytes { vm_add_certificate($0.baseAddress, UInt($0.count), ring) } > 0,
      "root cannot add its key: errno \(errno)")
    try expect(vm_close_keyring(ring) == 0, "the keyring cannot be restricted: errno \(errno)")
  }

  /// A keyring's number, from its line in /proc/keys.
  static func serial(of keyring: String) throws -> Int32 {
    for line in try Machine.text("/proc/keys").split(separator: "\n") where line.contains(" \(keyring): ") {
      if let number = line.split(separator: " ").first.flatMap({ Int32($0, radix: 16) }) { return number }
    }
    throw Failure(description: "no keyring \(keyring)")
  }
}
