import Base
import Linux
import Policy
import Signatures
import TestSupport
import Testing

@testable import Trust

/// Whose signatures of policies count, and how that changes.
@Suite struct StoreSignersTests {
  let directory: TemporaryDirectory
  let store: PolicyStore

  init() throws {
    directory = try TemporaryDirectory()
    store = PolicyStore(directory: directory.file("store"), trust: .none)
    for name in ["old", "new"] { try make(name) }
    try make("tls", ["-addext", "extendedKeyUsage=serverAuth", "-addext", "keyUsage=keyEncipherment"])
    try store.create(trusting: try directory.read("old.crt"))
  }

  private func make(_ name: String, _ extra: [String] = []) throws {
    try Tools.run(
      [
        "openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout",
        directory.file("\(name).key"), "-out", directory.file("\(name).crt"), "-subj", "/CN=\(name)",
      ] + extra)
  }

  private func fingerprint(_ name: String) throws -> Digest {
    try #require(try Certificates(pem: try directory.read("\(name).crt")).fingerprints().first)
  }

  private func sign(_ text: [UInt8], by name: String) throws -> [UInt8] {
    try SignedMessage.sign(
      text, certificate: try directory.read("\(name).crt"), privateKey: try directory.read("\(name).key"),
      form: .policy)
  }

  private func policy(_ name: String, _ version: String, by signer: String) throws -> [UInt8] {
    try sign(Array("policy_name=\(name) policy_version=\(version)\nDEFAULT action=DENY\n".utf8), by: signer)
  }

  private func statement(
    _ counter: UInt64, trust: [String] = [], retire: [String] = [], by signer: String = "old", store id: String? = nil
  ) throws -> [UInt8] {
    let statement = SignerStatement(
      store: try id ?? #require(try store.state().id), counter: counter,
      trusted: try trust.map { try directory.read("\($0).crt") }, retired: try retire.map { try fingerprint($0) })
    return try sign(statement.text, by: signer)
  }

  private func code(_ body: () throws -> Void) -> String {
    do { try body() } catch let error as any Diagnosable { return error.diagnostic.code } catch { return "\(error)" }
    return "none"
  }

  @Test func aSignerFollowsAnother() throws {
    _ = try store.install(try policy("a", "1.5.0", by: "old"))
    _ = try store.activate("a")
    #expect(code { _ = try store.install(try policy("a", "2.0.0", by: "new")) } == "signature.untrusted")
    let change = try store.trust(try statement(1, trust: ["new"]))
    #expect(change.added == [try fingerprint("new")] && change.retired.isEmpty && change.counter == 1)
    // Who signed what decides now stays until something else does.
    #expect(code { _ = try store.trust(try statement(2, retire: ["old"])) } == "store.active-signer")
    _ = try store.install(try policy("a", "2.0.0", by: "new"))
    #expect(try store.trust(try statement(2, retire: ["old"], by: "new")).retired == [try fingerprint("old")])
    #expect(try store.signers().map(\.subject) == ["CN=new"])
    #expect(code { _ = try store.install(try policy("a", "3.0.0", by: "old")) } == "signature.untrusted")
    // No version was forgotten.
    #expect(code { _ = try store.install(try policy("a", "1.9.0", by: "new")) } == "store.stale")
    #expect(try store.active().document.header?.version == PolicyVersion(2, 0, 0))
    #expect(try Directory.names(store.directory).filter { $0.hasPrefix("trusted") }.count == 1)
  }

  @Test func statementsThatDoNotCount() throws {
    let other = PolicyStore(directory: directory.file("other"), trust: .none)
    try other.create(trusting: try directory.read("old.crt"))
    #expect(try other.state().id != (try store.state().id))
    let foreign = try statement(1, trust: ["new"], store: try other.state().id)
    #expect(code { _ = try store.trust(foreign) } == "store.other")
    let first = try statement(3, trust: ["new"])
    _ = try store.trust(first)
    #expect(code { _ = try store.trust(first) } == "store.stale-signers")
    #expect(code { _ = try store.trust(try statement(2, retire: ["old"])) } == "store.stale-signers")
    #expect(code { _ = try store.trust(try statement(4, retire: ["tls"])) } == "store.unknown-signer")
    #expect(code { _ = try store.trust(try statement(4, trust: ["tls"])) } == "signature.purpose")
    #expect(code { _ = try store.trust(try statement(4, retire: ["old", "new"])) } == "store.last-signer")
    #expect(code { _ = try store.trust(try statement(4, retire: ["old"], by: "tls")) } == "signature.untrusted")
    let text = String(decoding: SignerStatement(store: "x", counter: 1, trusted: [[]], retired: []).text, as: UTF8.self)
    for odd in [
      "{}", "policy_name=a policy_version=1.0.0\nDEFAULT action=DENY\n",
      text.replacing("\"retire\"", with: "\"retired\""),
      text.replacing("\"counter\":1", with: "\"counter\":0"), text.replacing("signers/1", with: "signers/2"),
      text.replacing("\"trust\":[\"\"]", with: "\"trust\":[]"), text.dropLast() + "{}",
    ] {
      #expect(code { _ = try store.trust(try sign(Array(odd.utf8), by: "old")) } == "store.statement", "\(odd)")
    }
    #expect(try store.state().signersCounter == 3 && store.signers().count == 2)
    // A policy is no statement and a statement no policy.
    #expect(code { _ = try store.install(try statement(9, trust: ["new"])) }.hasPrefix("policy."))
  }

  /// A signer who was revoked does not name others, cannot be the last one, and is not taken on.
  @Test func revokedSigners() throws {
    try Directory.create(directory.file("anchors"))
    try directory.write("anchors/revoked", "signer \(try fingerprint("new"))\n")
    let strict = PolicyStore(directory: store.directory, trust: try Trust(directory: directory.file("anchors")))
    #expect(code { _ = try strict.trust(try statement(1, trust: ["new"])) } == "provenance.revoked")
    _ = try store.trust(try statement(1, trust: ["new"]))
    #expect(code { _ = try strict.trust(try statement(2, retire: ["old"], by: "new")) } == "provenance.revoked")
    #expect(code { _ = try strict.trust(try statement(2, retire: ["old"])) } == "store.last-signer")
    let fresh = PolicyStore(directory: directory.file("fresh"), trust: strict.trust)
    #expect(code { _ = try fresh.create(trusting: try directory.read("new.crt")) } == "provenance.revoked")
    #expect(code { _ = try fresh.create(trusting: try directory.read("tls.crt")) } == "signature.purpose")
    #expect((try? FileStatus.of(path: fresh.directory)) == nil)
  }

  /// Certificates that are out of date count, and are told.
  @Test func certificatesOutOfDate() throws {
    try Tools.run(
      "openssl", "req", "-new", "-key", directory.file("new.key"), "-subj", "/CN=late", "-out", directory.file("csr"))
    // Valid in a second of 1970 that is long gone.
    try Tools.run(
      "openssl", "x509", "-req", "-in", directory.file("csr"), "-signkey", directory.file("new.key"), "-days", "-1",
      "-out", directory.file("late.crt"))
    try directory.write("late.key", try directory.read("new.key"))
    let change = try store.trust(try statement(1, trust: ["late"]))
    #expect(change.expired.map(\.subject) == ["CN=late"] && change.isSignerValid)
    let next = try store.trust(try statement(2, trust: ["new"], by: "late"))
    #expect(!next.isSignerValid && next.expired.isEmpty)
    let fresh = PolicyStore(directory: directory.file("fresh"), trust: .none)
    #expect(try fresh.create(trusting: try directory.read("late.crt")).map(\.subject) == ["CN=late"])
  }

  /// A store that an earlier version made has no identifier until it is changed.
  @Test func storesOfBefore() throws {
    let pem = try directory.read("old.crt")
    let digest = try Digest.of(pem.rawSpan)
    let text =
      "{\"schema\":\"verity-bpf/policy-store/1\",\"serial\":0,\"trusted\":\"\(digest)\","
      + "\"policies\":[],\"floors\":[],\"active\":null,\"active_floor\":null}"
    try directory.write("store/state", "\(text)\n\(try Digest.of(Array(text.utf8).rawSpan))\n")
    #expect(try store.state().id == nil)
    #expect(code { _ = try store.trust(try statement(1, trust: ["new"], store: "x")) } == "store.other")
    _ = try store.trust(try statement(1, trust: ["new"]))
  }
}
