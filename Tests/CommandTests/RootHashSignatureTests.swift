import Base
import Linux
import TestSupport
import Testing

/// The signature of an image's root hash, checked by us: what counts, what does not and why, what was revoked, and that
/// none of it passes for the kernel's word. The messages are openssl's.
@Suite struct RootHashSignatureTests {
  /// A signed image `out.raw`, its signer among the trust anchors for images, and others who are not.
  private static func signedImage() throws -> TemporaryDirectory {
    let directory = try LayoutTests.sources()
    for path in ["trust", "trust/image"] { try Directory.create(directory.file(path)) }
    try Tools.run("cp", directory.file("cert.pem"), directory.file("trust/image/signer.pem"))
    let built = try BuildImageTests.build(directory, LayoutTests.signer)
    try #require(built.status == 0, "\(built.errors)")
    return directory
  }

  private static func verify(_ directory: TemporaryDirectory, _ more: [String]) throws -> VerityBPFCommand.Result {
    try VerityBPFCommand.run(["verify", "out.raw", "--json"] + more, in: directory.path)
  }

  private static let anchors = ["--trust-anchors", "trust"]

  private static func decide(_ directory: TemporaryDirectory, _ rule: String) throws -> VerityBPFCommand.Result {
    let policy = "policy_name=test policy_version=1.0.0\nDEFAULT action=DENY\nop=BPF_PROG_LOAD \(rule) action=ALLOW\n"
    try directory.write("test.pol", policy)
    return try VerityBPFCommand.run(
      ["load", "--image", "out.raw", "--object", "a.bpf.o", "--policy", "test.pol", "--dry-run", "--json"] + anchors,
      in: directory.path)
  }

  @Test(arguments: ["appended", "sidecar", "ddi"])
  func countsInEveryLayout(layout: String) throws {
    let directory = try LayoutTests.sources()
    _ = try LayoutTests.build(directory, layout)
    // A signature by somebody who was named stands for the root hash.
    _ = try? Tools.run("rm", directory.file("\(layout).roothash"))
    let verified = try VerityBPFCommand.run(
      ["verify", "\(layout).raw", "--certificate", "cert.pem", "--json"], in: directory.path)
    #expect(verified.status == 0, "\(verified.errors)")
    let signature = try verified.json()["signature"]
    #expect(signature?["counts"] == true && signature?["subject"] == "CN=signer")
    let unnamed = try VerityBPFCommand.run(["verify", "\(layout).raw"], in: directory.path)
    #expect(unnamed.status != 0, "without a root hash and a signer nothing says what to trust")
  }

  @Test func isAFactForPoliciesAndNeverTheKernels() throws {
    let directory = try Self.signedImage()
    let verified = try Self.verify(directory, Self.anchors)
    guard case .string(let signer)? = try verified.json()["signature"]?["signer"] else {
      Issue.record("no signer: \(verified.output) \(verified.errors)")
      return
    }
    let allowed = try Self.decide(directory, "x_sig_source=USERSPACE x_signer=\(signer)")
    #expect(allowed.status == 0, "\(allowed.errors)")
    #expect(try allowed.json()["provenance"]?["root_hash_signature"]?["anchors"] == "image")
    for rule in ["dmverity_signature=TRUE", "x_sig_source=KERNEL", "x_sig_source=BOTH", "bpf_signature=OK"] {
      #expect(try Self.decide(directory, rule).status == 2, "\(rule)")
    }
    let inspected = try VerityBPFCommand.run(["inspect", "out.raw", "--json"] + Self.anchors, in: directory.path)
    #expect(try inspected.json()["signature"]?["counts"] == true)
    let provenance = try VerityBPFCommand.run(
      ["provenance", "--image", "out.raw", "--object", "a.bpf.o"] + Self.anchors, in: directory.path)
    #expect(provenance.output.contains("root hash: holds, by CN=signer"), "\(provenance.output)")

    // Anchors for objects are none for images.
    try Tools.run("mv", directory.file("trust/image"), directory.file("trust/bpf"))
    #expect(try Self.decide(directory, "x_sig_source=USERSPACE").status == 2)
    let told = try Self.verify(directory, [])
    #expect(told.status == 0, "whoever signed it, the root hash beside the image is the one that was asked for")
    #expect(try told.json()["signature"]?["refusal"] == "signature.untrusted")
  }

  /// How a signature is made, and the code that it is refused with.
  static let refused: [(how: String, code: String)] = [
    ("untrusted", "signature.untrusted"), ("other-content", "signature.bad"), ("attached", "signature.content"),
    ("attributes", "signature.attributes"), ("sha1", "signature.weak-digest"), ("two-signers", "signature.signers"),
    ("trailing", "signature.trailing"), ("cut", "signature.length"), ("ber", "signature.not-der"),
    ("text", "signature."), ("none", "verify.no-signature"), ("expired", "signature.expired"),
    ("server", "signature.purpose"), ("encryption", "signature.purpose"),
  ]

  @Test(arguments: refused)
  func refuses(how: String, code: String) throws {
    let directory = try Self.signedImage()
    try Self.resign(directory, how)
    let verified = try Self.verify(directory, Self.anchors)
    #expect(verified.status == 4)
    guard case .string(let found)? = try verified.json()["error"]?["code"] else {
      Issue.record("no code: \(verified.output)")
      return
    }
    #expect(found.hasPrefix(code))
    let verdict = how == "none" ? "unsigned" : "untrusted"
    #expect(try verified.json()["verdict"] == .string(verdict))
    let text = try VerityBPFCommand.run(["verify", "out.raw"] + Self.anchors, in: directory.path)
    #expect(text.output == "out.raw: \(verdict.uppercased())\n")
    // To a policy it is as if there were none; the root hash still is what it is.
    #expect(try Self.decide(directory, "x_sig_source=USERSPACE").status == 2)
    let rootHash = String(decoding: try directory.read("out.roothash"), as: UTF8.self)
    #expect(try Self.decide(directory, "dmverity_roothash=sha256:\(rootHash)").status == 0)
  }

  private static func resign(_ directory: TemporaryDirectory, _ how: String) throws {
    let signature = directory.file("out.roothash.p7s")
    var content = "out.roothash"
    var options = ["-binary", "-noattr", "-nocerts", "-md", "sha256"]
    var (certificate, key) = ("cert.pem", "key.pem")
    func newSigner(_ extensions: [String]) throws {
      (certificate, key) = ("other.pem", "other.key")
      try Tools.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", directory.file(key), "-out"]
          + [directory.file(certificate), "-subj", "/CN=other", "-days", "2"]
          + extensions.flatMap { ["-addext", $0] })
      if how != "untrusted" {
        try Tools.run("cp", directory.file(certificate), directory.file("trust/image/other.pem"))
      }
    }
    switch how {
    case "none": return try Tools.run("rm", signature).discard()
    case "text": return try directory.write("out.roothash.p7s", "this is no signature").discard()
    case "trailing": return try directory.write("out.roothash.p7s", directory.read("out.roothash.p7s") + [0]).discard()
    case "cut": return try directory.write("out.roothash.p7s", directory.read("out.roothash.p7s").dropLast()).discard()
    case "untrusted": try newSigner([])
    case "server": try newSigner(["extendedKeyUsage=serverAuth"])
    case "encryption": try newSigner(["keyUsage=keyEncipherment"])
    case "expired":
      try Tools.run(
        "openssl", "req", "-new", "-key", directory.file(key), "-subj", "/CN=old", "-out", directory.file("old.csr"))
      certificate = "old.pem"
      try Tools.run(
        "openssl", "x509", "-req", "-in", directory.file("old.csr"), "-signkey", directory.file(key), "-days", "-1",
        "-out", directory.file(certificate))
      try Tools.run("cp", directory.file(certificate), directory.file("trust/image/old.pem"))
    case "other-content": content = try directory.write("other", String(repeating: "0", count: 64))
    case "attached": options.append("-nodetach")
    case "attributes": options.removeAll { $0 == "-noattr" }
    case "sha1": options[options.count - 1] = "sha1"
    case "ber":
      // The outermost length left open: BER has a second spelling for the same message.
      let message = try directory.read("out.roothash.p7s")
      try #require(message.prefix(2) == [0x30, 0x82])
      return try directory.write("out.roothash.p7s", [0x30, 0x80] + message.dropFirst(4) + [0, 0]).discard()
    case "two-signers": options += ["-signer", directory.file(certificate), "-inkey", directory.file(key)]
    default: Issue.record("\(how)")
    }
    try Tools.run(
      ["openssl", "smime", "-sign", "-outform", "der", "-out", signature] + options + [
        "-in", content.hasPrefix("/") ? content : directory.file(content), "-signer", directory.file(certificate),
        "-inkey", directory.file(key),
      ])
  }

  @Test func whatWasRevokedIsRefusedFirst() throws {
    let directory = try Self.signedImage()
    guard case .string(let signer)? = try Self.verify(directory, Self.anchors).json()["signature"]?["signer"] else {
      Issue.record("no signer")
      return
    }
    let rootHash = String(decoding: try directory.read("out.roothash"), as: UTF8.self)
    try Directory.create(directory.file("mount"))
    for line in ["signer \(signer)", "root-hash sha256:\(rootHash)"] {
      try directory.write("trust/revoked", line + "\n")
      let results = try [
        Self.verify(directory, Self.anchors), Self.decide(directory, "x_witness=USERSPACE"),
        VerityBPFCommand.run(["mount", "out.raw", "mount", "--json"] + Self.anchors, in: directory.path),
        VerityBPFCommand.run(["inspect", "out.raw", "--json"] + Self.anchors, in: directory.path),
      ]
      for result in results {
        #expect(result.status == 4 && result.errors.contains("provenance.revoked"), "\(line): \(result.errors)")
      }
      #expect(try results.first?.json()["verdict"] == "revoked")
    }
  }
}

extension Equatable {
  /// Nothing more is to be done with it.
  fileprivate func discard() {}
}
