import Base
import Linux
import Signatures
import TestSupport
import Testing

/// Keys, certificates and messages made by the `openssl` command, which is the other party in all of these.
final class OpenSSLTool {
  let directory: String

  init() throws { directory = try Directory.createTemporary(prefix: "verity-bpf-signatures") }
  deinit { Cleanup.removeTree(directory) }

  @discardableResult
  func run(_ arguments: [String]) throws -> Subprocess.Result {
    try Subprocess.run(["sh", "-c", "cd '\(directory)' && exec \"$@\"", "sh", "openssl"] + arguments)
  }

  func write(_ bytes: [UInt8], _ name: String) throws {
    let file = try OwnedFD.open("\(directory)/\(name)", [.writeOnly, .create, .truncate])
    try file.writeAll(bytes.rawSpan)
  }

  func read(_ name: String) throws -> [UInt8] {
    try OwnedFD.open("\(directory)/\(name)", .readOnly).readToEnd(limit: 1 << 20) ?? []
  }

  /// Makes `NAME.key` and `NAME.crt`.
  func makeKey(_ name: String, _ algorithm: [String]) throws {
    let arguments =
      [
        "req", "-x509", "-nodes", "-keyout", "\(name).key", "-out", "\(name).crt", "-subj", "/CN=\(name)", "-days",
        "30", "-newkey",
      ]
    let made = try run(arguments + algorithm)
    try #require(made.status == 0, "\(made.text)")
  }
}

@Suite struct SignedMessageTests {
  private let tool: OpenSSLTool
  private let policy = Array("policy_name=t policy_version=1.0.0\nDEFAULT action=DENY\n\r\n\0tail".utf8)

  init() throws {
    tool = try OpenSSLTool()
    try tool.makeKey("rsa", ["rsa:2048"])
    try tool.makeKey("other", ["rsa:2048"])
    try tool.makeKey("ec", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
    try tool.write(policy, "policy")
  }

  private func trusted(_ name: String) throws -> Certificates { try Certificates(pem: try tool.read("\(name).crt")) }

  private let smime = ["smime", "-sign", "-binary", "-noattr", "-nosmimecap", "-outform", "der", "-in", "policy"]

  /// RSA signatures without attributes are deterministic, so ours is the `openssl` command's, byte for byte.
  @Test(arguments: [SignedMessage.Form.policy, .rootHash])
  func theSameBytesAsOpenSSL(form: SignedMessage.Form) throws {
    let own = try SignedMessage.sign(
      policy, certificate: try tool.read("rsa.crt"), privateKey: try tool.read("rsa.key"), form: form)
    let made = try tool.run(
      smime + ["-signer", "rsa.crt", "-inkey", "rsa.key", "-out", "theirs"]
        + (form.isDetached ? ["-nocerts"] : ["-nodetach"]))
    try #require(made.status == 0, "\(made.text)")
    #expect(try tool.read("theirs") == own)
    #expect(
      try SignedMessage.verify(own, content: form.isDetached ? policy : nil, trusted: try trusted("rsa")).content
        == policy)
  }

  @Test func opensslVerifiesOurs() throws {
    for name in ["rsa", "ec"] {
      let own = try SignedMessage.sign(
        policy, certificate: try tool.read("\(name).crt"), privateKey: try tool.read("\(name).key"), form: .policy)
      try tool.write(own, "ours")
      let checked = try tool.run([
        "smime", "-verify", "-binary", "-inform", "der", "-in", "ours", "-noverify", "-certfile", "\(name).crt",
        "-nointern",
        "-out", "content",
      ])
      #expect(checked.status == 0, "\(checked.text)")
      #expect(try tool.read("content") == policy)
      let fingerprint = try tool.run(["x509", "-in", "\(name).crt", "-noout", "-fingerprint", "-sha256"]).text
      let signer = try SignedMessage.verify(own, trusted: try trusted(name)).signer
      #expect(fingerprint.lowercased().filter { $0 != ":" }.contains(signer.hex))
      #expect(try trusted(name).fingerprints() == [signer])
    }
  }

  /// The forms of which a kernel's answers are on record: what it takes is taken, what it refuses is refused.
  @Test(arguments: [
    (["-nodetach", "-noattr"], true), (["-nodetach", "-noattr", "-nocerts"], true), (["-nodetach"], true),
    (["-nodetach", "-noattr", "-md", "sha512"], true), (["-noattr"], false),
    (["-nodetach", "-noattr", "-md", "sha1"], false),
  ])
  func formsOfOtherTools(options: [String], isTaken: Bool) throws {
    for key in ["rsa", "ec"] {
      let made = try tool.run(
        [
          "smime", "-sign", "-binary", "-nosmimecap", "-outform", "der", "-in", "policy", "-signer", "\(key).crt",
          "-inkey",
          "\(key).key", "-out", "message",
        ] + options)
      try #require(made.status == 0, "\(made.text)")
      let message = try tool.read("message")
      if isTaken {
        #expect(try SignedMessage.verify(message, trusted: try trusted(key)).content == policy)
      } else {
        #expect(throws: SignatureError.self) { try SignedMessage.verify(message, trusted: try trusted(key)) }
      }
      // CMS in its binary form is the same message to the kernel.
      _ = try tool.run([
        "cms", "-sign", "-binary", "-noattr", "-nodetach", "-nosmimecap", "-outform", "der", "-in", "policy", "-signer",
        "\(key).crt", "-inkey", "\(key).key", "-out", "cms",
      ])
      #expect(try SignedMessage.verify(try tool.read("cms"), trusted: try trusted(key)).content == policy)
    }
  }

  @Test func whoeverIsNotTrustedIsRefused() throws {
    let message = try SignedMessage.sign(
      policy, certificate: try tool.read("rsa.crt"), privateKey: try tool.read("rsa.key"), form: .policy)
    #expect(throws: SignatureError.untrustedSigner) { try SignedMessage.verify(message, trusted: try trusted("other")) }
    // Both certificates in one file: either may have signed.
    let both = try Certificates(pem: try tool.read("other.crt") + tool.read("rsa.crt"))
    #expect(both.count == 2)
    #expect(try SignedMessage.verify(message, trusted: both).content == policy)
    // Nothing covers what else is in the message: it may carry its signer's certificate, and no other.
    _ = try tool.run(
      smime + ["-nodetach", "-signer", "rsa.crt", "-inkey", "rsa.key", "-certfile", "other.crt", "-out", "more"])
    #expect(throws: SignatureError.malformed(reason: "more certificates than the signer's")) {
      try SignedMessage.verify(try tool.read("more"), trusted: both)
    }
    // A second signer makes it a message that the kernel and we could read differently.
    _ = try tool.run(
      smime + [
        "-nodetach", "-signer", "rsa.crt", "-inkey", "rsa.key", "-signer", "other.crt", "-inkey", "other.key", "-out",
        "two",
      ])
    #expect(throws: SignatureError.signerCount(2)) {
      try SignedMessage.verify(try tool.read("two"), trusted: both)
    }
  }

  /// Not one bit: also what the signature does not cover has one spelling only.
  @Test(arguments: ["rsa", "ec"], [false, true])
  func noChangedByteIsTaken(_ key: String, includesCertificate: Bool) throws {
    let message = try SignedMessage.sign(
      policy, certificate: try tool.read("\(key).crt"), privateKey: try tool.read("\(key).key"),
      form: SignedMessage.Form(isDetached: false, includesCertificate: includesCertificate))
    let trusted = try trusted(key)
    for index in message.indices {
      for bit in 0..<8 {
        var changed = message
        changed[index] ^= 1 << bit
        #expect(throws: SignatureError.self, "byte \(index), bit \(bit)") {
          try SignedMessage.verify(changed, trusted: trusted)
        }
      }
    }
    for count in stride(from: 0, to: message.count, by: 7) {
      #expect(throws: SignatureError.self) { try SignedMessage.verify(Array(message[..<count]), trusted: trusted) }
    }
    #expect(throws: SignatureError.trailingBytes(1)) {
      try SignedMessage.verify(message + [0], trusted: trusted)
    }
    #expect(throws: SignatureError.contentPlacement(isDetached: false)) {
      try SignedMessage.verify(message, content: policy, trusted: trusted)
    }
  }

  @Test func keysThatCannotSign() throws {
    let certificate = try tool.read("rsa.crt")
    #expect(throws: SignatureError.keyMismatch) {
      try SignedMessage.sign(policy, certificate: certificate, privateKey: try tool.read("other.key"), form: .policy)
    }
    #expect(throws: SignatureError.self) {
      try SignedMessage.sign(policy, certificate: certificate, privateKey: policy, form: .policy)
    }
    #expect(throws: SignatureError.self) {
      try SignedMessage.sign(policy, certificate: policy, privateKey: try tool.read("rsa.key"), form: .policy)
    }
    // An encrypted key is refused at once; nobody is asked for a passphrase.
    _ = try tool.run(["pkey", "-in", "rsa.key", "-aes128", "-passout", "pass:secret", "-out", "locked.key"])
    #expect(throws: SignatureError.self) {
      try SignedMessage.sign(policy, certificate: certificate, privateKey: try tool.read("locked.key"), form: .policy)
    }
  }
}

@Suite struct ThrowawaySignerTests {
  /// Made on the spot, it signs what openssl's own certificates would, and two of them are two.
  @Test func signsWhatItsCertificateVouchesFor() throws {
    let signer = try ThrowawaySigner(name: "one")
    let other = try ThrowawaySigner(name: "other")
    let content = Array("content".utf8)
    let message = try signer.sign(content, form: .rootHash)
    let verified = try SignedMessage.verify(
      message, content: content, trusted: try Certificates(pem: signer.certificate))
    #expect(verified.certificate.subject == "CN=one")
    #expect(throws: SignatureError.untrustedSigner) {
      _ = try SignedMessage.verify(message, content: content, trusted: try Certificates(pem: other.certificate))
    }
    #expect(throws: SignatureError.self) {
      _ = try SignedMessage.verify(message, content: content + [0], trusted: try Certificates(pem: signer.certificate))
    }
  }
}
