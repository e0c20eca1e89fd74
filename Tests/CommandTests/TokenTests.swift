import Base
import Linux
import TestSupport
import Testing

/// Keys that stay in a PKCS#11 token (SoftHSM's), for everything that is signed.
@Suite(.enabled(if: SoftToken.isThere, "no softhsm2-util, libsofthsm2.so or OpenSSL engine pkcs11"))
struct TokenTests {

  let directory: TemporaryDirectory
  let environment: [String]

  init() throws {
    directory = try LayoutTests.sources()
    try Directory.create(directory.file("tokens"))
    try directory.write("softhsm2.conf", "directories.tokendir = \(directory.file("tokens"))\nlog.level = ERROR\n")
    environment = [
      "env", "SOFTHSM2_CONF=\(directory.file("softhsm2.conf"))", "PKCS11_MODULE_PATH=\(SoftToken.module)",
    ]
    try Tools.run(
      "openssl", "pkcs8", "-topk8", "-nocrypt", "-in", directory.file("key.pem"), "-out", directory.file("k"))
    try Tools.run(
      environment + ["softhsm2-util", "--init-token", "--free", "--label", "test", "--so-pin", "1234", "--pin", "5678"])
    try Tools.run(
      environment + ["softhsm2-util", "--import", directory.file("k"), "--token", "test", "--label", "signer", "--id"]
        + ["a1", "--pin", "5678"])
    // The token is the only place that has the key now.
    try Tools.run("rm", directory.file("key.pem"), directory.file("k"))
  }

  private func run(_ arguments: [String], pin: String = "5678") throws -> VerityBPFCommand.Result {
    let key = "pkcs11:token=test;object=signer;type=private;pin-value=\(pin)"
    return try VerityBPFCommand.run(
      arguments + ["--certificate", "cert.pem", "--private-key", key], in: directory.path, wrapper: environment)
  }

  @Test func signsEverything() throws {
    let built = try run(["build-image", "progs", "-o", "signed.raw"])
    try #require(built.status == 0, "\(built.errors)")
    let verify = { (file: String) in
      try VerityBPFCommand.run(["verify", file, "--certificate", "cert.pem"], in: directory.path)
    }
    #expect(try verify("signed.raw").status == 0)
    try Tools.run("rm", directory.file("signed.roothash.p7s"))
    #expect(try run(["sign", "root-hash", "signed.raw"]).status == 0)
    #expect(try verify("signed.raw").status == 0)

    for format in ["companion", "module"] {
      let file = try run(["sign", "file", "progs/a.bpf.o", "-o", "\(format).o", "--format", format])
      #expect(file.status == 0, "\(file.errors)")
      #expect(try verify("\(format).o").status == 0)
    }
    try directory.write("p.pol", "policy_name=p policy_version=1.0.0\nDEFAULT action=DENY\n")
    let policy = try run(["policy", "sign", "p.pol"])
    #expect(policy.status == 0, "\(policy.errors)")
    try Tools.run(
      "openssl", "smime", "-verify", "-binary", "-inform", "der", "-noverify", "-in", directory.file("p.p7b"),
      "-certfile", directory.file("cert.pem"), "-out", "/dev/null")

    let wrong = try run(["sign", "root-hash", "signed.raw"], pin: "0000")
    #expect(wrong.status == 1 && wrong.errors.contains("signature.private-key"), "\(wrong.errors)")
  }
}

enum SoftToken {
  static let module = "/usr/lib/softhsm/libsofthsm2.so"

  static var isThere: Bool {
    let engine = try? Subprocess.run(["openssl", "engine", "-t", "pkcs11"], limit: 4096)
    return engine?.status == 0 && (try? FileStatus.of(path: module)) != nil
  }
}
