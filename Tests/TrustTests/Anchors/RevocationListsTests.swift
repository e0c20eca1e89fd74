import Base
import Linux
import Policy
import Signatures
import TestSupport
import Testing

@testable import Trust

/// Signed lists of what was revoked, among the trust anchors.
@Suite struct RevocationListsTests {
  private let directory: TemporaryDirectory
  private let digest: Digest

  init() throws {
    directory = try TemporaryDirectory()
    for path in ["trust", "trust/revocation"] { try Directory.create(directory.file(path)) }
    for name in ["one", "two", "stranger"] {
      try Tools.run(
        "openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout",
        directory.file("\(name).key"), "-out", directory.file("\(name).crt"), "-subj", "/CN=\(name)", "-days", "2")
    }
    for name in ["one", "two"] {
      try Tools.run("cp", directory.file("\(name).crt"), directory.file("trust/revocation/\(name).pem"))
    }
    digest = try #require(Digest("sha256:" + String(repeating: "5a", count: 32)))
  }

  private var lists: RevocationLists { RevocationLists(directory.file("trust")) }

  private func signed(
    _ version: String, _ lines: String, name: String = "fleet", by signer: String = "one"
  ) throws -> [UInt8] {
    try SignedMessage.sign(
      Array("list_name=\(name) list_version=\(version)\n\(lines)".utf8),
      certificate: try directory.read("\(signer).crt"),
      privateKey: try directory.read("\(signer).key"), form: .policy)
  }

  private func signer(_ name: String) throws -> Digest {
    try #require(try Certificates(pem: try directory.read("\(name).crt")).fingerprints().first)
  }

  private func verdict() throws -> Trust::Verdict {
    try Trust(directory: directory.file("trust")).judge(.rootHash(digest, signature: nil), at: 0)
  }

  private func code(_ body: () throws(TrustError) -> Void) -> String {
    do throws(TrustError) { try body() } catch { return error.diagnostic.code }
    return "none"
  }

  private func install(_ message: [UInt8]) -> String {
    code { () throws(TrustError) in _ = try lists.install(message, from: "given") }
  }

  @Test func aListCountsWithTheMachinesOwn() throws {
    #expect(try verdict() == .unsigned && lists.all().isEmpty)
    #expect(install(try signed("1.0.0", "# why\nroot-hash \(digest)\n")) == "none")
    let identity = RevocationList.Identity(name: "fleet", version: PolicyVersion(1, 0, 0))
    let path = directory.file("trust/revoked.d/fleet.p7b")
    #expect(
      try verdict() == .revoked(Revocation(kind: .rootHash, digest: digest, path: path, line: 3, list: identity)))
    guard case .revoked(let found) = try verdict() else { return }
    #expect(found.diagnostic.message == "the root-hash was revoked by list `fleet` 1.0.0")
    // The machine's own list is told before.
    try directory.write("trust/revoked", "root-hash \(digest)\n")
    guard case .revoked(let own) = try verdict() else {
      Issue.record("not revoked")
      return
    }
    #expect(own.list == nil && own.line == 1)
    #expect(try Directory.names(directory.file("trust/revoked.d")) == ["fleet.p7b", "lock", "versions"])
  }

  @Test func versionsOnlyGoUp() throws {
    let first = try signed("1.1.0", "root-hash \(digest)\n")
    #expect(install(first) == "none")
    #expect(try lists.install(first, from: "given").result == .unchanged)
    for version in ["1.1.0", "1.0.9", "0.9.0"] {
      #expect(install(try signed(version, "")) == "trust.list-stale", "\(version)")
    }
    #expect(try lists.install(signed("1.2.0", ""), from: "given").result == .updated(from: PolicyVersion(1, 1, 0)))
    #expect(try verdict() == .unsigned)
    // Another list has versions of its own.
    #expect(install(try signed("0.0.1", "", name: "other")) == "none")
    // By hand: an older one counts for nothing and stops everything, a newer one counts.
    try directory.write("trust/revoked.d/fleet.p7b", first)
    #expect(code { () throws(TrustError) in _ = try Trust(directory: directory.file("trust")) } == "trust.list-stale")
    let newer = try signed("1.3.0", "root-hash \(digest)\n")
    try directory.write("trust/revoked.d/fleet.p7b", newer)
    guard case .revoked = try verdict() else {
      Issue.record("not revoked")
      return
    }
    #expect(install(try signed("1.2.1", "")) == "trust.list-stale")
    #expect(try lists.install(newer, from: "given").result == .updated(from: PolicyVersion(1, 3, 0)))
  }

  @Test func whatIsWrongStopsEverything() throws {
    let list = try signed("1.0.0", "root-hash \(digest)\n")
    #expect(install(list) == "none")
    let names = ["fleet.p7b", "versions"]
    for name in names {
      let path = "trust/revoked.d/\(name)"
      let good = try directory.read(path)
      for (damaged, isEmpty) in [(Array(good.dropLast()), false), ([], true), (good.reversed(), false)] {
        try directory.write(path, damaged)
        let found = code { () throws(TrustError) in _ = try Trust(directory: directory.file("trust")) }
        #expect(
          found == (name == "versions" ? "trust.list-versions" : "trust.list-signature"), "\(name), empty: \(isEmpty)")
      }
      try directory.write(path, good)
    }
    try Tools.run("rm", directory.file("trust/revoked.d/fleet.p7b"))
    #expect(code { () throws(TrustError) in _ = try Trust(directory: directory.file("trust")) } == "trust.list-missing")
    #expect(try lists.all().map { $0.problem?.diagnostic.code } == ["trust.list-missing"])
    #expect(install(list) == "none")
    for (path, content) in [("other.p7b", list), ("notes.txt", [])] {
      try directory.write("trust/revoked.d/\(path)", content)
      let found = code { () throws(TrustError) in _ = try Trust(directory: directory.file("trust")) }
      #expect(found == (content.isEmpty ? "trust.unknown-entry" : "trust.list-name"), "\(path)")
      try Tools.run("rm", directory.file("trust/revoked.d/\(path)"))
    }
    guard case .revoked = try verdict() else {
      Issue.record("not revoked")
      return
    }
  }

  @Test func whoMayRevoke() throws {
    #expect(install(try signed("1.0.0", "", by: "stranger")) == "trust.list-signature")
    // Who may sign programs may not revoke them.
    try Directory.create(directory.file("trust/bpf"))
    try Tools.run("cp", directory.file("stranger.crt"), directory.file("trust/bpf/stranger.pem"))
    #expect(install(try signed("1.0.0", "", by: "stranger")) == "trust.list-signature")
    #expect(install(try signed("1.0.0", "signer \(signer("one"))\nroot-hash \(digest)\n", by: "two")) == "none")
    #expect(install(try signed("1.0.0", "", name: "other", by: "one")) == "trust.list-signature")
    // What a signer revoked stays revoked when that signer is.
    try directory.write("trust/revoked", "signer \(signer("two"))\n")
    guard case .revoked(let found) = try verdict() else {
      Issue.record("not revoked")
      return
    }
    #expect(found.list?.name == "fleet")
    #expect(install(try signed("1.1.0", "", by: "two")) == "trust.list-signature")
  }

  /// The change is announced before anything is written; where it cannot be, nothing is.
  @Test func whatCannotBeRecordedIsNotDone() throws {
    let list = try signed("1.0.0", "root-hash \(digest)\n")
    #expect(throws: TrustError.self) {
      try lists.install(list, from: "given") { (_) throws(SystemError) in
        throw SystemError("write", path: "log", errno: 28)
      }
    }
    #expect(try verdict() == .unsigned && lists.all().isEmpty)
  }
}
