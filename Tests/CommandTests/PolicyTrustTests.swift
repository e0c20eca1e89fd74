import Base
import Linux
import TestSupport
import Testing

/// Signers of policies that follow each other, and keys under a pass phrase, on the command line.
@Suite struct PolicyTrustTests {
  let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
    for name in ["old", "new"] {
      try Tools.run(
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout",
        directory.file("\(name).key"), "-out", directory.file("\(name).crt"), "-subj", "/CN=\(name)", "-passout",
        "pass:open sesame")
    }
    try directory.write("phrase", "open sesame\nand nothing of this\n")
    try directory.write("wrong", "open barley\n")
    try directory.write("a.pol", "policy_name=a policy_version=1.0.0\nDEFAULT action=DENY\n")
  }

  private func run(_ arguments: [String], code: Int = 0) throws -> VerityBPFCommand.Result {
    let result = try VerityBPFCommand.run(arguments, in: directory.path)
    #expect(result.status == code, "\(arguments): \(result.errors)")
    return result
  }

  private let store = ["--store", "store", "--audit-dir", "log"]

  private func signing(_ name: String) -> [String] {
    ["--certificate", "\(name).crt", "--private-key", "\(name).key", "--passphrase-file", "phrase"]
  }

  @Test func oneSignerFollowsAnother() throws {
    _ = try run(["policy", "init", "--certificate", "old.crt"] + store)
    let before = try run(["policy", "list", "--signers", "--json"] + store).json()
    guard case .string(let id)? = before["store"] else {
      Issue.record("\(before)")
      return
    }
    let old = try Tools.run("sh", "-c", "openssl x509 -in '\(directory.file("old.crt"))' -outform DER | sha256sum")
      .prefix(64)
    let statement = ["policy", "sign-trust", "--store-id", id, "-o", "s.p7b"]
    _ = try run(statement + ["--counter", "1", "--trust", "new.crt"] + signing("old"))
    let change = try run(["policy", "trust", "s.p7b", "--json"] + store).json()
    #expect(change["counter"] == 1)
    _ = try run(["policy", "trust", "s.p7b"] + store, code: 3)
    _ = try run(statement + ["--counter", "2", "--retire", "\(old)"] + signing("new"))
    #expect(try run(["policy", "trust", "s.p7b"] + store).output.contains("retired   sha256:\(old)"))
    #expect(try run(["policy", "list", "--signers"] + store).output.contains("CN=new"))
    _ = try run(["policy", "sign", "a.pol"] + signing("old"))
    _ = try run(["policy", "install", "a.p7b"] + store, code: 4)
    _ = try run(["policy", "sign", "a.pol"] + signing("new"))
    _ = try run(["policy", "install", "a.p7b"] + store)
    let log = String(decoding: try directory.read("log/audit.log"), as: UTF8.self)
    let records = log.split(separator: "\n").filter { $0.contains(" op=policy-signers ") }
    #expect(records.count == 3 && records[2].contains("retired=sha256:\(old)"), "\(log)")
    #expect(records[1].contains("res=0 errno=-116"), "a statement that came a second time: \(records[1])")
  }

  @Test func aPassPhraseIsNeverAskedFor() throws {
    let certificate = ["policy", "sign", "a.pol", "--certificate", "old.crt", "--private-key", "old.key"]
    for (options, word) in [([], "is kept under a pass phrase"), (["--passphrase-file", "wrong"], "does not open")] {
      let plain = try run(certificate + options, code: 1)
      #expect(plain.errors.contains("error[signature.passphrase]") && plain.errors.contains(word), "\(plain.errors)")
      #expect(plain.errors.contains("`old.key`"))
    }
    _ = try run(certificate + ["--passphrase-file", "phrase"])
    _ = try run(["sign", "file", "x.o", "--emit-tbs", "y", "--passphrase-file", "phrase"], code: 64)
  }
}
