import Base
import Linux
import Policy
import Signatures
import TestSupport
import Testing
@testable import Trust

@Suite final class PolicyStoreTests {
  private let directory: String
  private let store: PolicyStore
  private let certificate: [UInt8]
  private let key: [UInt8]

  init() throws {
    directory = try Directory.createTemporary(prefix: "verity-bpf-store")
    store = PolicyStore(directory: "\(directory)/lib/store", trust: .none)
    let made = try Subprocess.run([
      "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
      "\(directory)/key",
      "-out", "\(directory)/crt", "-subj", "/CN=store", "-days", "3",
    ])
    try #require(made.status == 0, "\(made.text)")
    certificate = try Self.read("\(directory)/crt")
    key = try Self.read("\(directory)/key")
  }
  deinit { Cleanup.removeTree(directory) }

  private static func read(_ path: String) throws -> [UInt8] {
    try OwnedFD.open(path, .readOnly).readToEnd(limit: 1 << 20) ?? []
  }

  private func write(_ bytes: [UInt8], _ name: String) throws {
    let file = try OwnedFD.open("\(store.directory)/\(name)", [.writeOnly, .create, .truncate])
    try file.writeAll(bytes.rawSpan)
  }

  private func signed(_ name: String, _ version: String, rules: String = "DEFAULT action=DENY\n") throws -> [UInt8] {
    try SignedMessage.sign(
      Array("policy_name=\(name) policy_version=\(version)\n\(rules)".utf8), certificate: certificate, privateKey: key,
      form: .policy)
  }

  private func code(_ body: () throws(PolicyStoreError) -> Void) -> String {
    do throws(PolicyStoreError) { try body() } catch { return error.diagnostic.code }
    return "none"
  }

  @Test func theLifeOfAPolicy() throws {
    #expect(code { () throws(PolicyStoreError) in _ = try store.state() } == "store.none")
    try store.create(trusting: certificate)
    #expect(code { () throws(PolicyStoreError) in try store.create(trusting: certificate) } == "store.exists")
    #expect(code { () throws(PolicyStoreError) in _ = try store.active() } == "store.none-active")

    let first = try signed("a", "1.0.0")
    #expect(try store.install(first).result == .added)
    #expect(try store.install(first).result == .unchanged)
    #expect(try store.activate("a") == nil ? true : false)
    #expect(try store.active().document.header?.version == PolicyVersion(1, 0, 0))

    // ECDSA signatures differ each time, so the same version signed again is another message.
    let again = try signed("a", "1.0.0")
    #expect(code { () throws(PolicyStoreError) in _ = try store.install(again) } == "store.stale")
    let second = try signed("a", "1.1.0")
    #expect(try store.install(second).result == .updated(from: PolicyVersion(1, 0, 0)))
    #expect(try store.active().document.header?.version == PolicyVersion(1, 1, 0))

    _ = try store.install(try signed("b", "1.1.0", rules: "DEFAULT action=ALLOW\n"))
    let previous = try store.activate("b")
    #expect(previous?.document.header?.nameText == "a")
    try store.remove("a")
    #expect(code { () throws(PolicyStoreError) in _ = try store.install(first) } == "store.stale")
    #expect(code { () throws(PolicyStoreError) in try store.remove("b") } == "store.active")
    // Only what a policy refers to is kept.
    #expect(try Directory.names("\(store.directory)/messages").count == 1)
    // Nothing is left half-written.
    #expect(try Directory.names(store.directory) == ["lock", "messages", "state", "trusted.pem"])
  }

  /// A key that OpenSSL cannot use is refused when the store is made. In a store that is there, made with another OpenSSL,
  /// it takes no other's word away.
  @Test func unknownKeys() throws {
    let (unknown, _) = try UnknownKey.certificate(from: certificate)
    for file in [unknown, certificate + unknown] {
      #expect(code { () throws(PolicyStoreError) in try store.create(trusting: file) } == "signature.certificate-key")
    }
    try store.create(trusting: certificate)
    let first = try signed("a", "1.0.0")
    for (file, end) in [(unknown + certificate, "none"), (unknown, "signature.certificate-key")] {
      try write(file, "trusted.pem")
      try write(try StoreState(trusted: try Digest.of(file.rawSpan)).encoded(), "state")
      #expect(code { () throws(PolicyStoreError) in _ = try store.install(first) } == end)
    }
  }

  @Test func whatIsNotTrustedOrNoPolicyIsNotInstalled() throws {
    try store.create(trusting: certificate)
    let message = try signed("a", "1.0.0")
    #expect(
      code { () throws(PolicyStoreError) in _ = try store.install(Array(message.dropLast())) } == "signature.length")
    let invalid = try signed("a", "1.0.0", rules: "op=EXECUTE action=ALLOW\n")
    #expect(code { () throws(PolicyStoreError) in _ = try store.install(invalid) } == "policy.no-default")
    let other = try Subprocess.run([
      "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
      "\(directory)/key2",
      "-out", "\(directory)/crt2", "-subj", "/CN=store", "-days", "3",
    ])
    try #require(other.status == 0)
    let foreign = try SignedMessage.sign(
      Array("policy_name=a policy_version=1.0.0\nDEFAULT action=ALLOW\n".utf8),
      certificate: try Self.read("\(directory)/crt2"),
      privateKey: try Self.read("\(directory)/key2"), form: .policy)
    #expect(code { () throws(PolicyStoreError) in _ = try store.install(foreign) } == "signature.untrusted")
    #expect(try store.state().policies.isEmpty)
    #expect(
      code { () throws(PolicyStoreError) in
        try PolicyStore(directory: "\(directory)/x", trust: .none).create(trusting: key)
      }
        == "signature.certificate")
  }

  /// No policy of a signer who was revoked is installed, made active or handed out, and another one can take its place.
  @Test func aRevokedSignersPolicyCountsNoMore() throws {
    let other = try ThrowawaySigner(name: "other")
    try store.create(trusting: certificate + other.certificate)
    _ = try store.install(try signed("a", "1.0.0"))
    _ = try store.activate("a")
    let trust = "\(directory)/trust"
    try Directory.create(trust)
    let signer = try #require(try Certificates(pem: certificate).fingerprints().first)
    let list = try OwnedFD.open("\(trust)/revoked", [.writeOnly, .create])
    try list.writeAll(Array("signer \(signer)\n".utf8).rawSpan)
    let revoking = PolicyStore(directory: store.directory, trust: try Trust(directory: trust))
    let newer = try signed("a", "1.1.0")
    #expect(code { () throws(PolicyStoreError) in _ = try revoking.active() } == "provenance.revoked")
    #expect(code { () throws(PolicyStoreError) in _ = try revoking.policy("a") } == "provenance.revoked")
    let listed = try #require(try revoking.list().first)
    #expect(listed.name == "a" && listed.isActive && listed.isEnforcing && listed.signer == signer)
    #expect(listed.revocation?.line == 1)
    #expect(try store.list().map(\.revocation) == [nil])
    #expect(code { () throws(PolicyStoreError) in _ = try revoking.check(newer) } == "provenance.revoked")
    #expect(code { () throws(PolicyStoreError) in _ = try revoking.install(newer) } == "provenance.revoked")
    #expect(try store.active().document.header?.version == PolicyVersion(1, 0, 0), "nothing was written")
    _ = try store.install(try signed("c", "1.0.0"))
    #expect(code { () throws(PolicyStoreError) in _ = try revoking.activate("c") } == "provenance.revoked")

    let text = Array("policy_name=b policy_version=1.0.0\nDEFAULT action=DENY\n".utf8)
    _ = try revoking.install(try other.sign(text, form: .policy))
    let previous = try revoking.activate("b")
    #expect(previous?.document.header?.nameText == "a", "the record names it all the same")
    #expect(try revoking.active().document.header?.nameText == "b")
  }

  /// A certificate for servers signs no policies. One that is out of date does, which is told.
  @Test func whatTheSignersCertificateIsFor() throws {
    func newSigner(_ name: String, _ more: [String]) throws -> [UInt8] {
      let made = try Subprocess.run(
        ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout"]
          + ["\(directory)/\(name).key", "-out", "\(directory)/\(name).crt", "-subj", "/CN=\(name)", "-x509"] + more)
      try #require(made.status == 0, "\(made.text)")
      return try Self.read("\(directory)/\(name).crt")
    }
    let server = try newSigner("server", ["-days", "3", "-addext", "extendedKeyUsage=serverAuth"])
    let request = try Subprocess.run(
      ["openssl", "x509", "-in", "\(directory)/crt", "-signkey", "\(directory)/key", "-days", "-1", "-out"]
        + ["\(directory)/old.crt"])
    try #require(request.status == 0, "\(request.text)")
    let old = try Self.read("\(directory)/old.crt")
    #expect(code { () throws(PolicyStoreError) in try store.create(trusting: server + old) } == "signature.purpose")
    // As an earlier version made it.
    try store.create(trusting: old)
    try write(server + old, "trusted.pem")
    try write(try StoreState(trusted: try Digest.of((server + old).rawSpan)).encoded(), "state")
    func message(_ name: String, _ certificate: [UInt8], _ key: [UInt8]) throws -> [UInt8] {
      try SignedMessage.sign(
        Array("policy_name=\(name) policy_version=1.0.0\nDEFAULT action=DENY\n".utf8), certificate: certificate,
        privateKey: key, form: .policy)
    }
    let refused = try message("a", server, try Self.read("\(directory)/server.key"))
    #expect(code { () throws(PolicyStoreError) in _ = try store.install(refused) } == "signature.purpose")
    let taken = try store.install(try message("b", old, key))
    #expect(!taken.policy.isSignerValid)
    #expect(try store.check(try message("c", old, key)).isSignerValid == false)
  }

  /// Every file of the store, damaged or gone: no policy comes out of it, and the refusal says which file it was.
  @Test func aDamagedStoreFailsClosed() throws {
    try store.create(trusting: certificate)
    _ = try store.install(try signed("a", "1.0.0"))
    _ = try store.activate("a")
    let message = try #require(try Directory.names("\(store.directory)/messages").first)
    for name in ["state", "trusted.pem", "messages/\(message)"] {
      let bytes = try Self.read("\(store.directory)/\(name)")
      var flipped = bytes
      flipped[bytes.count / 2] ^= 0x20
      for changed in [flipped, Array(bytes.dropLast(5)), []] {
        try write(changed, name)
        #expect(code { () throws(PolicyStoreError) in _ = try store.active() } == "store.damaged", "\(name)")
      }
      try write(bytes, name)
      #expect(try store.active().document.header?.nameText == "a")
    }
    Cleanup.removeTree("\(store.directory)/messages/\(message)")
    #expect(code { () throws(PolicyStoreError) in _ = try store.active() } == "store.damaged")
    Cleanup.removeTree("\(store.directory)/state")
    #expect(code { () throws(PolicyStoreError) in _ = try store.active() } == "store.lost")
    #expect(code { () throws(PolicyStoreError) in _ = try store.install(try signed(store)) } == "store.lost")
    #expect(code { () throws(PolicyStoreError) in try store.create(trusting: certificate) } == "store.lost")
  }

  private func signed(_ store: PolicyStore) throws(PolicyStoreError) -> [UInt8] { (try? signed("z", "1.0.0")) ?? [] }

  /// A record that cannot be written stops the change.
  @Test func withoutItsRecordNothingChanges() throws {
    try store.create(trusting: certificate)
    let message = try signed("a", "1.0.0")
    let failure = SystemError("write", path: "audit.log", errno: 28)
    #expect(throws: PolicyStoreError.system(failure)) {
      try self.store.install(message) { (_, _) throws(SystemError) in throw failure }
    }
    #expect(try store.state().policies.isEmpty)
    _ = try store.install(message)
    #expect(throws: PolicyStoreError.system(failure)) {
      try self.store.activate("a") { (_, _, _) throws(SystemError) in throw failure }
    }
    #expect(try store.state().active == nil)
  }

  /// Readers beside a writer see the old policy or the new one, always whole.
  @Test(.timeLimit(.minutes(1))) func activationIsAtomicForConcurrentReaders() async throws {
    try store.create(trusting: certificate)
    _ = try store.install(try signed("a", "1.0.0"))
    _ = try store.activate("a")
    let messages = try (1...25).map { try signed("a", "1.\($0).0") }
    let store = store
    let seen = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<2 {
        group.addTask {
          var last = PolicyVersion(0, 0, 0)
          var reads = 0
          while last < PolicyVersion(1, 25, 0) {
            let version = try #require(try store.active().document.header?.version)
            #expect(version >= last)
            last = version
            reads += 1
            await Task.yield()
          }
          return reads
        }
      }
      group.addTask {
        for message in messages { _ = try store.install(message) }
        return 0
      }
      return try await group.reduce(0, +)
    }
    #expect(seen >= 2)
  }
}
