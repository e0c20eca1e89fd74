import CVMSupport
import Glibc
import Linux

/// Signatures of programs that the kernel itself checks (Linux 6.18 and later), by the key in the firmware's db.
enum KernelSignatureCases {
  static let suite = Suite(
    name: "kernel-signature",
    cases: [
      // On the kernel's word alone: the signer is nobody that this machine's own anchors name, so the instructions are
      // all that is signed.
      Case("kernel-vouches", on: .secureBoot) {
        try expectVerified(try load("answer", policy: partly), "answer")
        guard checksSignatures else { return }
        try Command.expectStatus(2, try load("answer", policy: signedOnly))
        try expectVerified(
          try load("answer", policy: signedOnly, options: ["--trust-anchors", try anchors()]), "answer")
      },
      Case("ordinary-map", on: .secureBoot) {
        let result = try load("table", policy: partly)
        guard !wantsMapsSigned else {
          try Command.expectStatus(5, result)
          return try expect(result.text.contains("error[kernel-signature.maps]"), result.text)
        }
        try expectVerified(result, "table")
      },
      // Signed by the instructions up to 7.2, by instructions and contents from 7.3.
      Case("global-variables", on: .secureBoot) {
        try expectVerified(try load("variables", policy: partly), "variables")
      },
      Case("changed-instructions", on: .secureBoot) {
        let result = try load("other", policy: anything)
        try expectRefused(result, "kernel-signature.rejected")
      },
      // The right message but for eight bytes of its number.
      Case("flipped-signature", on: .secureBoot) {
        let result = try load("flipped", policy: anything)
        guard checksSignatures else { return try expectUnsupported(result, line: #line) }
        try Command.expectStatus(5, result)
        try expect(
          ["rejected", "malformed"].contains { result.text.contains("error[kernel-signature.\($0)]") }, result.text)
      },
      // A program that does nothing is not taken for the question whether the kernel checks signatures.
      Case("does-nothing", on: .secureBoot) {
        try expectVerified(try load("nothing", policy: partly), "nothing")
      },
      // The instructions are as signed, and the rest is not: where a trust anchor here says so, the kernel's word does
      // not undo it.
      Case("found-bad-stays-bad", on: .secureBoot) {
        try requireSignatures()
        let options = ["--trust-anchors", try anchors()]
        try expectVerified(try load("answer", policy: signedOnly, options: options), "answer")
        try Command.expectStatus(2, try load("relicensed", policy: signedOnly, options: options))
      },
      Case("unsigned", on: .secureBoot) {
        let result = try load("unsigned", policy: anything)
        try Command.expectStatus(4, result)
        try expect(result.text.contains("error[kernel-signature.missing]"), result.text)
      },
      Case("unknown-key", on: .integrity, .confidentiality) {
        try expectRefused(try load("answer", policy: anything), "kernel-signature.unknown-key")
      },
      Case("other-keyring", on: .secureBoot) {
        try expectRefused(try load("answer", keyring: "builtin", policy: anything), "kernel-signature.unknown-key")
      },
      Case("no-such-keyring", on: .secureBoot) {
        try expectRefused(try load("answer", keyring: "123456789", policy: anything), "kernel-signature.keyring")
      },
      Case("session-keyring", on: .integrity) {
        let certificate = try Machine.read("/images/db.der")
        // KEY_SPEC_SESSION_KEYRING.
        try expect(
          certificate.withUnsafeBytes { vm_add_certificate($0.baseAddress, UInt($0.count), -3) } > 0,
          "the key cannot be added: errno \(errno)")
        try expectVerified(try load("answer", keyring: "session", policy: anything), "answer")
        // Who asks for the load has put the key there, so no rule hears of it.
        guard checksSignatures else { return }
        try Command.expectStatus(2, try load("answer", keyring: "session", policy: signedOnly))
      },
      // The attack: signed instructions with a CO-RE record that nobody signed. The kernel takes them and makes another
      // program of them; we do not.
      Case("signature-does-not-cover-records", on: .secureBoot) {
        try requireSignatures()
        let fooled = try load("impostor", policy: anything)
        try Command.expectStatus(0, fooled)
        try expect(fooled.text.contains("kernel-verified"), fooled.text)
        try expectEqual(try answer("impostor", policy: anything), 2, "what the signed instructions answer now")
        try expectEqual(try answer("answer", policy: anything), 7, "what they answered when they were signed")
        let refused = try load("impostor", policy: signedOnly)
        try Command.expectStatus(2, refused)
      },
      // The attack: signed instructions with another constant. Kernels before 7.3 take them, and the program does
      // something else; nobody signed that.
      Case("constants-are-not-signed", on: .secureBoot) {
        try requireSignatures()
        let trusting = ["--trust-anchors", try anchors()]
        try expectVerified(try load("constant", policy: signedOnly, options: trusting), "constant")
        for object in ["constant", "constant-changed"] {
          try Command.expectStatus(2, try load(object, policy: signedOnly))
        }
        try Command.expectStatus(2, try load("constant-changed", policy: signedOnly, options: trusting))
        guard !wantsMapsSigned else {
          return try expectRefused(try load("constant-changed", policy: partly), "kernel-signature.rejected")
        }
        try expectEqual(try answer("constant", policy: partly), 0x44, "what was signed")
        try expectEqual(try answer("constant-changed", policy: partly), 0x45, "what the kernel takes")
      },
      // The attack: signed instructions as a program of another type, which every kernel takes.
      Case("type-is-not-signed", on: .secureBoot) {
        try requireSignatures()
        try expectVerified(try load("answer_xdp", policy: anything), "answer_xdp")
        try Command.expectStatus(2, try load("answer_xdp", policy: signedOnly))
        try Command.expectStatus(
          2, try load("answer_xdp", policy: signedOnly, options: ["--trust-anchors", try anchors()]))
      },
      // Whose key the kernel had it does not say: while a signer is revoked, its word stands for nobody.
      Case("revoked-signer", on: .secureBoot) {
        try requireSignatures()
        let directory = try Machine.temporaryDirectory()
        try expectVerified(try load("answer", policy: partly, options: ["--trust-anchors", directory]), "answer")
        let line = "signer sha256:\(String(repeating: "0a", count: 32))\n"
        try Machine.write("\(directory)/revoked", Array(line.utf8))
        for rule in [partly, signedOnly] {
          try Command.expectStatus(2, try load("answer", policy: rule, options: ["--trust-anchors", directory]))
        }
      },
      Case("records-need-the-whole-signature", on: .secureBoot) {
        try requireSignatures()
        try Command.expectStatus(2, try load("impostor-signed", policy: signedOnly))
        try expectVerified(try load("impostor-signed", policy: partly), "impostor-signed")
        let both = try load("impostor-signed", policy: signedOnly, options: ["--trust-anchors", try anchors()])
        try expectVerified(both, "impostor-signed")
      },
    ])

  private static let signedOnly = "op=BPF_PROG_LOAD bpf_signature=OK x_sig_source=KERNEL action=ALLOW"
  private static let partly = "op=BPF_PROG_LOAD bpf_signature=PARTIALSIG action=ALLOW"
  private static let anything = "op=BPF_PROG_LOAD action=ALLOW"

  private static let release: (Int, Int) = {
    let numbers = ((try? Machine.text("/proc/sys/kernel/osrelease")) ?? "").split { !$0.isNumber }.compactMap {
      Int($0)
    }
    return numbers.count < 2 ? (0, 0) : (numbers[0], numbers[1])
  }()
  private static let checksSignatures = release >= (6, 18)
  private static let wantsMapsSigned = release >= (7, 3)

  private static func requireSignatures() throws {
    guard checksSignatures else { throw Skipped(reason: "this kernel checks no signatures of programs") }
  }

  private static func load(
    _ object: String, keyring: String = "platform", policy rule: String, options: [String] = []
  ) throws -> Command.Result {
    let directory = try Machine.temporaryDirectory()
    try Machine.write(
      "\(directory)/p.pol", Array("policy_name=vm policy_version=1.0.0\nDEFAULT action=DENY\n\(rule)\n".utf8))
    return try Command.run(
      ["load", "--object", "/images/signed/\(object).o", "--keyring", keyring, "--policy", "\(directory)/p.pol"]
        + ["--audit-dir", directory] + options)
  }

  /// A directory of trust anchors with the key that signed the objects.
  private static func anchors() throws -> String {
    let directory = try Machine.temporaryDirectory()
    try Directory.create("\(directory)/bpf")
    try Machine.write("\(directory)/bpf/db.pem", try Machine.read("/images/db.pem"))
    return directory
  }

  private static func expectVerified(_ result: Command.Result, _ object: String, line: Int = #line) throws {
    guard checksSignatures else { return try expectUnsupported(result, line: line) }
    try Command.expectStatus(0, result, line: line)
    try expect(result.text.contains("kernel-verified"), "\(object): \(result.text)", line: line)
  }

  private static func expectRefused(_ result: Command.Result, _ code: String, line: Int = #line) throws {
    guard checksSignatures else { return try expectUnsupported(result, line: line) }
    try Command.expectStatus(5, result, line: line)
    try expect(result.text.contains("error[\(code)]"), result.text, line: line)
  }

  /// An older kernel does not know the fields, and says so; nothing is loaded without the check.
  private static func expectUnsupported(_ result: Command.Result, line: Int) throws {
    try Command.expectStatus(6, result, line: line)
    try expect(result.text.contains("error[kernel-signature.unsupported]"), result.text, line: line)
  }

  /// What an object's program returns for a packet.
  private static func answer(_ object: String, policy: String) throws -> UInt32 {
    let pin = "/sys/fs/bpf/kernel-signature"
    try Command.expectStatus(0, try load(object, policy: policy, options: ["--pin-path", pin]))
    defer { _ = try? Command.run("unload", "--pin-path", pin) }
    let name = object.hasPrefix("constant") ? "constant" : "answer"
    let program = try BPF.pinned(at: "\(pin)/prog/\(name)")
    return try BPF.testRun(program, packet: [UInt8](repeating: 0, count: 64)).returned
  }
}
