import Base
import CVMSupport
import Glibc
import Linux
import Provenance
import TestSupport

/// Files with fs-verity on ext4, which the kernel of a build machine may not have.
enum FSVerityCases {
  static let suite = Suite(
    name: "fs-verity",
    cases: [
      Case("proven-by-digest") {
        let files = try VerityFiles()
        try files.enable("object.o")
        let facts = try WitnessCases.unwrap(try files.evidence("object.o").fileVerity, "fs-verity facts")
        // What `fsverity digest` computed when the machine was prepared.
        let digest = try Machine.text("/images/files.digest").trimmed
        try expectEqual(facts.digest.hex, digest, "digest")
        try expect(facts.signature == nil, "a signature from nowhere")
        let told = try files.provenance("object.o")
        try Command.expectStatus(0, told)
        try expect(told.text.contains("fs-verity   sha256:\(digest)"), told.text)
        let rule = "fsverity_digest=sha256:\(digest)"
        try Command.expectStatus(0, try files.load("object.o", rule: rule))
        // The same rule about another file, and about the same bytes without fs-verity.
        try files.enable("other.o")
        try Command.expectStatus(2, try files.load("other.o", rule: rule))
        try Command.expectStatus(4, try files.load("plain.o", rule: rule))
        try Command.expectStatus(2, try files.load("object.o", rule: "fsverity_signature=TRUE"))
      },
      Case("signed") {
        guard Machine.isConfigured("CONFIG_FS_VERITY_BUILTIN_SIGNATURES=y") else {
          throw Skipped(reason: "this kernel checks no signatures of files")
        }
        let certificate = try Machine.read("/images/db.der")
        let ring = try KeyringCases.serial(of: ".fs-verity")
        try expect(
          certificate.withUnsafeBytes { vm_add_certificate($0.baseAddress, UInt($0.count), ring) } > 0,
          "the key cannot be added: errno \(errno)")
        let files = try VerityFiles()
        try files.enable("object.o", signature: "/images/files.p7s")
        let facts = try WitnessCases.unwrap(try files.evidence("object.o").fileVerity, "fs-verity facts")
        let signature = try WitnessCases.unwrap(facts.signature, "the signature")
        try expect(signature.isCheckedByKernel, "the kernel has not checked it")
        // Nobody is trusted here unless somebody says so.
        try expectEqual(signature.signer, nil, "signer")
        try Command.expectStatus(0, try files.load("object.o", rule: "fsverity_signature=TRUE"))
        try Directory.create("\(files.place)-trust")
        try Directory.create("\(files.place)-trust/bpf")
        try Machine.write("\(files.place)-trust/bpf/db.pem", Machine.read("/images/db.pem"))
        let trust = ["--trust-anchors", "\(files.place)-trust"]
        let rule = "fsverity_signature=TRUE x_sig_source=USERSPACE"
        try Command.expectStatus(2, try files.load("object.o", rule: rule))
        try Command.expectStatus(0, try files.load("object.o", rule: rule, trust))
        // Whether the kernel checks signatures is asked of it, not of what lies in its place.
        let asked = "/proc/sys/fs/verity/require_signatures"
        let forged = "\(files.place)-require_signatures"
        try Machine.write(forged, Array("0\n".utf8))
        try OriginCases.bind(forged, on: asked)
        defer { try? Mount.unmount(asked) }
        let doubted = try files.evidence("object.o").fileVerity?.signature?.isCheckedByKernel
        try expectEqual(doubted, false, "the forged switch is believed")
      },
      Case("changed-on-the-disk") {
        let files = try VerityFiles()
        try files.enable("object.o")
        try files.damage("object.o")
        // The kernel names the old digest all the same (FS_IOC_MEASURE_VERITY): that alone proves nothing.
        let file = try OwnedFD.open(files.path("object.o"), .readOnly)
        _ = try file.measureVerity()
        do {
          _ = try files.evidence("object.o")
        } catch is ProvenanceError {
          return
        }
        throw Failure(description: "a file that was changed on the disk passed for proven")
      },
    ])
}

/// The ext4 file system that the host prepared, mounted for writing until this value goes.
final class VerityFiles {
  let place: String
  private let image: String

  init() throws {
    place = try Machine.temporaryDirectory()
    image = "\(place).ext4"
    try Machine.write(image, Machine.read("/images/files.ext4"))
    let result = try Subprocess.run(["/bin/mount", "-t", "ext4", "-o", "loop", image, place])
    try expect(result.status == 0, "mount: \(result.text)")
  }

  deinit { try? Mount.unmount(place) }

  func path(_ name: String) -> String { "\(place)/\(name)" }

  /// Gives a file fs-verity: nothing can write to it any more.
  func enable(_ name: String, signature: String? = nil) throws {
    let message = try signature.map { try Machine.read($0) } ?? []
    let file = try OwnedFD.open(path(name), .readOnly)
    let result = file.withRaw { fd in
      message.withUnsafeBytes { vm_enable_verity(fd, $0.baseAddress, UInt32($0.count)) }
    }
    try expect(result == 0, "FS_IOC_ENABLE_VERITY: errno \(errno)")
  }

  func evidence(_ name: String) throws -> Evidence {
    let file = try OwnedFD.open(path(name), .readOnly)
    return try file.withRaw { fd in
      var examination = Examination()
      return try examination.examine(fd: fd).evidence
    }
  }

  /// Runs `verity-bpf provenance`, for people to read.
  func provenance(_ name: String) throws -> Command.Result {
    let file = try OwnedFD.open(path(name), .readOnly)
    return try Command.handingOver(file, as: 20) {
      try Subprocess.run(["/usr/bin/verity-bpf", "provenance", "--fd", "20"])
    }
  }

  /// Runs `verity-bpf load` under a policy of one rule.
  func load(_ name: String, rule: String, _ more: [String] = []) throws -> Command.Result {
    let policy = "\(place).pol"
    let text =
      "policy_name=test policy_version=1.0.0\nDEFAULT action=DENY\nop=BPF_PROG_LOAD \(rule) action=ALLOW\n"
    try Machine.write(policy, Array(text.utf8))
    let file = try OwnedFD.open(path(name), .readOnly)
    return try Command.handingOver(file, as: 20) {
      try Subprocess.run(
        ["/usr/bin/verity-bpf", "load", "--fd", "20", "--policy", policy, "--audit-dir", "/tmp/audit"] + more)
    }
  }

  /// Flips a bit of a file's content on the disk, past the file system.
  func damage(_ name: String) throws {
    let content = try Machine.read(path(name))
    sync()
    var bytes = try Machine.read(image)
    let pattern = content[4096..<4128]
    let found = stride(from: 0, to: bytes.count - 32, by: 4096).first { bytes[$0..<$0 + 32].elementsEqual(pattern) }
    let position = try WitnessCases.unwrap(found, "the file's second block on the disk")
    bytes[position] ^= 1
    try Mount.unmount(place)
    try Machine.write(image, bytes)
    let result = try Subprocess.run(["/bin/mount", "-t", "ext4", "-o", "loop", image, place])
    try expect(result.status == 0, "mount: \(result.text)")
  }
}
