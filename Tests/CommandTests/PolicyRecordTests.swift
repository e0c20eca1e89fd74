import Base
import Linux
import TestSupport
import Testing
import Workbench

/// What is on record of changes to the store of policies: each once, as it ended.
@Suite struct PolicyRecordTests {
  private let directory: TemporaryDirectory
  private let store = ["--store", "store", "--audit-dir", "audit"]

  init() throws {
    directory = try TemporaryDirectory()
    for name in ["own", "other"] {
      try Tools.run(
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
        directory.file("\(name).key"), "-out", directory.file("\(name).crt"), "-subj", "/CN=\(name)")
    }
    for version in 1...2 {
      try directory.write("a\(version).pol", "policy_name=a policy_version=\(version).0.0\nDEFAULT action=DENY\n")
    }
    _ = try sign("a1.pol", "own")
    _ = try sign("a2.pol", "own")
    try directory.write("b.pol", "policy_name=b policy_version=1.0.0\nDEFAULT action=DENY\n")
    _ = try sign("b.pol", "other")
  }

  private func sign(_ policy: String, _ signer: String) throws -> VerityBPFCommand.Result {
    try VerityBPFCommand.run(
      ["policy", "sign", policy, "--certificate", "\(signer).crt", "--private-key", "\(signer).key", "--json"],
      in: directory.path)
  }

  /// Runs a command on the store, and gives the records that it left, without type and time.
  private func records(_ arguments: String..., status: Int) throws -> [String] {
    let before = try lines().count
    let result = try VerityBPFCommand.run(["policy"] + arguments + store, in: directory.path)
    #expect(result.status == status, "\(arguments): \(result.output)\(result.errors)")
    return try lines().dropFirst(before).map { line in
      let fields = line.split(separator: " ").drop { $0.hasPrefix("type=") || $0.hasPrefix("msg=") }
      return fields.filter { !$0.hasPrefix("auid=") && !$0.hasPrefix("ses=") && !$0.contains("digest=") }
        .joined(separator: " ")
    }
  }

  private func lines() throws -> [Substring] {
    guard let bytes = try? directory.read("audit/audit.log") else { return [] }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
  }

  @Test func eachEndsInOneRecord() throws {
    #expect(
      try records("init", "--certificate", "nothing.crt", status: 1)
        == ["op=policy-init store=\"store\" res=0 errno=-2"])
    #expect(
      try records("init", "--certificate", "a1.pol", status: 1)
        == ["op=policy-init store=\"store\" res=0 errno=-22"])
    #expect(
      try records("init", "--certificate", "own.crt", "--json", status: 0)
        == ["op=policy-init store=\"store\" res=1 errno=0"])
    #expect(
      try records("init", "--certificate", "own.crt", status: 1)
        == ["op=policy-init store=\"store\" res=0 errno=-17"])
    #expect(
      try records("activate", "a", status: 1) == ["op=policy-activate policy_name=\"a\" res=0 errno=-2"])
    #expect(
      try records("install", "a2.p7b", status: 0)
        == ["policy_name=\"a\" policy_version=2.0.0 lsm=ipe res=1 errno=0"])
    // An old one is named, since its signature counts; of one that nobody vouches for nothing is known.
    #expect(
      try records("install", "a1.p7b", status: 3)
        == ["policy_name=\"a\" policy_version=1.0.0 lsm=ipe res=0 errno=-116"])
    #expect(
      try records("install", "b.p7b", status: 4) == ["policy_name=? policy_version=? lsm=ipe res=0 errno=-126"])
    #expect(
      try records("install", "nothing.p7b", status: 1) == ["policy_name=? policy_version=? lsm=ipe res=0 errno=-2"])
    #expect(
      try records("activate", "a", status: 0).map { $0.split(separator: " ").suffix(2).joined(separator: " ") }
        == ["lsm=ipe res=1"])
    #expect(try records("remove", "a", status: 3) == ["op=policy-remove policy_name=\"a\" res=0 errno=-1"])
    #expect(try records("remove", "c d", status: 1) == ["op=policy-remove policy_name=632064 res=0 errno=-2"])
    // What the records say can be read, where it is of the kernel's kinds.
    for line in try lines() where line.hasPrefix("type=142") {
      guard case .record = AuditReader.read(Array(line.utf8)) else {
        Issue.record("\(line)")
        continue
      }
    }
  }

  /// A change that fails when everything but its record is there leaves no record of success: the directory of the state
  /// cannot be written to.
  @Test func noSuccessBeforeAFailure() throws {
    guard Tools.isRoot, (try? Tools.run("which", "chattr")) != nil else {
      return print("skipped: a file that cannot be replaced needs root and chattr")
    }
    _ = try records("init", "--certificate", "own.crt", status: 0)
    _ = try records("install", "a1.p7b", status: 0)
    let state = directory.file("store")
    guard (try? Tools.run("chattr", "+i", state)) != nil else {
      return print("skipped: this file system has no attribute that keeps a directory as it is")
    }
    defer { _ = try? Tools.run("chattr", "-i", state) }
    #expect(
      try records("activate", "a", status: 1) == ["op=policy-activate policy_name=\"a\" res=0 errno=-1"])
    #expect(
      try records("install", "a2.p7b", status: 1)
        == ["policy_name=\"a\" policy_version=2.0.0 lsm=ipe res=0 errno=-1"])
  }
}
