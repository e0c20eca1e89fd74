import Base
import Linux
import TestSupport
import Testing

/// A signed object on no image: signed, verified, judged and loaded as a user does it.
@Suite(.serialized) struct SignFileTests {
  let directory: TemporaryDirectory
  let object: String

  init() throws {
    directory = try TemporaryDirectory()
    for path in ["trust", "trust/bpf"] { try Directory.create(directory.file(path)) }
    for name in ["alice", "mallory"] {
      try Tools.run(
        "openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-keyout", directory.file("\(name).key"), "-out",
        directory.file("\(name).crt"), "-subj", "/CN=\(name)", "-days", "2")
    }
    try Tools.run("cp", directory.file("alice.crt"), directory.file("trust/bpf/alice.pem"))
    try Tools.buildDemo(into: directory.file("progs"))
    object = directory.file("signed.o")
    try Tools.run("cp", directory.file("progs/socket_filter.bpf.o"), object)
  }

  private func sign(_ name: String, _ more: [String] = []) throws {
    let result = try VerityBPFCommand.run(
      [
        "sign", "file", object, "--certificate", directory.file("\(name).crt"), "--private-key",
        directory.file("\(name).key"),
      ] + more)
    try #require(result.status == 0, "\(result.errors)")
  }

  private func verify(_ name: String) throws -> VerityBPFCommand.Result {
    try VerityBPFCommand.run(["verify", object, "--certificate", directory.file("\(name).crt"), "--json"])
  }

  @Test func signsAndVerifies() throws {
    #expect(try verify("alice").json()["error"]?["code"] == "object-signature.none")
    try sign("alice")
    let answer = try verify("alice")
    #expect(answer.status == 0, "\(answer.errors)")
    #expect(try answer.json()["subject"] == "CN=alice")
    let other = try verify("mallory")
    #expect(other.status == 4)
    #expect(try other.json()["error"]?["code"] == "signature.untrusted")
    try Tools.run("llvm-strip", "-g", object)
    #expect(try verify("alice").status == 0)
    try sign("mallory")
    #expect(try verify("mallory").status == 0 && verify("alice").status == 4)
    try sign("alice", ["--format", "module"])
    let both = try VerityBPFCommand.run(["verify", object, "--trust-anchors", directory.file("trust"), "--json"])
    #expect(both.status == 4, "the section is mallory's, whatever is behind the file")
  }

  @Test func oneSignatureTakesTheOthersPlaceAndBothMustHold() throws {
    try sign("mallory", ["--format", "module"])
    // The section is put into the object; what was behind the file would no longer be over it.
    try sign("alice")
    let answer = try verify("alice").json()
    #expect(answer["verdict"] == "ok" && answer["format"] == "companion")
    try sign("alice", ["--format", "module"])
    #expect(try verify("alice").status == 0)
    var bytes = try directory.read("signed.o")
    // Within the message behind the file, which ends 40 bytes before it: twelve of numbers and a line.
    bytes[bytes.count - 100] ^= 1
    try directory.write("signed.o", bytes)
    #expect(try verify("alice").status == 4)
  }

  @Test func signsTheFileThatWasMeant() throws {
    let link = directory.file("link.o")
    try Tools.run("ln", "-s", object, link)
    try Tools.run("chmod", "0640", object)
    if Tools.isRoot { try Tools.run("chown", "65534:65534", object) }
    let keys = ["--certificate", directory.file("alice.crt"), "--private-key", directory.file("alice.key")]
    #expect(try VerityBPFCommand.run(["sign", "file", link] + keys).status == 0)
    #expect(try verify("alice").status == 0)
    #expect(try FileStatus.of(path: link, followLinks: false).kind == .symbolicLink)
    let status = try FileStatus.of(path: object)
    #expect(status.mode == 0o640)
    if Tools.isRoot { #expect(status.owner == 65534 && status.group == 65534) }
    let text = try directory.write("text", "no object\n")
    for format in ["companion", "module"] {
      let refused = try VerityBPFCommand.run(["sign", "file", text, "--format", format] + keys)
      #expect(refused.status == 1 && refused.errors.contains("error[object."), "\(refused.errors)")
    }
    let pipe = directory.file("pipe")
    try Tools.run("mkfifo", pipe)
    for command in [["sign", "file", pipe] + keys, ["inspect", pipe], ["verify", pipe]] {
      #expect(try VerityBPFCommand.run(command).status == 1, "\(command)")
    }
  }

  @Test func signsInTwoStepsAndByURI() throws {
    let tbs = directory.file("tbs")
    let message = directory.file("message")
    for format in ["companion", "module"] {
      let emitted = try VerityBPFCommand.run(["sign", "file", object, "--emit-tbs", tbs, "--format", format])
      #expect(emitted.status == 0, "\(emitted.errors)")
      try Tools.run(
        "openssl", "cms", "-sign", "-binary", "-noattr", "-nocerts", "-md", "sha256", "-outform", "DER", "-in", tbs,
        "-signer", directory.file("alice.crt"), "-inkey", directory.file("alice.key"), "-out", message)
      let attached = try VerityBPFCommand.run([
        "sign", "file", object, "--attach-signature", message, "--format", format, "--certificate",
        directory.file("alice.crt"), "-o", directory.file("attached.o"),
      ])
      #expect(attached.status == 0, "\(attached.errors)")
      let verified = try VerityBPFCommand.run([
        "verify", directory.file("attached.o"), "--certificate", directory.file("alice.crt"), "--json",
      ])
      #expect(try verified.json()["format"] == .string(format))
      let wrong = try VerityBPFCommand.run([
        "sign", "file", object, "--attach-signature", message, "--format", format, "--certificate",
        directory.file("mallory.crt"), "-o", directory.file("attached.o"),
      ])
      #expect(wrong.status == 4)
    }
    let byURI = try VerityBPFCommand.run([
      "sign", "file", object, "--certificate", directory.file("alice.crt"), "--private-key",
      "file:\(directory.file("alice.key"))",
    ])
    #expect(byURI.status == 0, "\(byURI.errors)")
    #expect(try verify("alice").status == 0)
    let missing = try VerityBPFCommand.run([
      "sign", "file", object, "--certificate", directory.file("alice.crt"), "--private-key", "pkcs11:token=none",
    ])
    #expect(missing.status == 1 && missing.errors.contains("signature.private-key"))
    let nowhere = try VerityBPFCommand.run([
      "sign", "file", object, "--certificate", directory.file("alice.crt"), "--private-key",
      "file:\(directory.file("nowhere"))",
    ])
    #expect(nowhere.status == 1 && nowhere.errors.contains("No such file or directory"), "\(nowhere.errors)")
  }

  @Test(arguments: ["ed25519", "ed448"])
  func saysWhichKeysSign(algorithm: String) throws {
    let (key, certificate) = (directory.file("ed.key"), directory.file("ed.crt"))
    try Tools.run("openssl", "genpkey", "-algorithm", algorithm, "-out", key)
    try Tools.run("openssl", "req", "-new", "-x509", "-key", key, "-subj", "/CN=ed", "-out", certificate)
    let result = try VerityBPFCommand.run(
      ["sign", "file", object, "--certificate", certificate, "--private-key", key])
    #expect(result.status == 64 && result.errors.hasPrefix("error[signature.key-kind]"), "\(result.errors)")
  }

  // MARK: - Loading

  private func policy(_ rules: String) throws -> String {
    try directory.write("test.pol", "policy_name=test policy_version=1.0.0\nDEFAULT action=DENY\n\(rules)\n")
  }

  private func load(_ rules: String, _ arguments: [String]? = nil) throws -> VerityBPFCommand.Result {
    try VerityBPFCommand.run(
      ["load"] + (arguments ?? ["--object", object]) + [
        "--policy", try policy(rules), "--trust-anchors", directory.file("trust"), "--json", "--audit-dir",
        directory.file("audit"),
      ], object: object)
  }

  private static let allow = "op=BPF_PROG_LOAD bpf_signature=OK bpf_keyring=BPF action=ALLOW"

  @Test(.enabled(if: Tools.isRoot, "loading needs root"))
  func loadsWhatTheRuleSays() throws {
    let unsigned = try load(Self.allow)
    #expect(unsigned.status == 2, "\(unsigned.errors)")
    #expect(try load(Self.allow, ["--fd", "3"]).status == 4, "unsigned and on no image: there is nothing to judge")
    try sign("mallory")
    #expect(try load(Self.allow).status == 2)
    #expect(try load("op=BPF_PROG_LOAD bpf_signature=UNKNOWNKEY action=ALLOW").status == 0)
    try sign("alice")
    let allowed = try load(Self.allow)
    #expect(allowed.status == 0, "\(allowed.errors)")
    #expect(try allowed.json()["provenance"]?["signature"]?["keyring"] == "BPF")
    let byDescriptor = try load(Self.allow, ["--fd", "3"])
    #expect(byDescriptor.status == 0, "\(byDescriptor.errors)")
    let signer = try #require(try allowed.json()["provenance"]?["signature"]?["signer"])
    guard case .string(let fingerprint) = signer else { return }
    #expect(try load("op=BPF_PROG_LOAD x_signer=\(fingerprint) x_sig_source=USERSPACE action=ALLOW").status == 0)
    #expect(try load("op=BPF_PROG_LOAD x_sig_source=KERNEL action=ALLOW").status == 2)
    #expect(try load("op=BPF_PROG_LOAD bpf_signature=OK dmverity_signature=TRUE action=ALLOW").status == 2)

    // A byte of the license: still an object, no longer the signed one.
    var bytes = try directory.read("signed.o")
    let place = try #require(bytes.indices.first { bytes[$0...].starts(with: Array("GPL\0".utf8)) })
    bytes[place + 2] = UInt8(ascii: "M")
    try directory.write("signed.o", bytes)
    #expect(try load(Self.allow).status == 2)
    #expect(
      try load("op=BPF_PROG_LOAD bpf_signature=BADSIG action=ALLOW", ["--object", object, "--dry-run"]).status == 0)
  }

  /// What the kernel here can check is the kernel's affair; that nothing is loaded without its check is ours. The kernels
  /// that can are in the test machine.
  @Test(.enabled(if: Tools.isRoot, "loading needs root"))
  func refusesWhatTheKernelCannotCheck() throws {
    let everything = "op=BPF_PROG_LOAD action=ALLOW"
    let unsigned = try load(everything, ["--object", object, "--keyring", "platform"])
    #expect(unsigned.status == 4 && unsigned.errors.contains("error[kernel-signature.missing]"), "\(unsigned.errors)")
    try sign("alice")
    let signed = try load(everything, ["--object", object, "--keyring", "platform"])
    #expect([5, 6].contains(signed.status) && signed.errors.contains("error[kernel-signature."), "\(signed.errors)")
    #expect(try signed.json()["programs"] == nil)
    for word in ["", "Platform", "-3", "0", "2", "1e3", "99999999999"] {
      #expect(try load(everything, ["--object", object, "--keyring=\(word)"]).status == 64, "\(word)")
    }
    #expect(try load(everything).json()["kernel_verified"] == .null)
  }

  @Test(.enabled(if: Tools.isRoot, "loading needs root"))
  func revokedIsRefusedFirst() throws {
    try sign("alice")
    let answer = try verify("alice").json()
    guard case .string(let signer)? = answer["signer"] else { return }
    let everything = "op=BPF_PROG_LOAD action=ALLOW"
    for line in ["signer \(signer)", "object sha256:\(try Tools.run("sha256sum", object).prefix(64))"] {
      try directory.write("trust/revoked", line + "\n")
      let result = try load(everything)
      #expect(result.status == 4 && result.errors.contains("provenance.revoked"), "\(line): \(result.errors)")
    }
    // By what is signed, the object is found again when something else of the file has changed.
    guard case .string(let content)? = answer["content"] else { return }
    try directory.write("trust/revoked", "object \(content)\n")
    try Tools.run("llvm-strip", "-g", object)
    #expect(try load(everything).errors.contains("provenance.revoked"))
    for line in ["signer \(signer)", "object \(content)"] {
      try directory.write("trust/revoked", line + "\n")
      let verified = try VerityBPFCommand.run(["verify", object, "--trust-anchors", directory.file("trust"), "--json"])
      #expect(verified.status == 4)
      #expect(try verified.json()["error"]?["code"] == "provenance.revoked")
    }
    try directory.write("trust/revoked", "nonsense\n")
    #expect(try load(everything).errors.contains("trust.revocations"))
    try directory.write("trust/revoked", "# nothing\n")
    #expect(try load(everything).status == 0)
  }

  /// What stays with its packet may come from anywhere, when the policy says so; everything more may not.
  @Test(.enabled(if: Tools.isRoot, "loading needs root"))
  func restrictedProgramsNeedNoSignature() throws {
    let rule = "op=BPF_PROG_LOAD x_class=RESTRICTED action=ALLOW"
    let restricted = try load(rule)
    #expect(restricted.status == 0, "\(restricted.errors)")
    let tracer = directory.file("progs/exec_logger.bpf.o")
    #expect(try load(rule, ["--object", tracer]).status == 2)
    #expect(try load("op=BPF_PROG_LOAD x_class=FULL action=ALLOW", ["--object", tracer]).status == 0)
  }

  @Test(.enabled(if: Tools.isRoot, "loading needs root"))
  func expiredIsNotOK() throws {
    let key = directory.file("alice.key")
    let request = directory.file("old.csr")
    try Tools.run("openssl", "req", "-new", "-key", key, "-subj", "/CN=old", "-out", request)
    try Tools.run(
      "openssl", "x509", "-req", "-in", request, "-signkey", key, "-days", "-1", "-out", directory.file("old.crt"))
    try Tools.run("cp", directory.file("old.crt"), directory.file("trust/bpf/old.pem"))
    try Tools.run("cp", directory.file("alice.key"), directory.file("old.key"))
    try sign("old")
    #expect(try verify("old").json()["error"]?["code"] == "signature.expired")
    #expect(try load(Self.allow).status == 2)
    #expect(try load("op=BPF_PROG_LOAD bpf_signature=EXPIRED bpf_keyring=BPF action=ALLOW").status == 0)
    #expect(try load("op=BPF_PROG_LOAD bpf_keyring=BPF action=ALLOW").status == 2)
    #expect(try load("op=BPF_PROG_LOAD bpf_keyring=BPF action=DENY\nop=BPF_PROG_LOAD action=ALLOW").status == 2)
    // A signer counts while the certificate is valid, whatever else the rule says of the signature.
    guard case .string(let signer)? = try load(Self.allow).json()["provenance"]?["signature"]?["signer"] else {
      Issue.record("the signer of an expired certificate is not told")
      return
    }
    #expect(try load("op=BPF_PROG_LOAD x_signer=\(signer) action=ALLOW").status == 2)
    #expect(try load("op=BPF_PROG_LOAD x_signer=\(signer) bpf_signature=EXPIRED action=ALLOW").status == 2)
    #expect(try load("op=BPF_PROG_LOAD x_sig_source=USERSPACE bpf_signature=EXPIRED action=ALLOW").status == 2)
  }

  /// A certificate for servers signs no code, whoever trusts it.
  @Test(.enabled(if: Tools.isRoot, "loading needs root"))
  func anotherPurposeDoesNotCount() throws {
    try Tools.run(
      "openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-keyout", directory.file("server.key"), "-out",
      directory.file("server.crt"), "-subj", "/CN=server", "-days", "2", "-addext", "extendedKeyUsage=serverAuth")
    try Tools.run("cp", directory.file("server.crt"), directory.file("trust/bpf/server.pem"))
    try sign("server")
    let verified = try verify("server")
    #expect(verified.status == 4)
    #expect(try verified.json()["error"]?["code"] == "signature.purpose")
    #expect(try load("op=BPF_PROG_LOAD bpf_keyring=BPF action=ALLOW").status == 2)
    let denied = try load(Self.allow)
    #expect(denied.status == 2 && denied.errors.contains("signature.purpose"), "\(denied.errors)")
  }
}
