import Base
import Verity
import Linux
import Signatures
import TestSupport
import Testing

@testable import Trust

/// Every subject and every verdict of `Trust.judge`. The certificates and messages are openssl's.
@Suite struct JudgeTests {
  private let directory: TemporaryDirectory
  /// A while after the certificates were made.
  private let now = Timestamp.now().seconds + 3600
  private let rootHash: Digest

  /// Alice counts for all kinds, Mallory for none.
  init() throws {
    directory = try TemporaryDirectory()
    for path in ["trust", "trust/bpf", "trust/image"] { try Directory.create(directory.file(path)) }
    for name in ["alice", "mallory"] { try Self.newSigner(name, in: directory) }
    for set in ["bpf", "image"] {
      try Tools.run("cp", directory.file("alice.crt"), directory.file("trust/\(set)/alice.pem"))
    }
    try Tools.buildDemo(into: directory.file("progs"))
    rootHash = try #require(Digest("sha256:" + String(repeating: "5a", count: 32)))
  }

  private static func newSigner(_ name: String, in directory: TemporaryDirectory, _ more: [String] = []) throws {
    try Tools.run(
      ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout"]
        + [directory.file("\(name).key"), "-out", directory.file("\(name).crt"), "-subj", "/CN=\(name)", "-days", "2"]
        + more)
  }

  private func fingerprint(_ name: String) throws -> Digest {
    try #require(try Certificates(pem: try directory.read("\(name).crt")).fingerprints().first)
  }

  /// The anchors, with a list of what was revoked.
  private func trust(_ revoked: String = "") throws -> Trust {
    try directory.write("trust/revoked", revoked)
    return try Trust(directory: directory.file("trust"))
  }

  private func sign(_ content: [UInt8], _ name: String, _ form: SignedMessage.Form) throws -> [UInt8] {
    try SignedMessage.sign(
      content, certificate: try directory.read("\(name).crt"), privateKey: try directory.read("\(name).key"), form: form
    )
  }

  /// Each kind of subject, signed by somebody.
  private func subjects(signedBy name: String) throws -> [(kind: String, subject: Subject)] {
    let object = try directory.read("progs/socket_filter.bpf.o")
    let key = try PrivateKey(pem: try directory.read("\(name).key"))
    let signed = try ObjectSigner.sign(
      object.rawSpan, certificate: try directory.read("\(name).crt"), key: key,
      forKernel: KernelSigningPlan(object: object.rawSpan))
    return [
      ("root hash", .rootHash(rootHash, signature: try sign(Array(rootHash.hex.utf8), name, .rootHash))),
      ("object", .object(signed, digest: try Digest.of(signed.rawSpan))),
      ("file", .file(rootHash, signature: try sign(VerityDescriptor.signedBytes(of: rootHash), name, .rootHash))),
    ]
  }

  @Test func saysWhoIsTrusted() throws {
    let (trust, alice) = (try trust(), try fingerprint("alice"))
    for (kind, subject) in try subjects(signedBy: "alice") {
      guard case .trusted(let voucher) = trust.judge(subject, at: now) else {
        Issue.record("\(kind): \(trust.judge(subject, at: now))")
        continue
      }
      #expect(voucher.signer == alice && voucher.subject == "CN=alice", "\(kind)")
      #expect(voucher.anchors == (kind == "root hash" ? "image" : "bpf"), "\(kind)")
      #expect((voucher.object != nil) == (kind == "object"), "\(kind)")
      // Dates are held against the time that is named.
      #expect(trust.judge(subject, at: now + 3 * 86_400) == .expired(voucher), "\(kind)")
    }
    for (kind, subject) in try subjects(signedBy: "mallory") {
      #expect(trust.judge(subject, at: now) == .untrusted(.signature(.untrustedSigner)), "\(kind)")
      #expect(Trust.none.judge(subject, at: now) == .nobodyTrusted, "\(kind)")
    }
  }

  @Test func whatHasNoSignatureOrABrokenOne() throws {
    let trust = try trust()
    #expect(trust.judge(.rootHash(rootHash, signature: nil), at: now) == .unsigned)
    #expect(trust.judge(.object([1, 2, 3], digest: rootHash), at: now) == .unsigned)
    #expect(
      trust.judge(.rootHash(rootHash, signature: []), at: now) == .malformed(.signature(.malformed(reason: "0 bytes"))))
    let other = try sign(Array("something else".utf8), "alice", .rootHash)
    guard case .malformed(.signature(.badSignature)) = trust.judge(.rootHash(rootHash, signature: other), at: now)
    else {
      Issue.record("a signature of something else")
      return
    }
    try Self.newSigner("server", in: directory, ["-addext", "extendedKeyUsage=serverAuth"])
    let message = try sign(Array(rootHash.hex.utf8), "server", .rootHash)
    let named = trust.trusting(only: try directory.read("server.crt"), set: "named")
    guard case .wrongPurpose(let voucher) = named.judge(.rootHash(rootHash, signature: message), at: now) else {
      Issue.record("a certificate for servers")
      return
    }
    #expect(voucher.anchors == "named")
    let broken = trust.trusting(only: [], set: "named").judge(.rootHash(rootHash, signature: message), at: now)
    guard case .unchecked(.signature(.noCertificate)) = broken else {
      Issue.record("\(broken)")
      return
    }
  }

  /// Policies are their store's.
  @Test func policies() throws {
    let text = Array("policy_name=a policy_version=1.0.0\nDEFAULT action=DENY\n".utf8)
    let subject = Subject.policy(try sign(text, "alice", .policy))
    let machine = try trust("signer \(try fingerprint("alice"))\n")
    #expect(machine.judge(subject, at: now) == .nobodyTrusted, "anchors for objects are none for policies")
    let store = try trust().trusting(only: try directory.read("alice.crt"), set: "store")
    guard case .trusted(let voucher) = store.judge(subject, at: now) else {
      Issue.record("\(store.judge(subject, at: now))")
      return
    }
    #expect(voucher.policy == text && voucher.anchors == "store")
    #expect(store.judge(subject, at: now + 3 * 86_400) == .expired(voucher))
    // Named certificates are as revoked as others.
    guard
      case .revoked(let revocation) = machine.trusting(only: try directory.read("alice.crt"), set: "store")
        .judge(subject, at: now)
    else {
      Issue.record("the signer was revoked")
      return
    }
    #expect(revocation.kind == .signer)
  }

  /// By which entry, and where it is; before everything else that there is to say.
  @Test func namesTheEntryThatRevokes() throws {
    let path = directory.file("trust/revoked")
    let alice = try fingerprint("alice")
    for (kind, subject) in try subjects(signedBy: "alice") {
      let trust = try trust("# why\n\nsigner \(alice)\r\n")
      let expected = Verdict.revoked(Revocation(kind: .signer, digest: alice, path: path, line: 3))
      #expect(trust.judge(subject, at: now) == expected, "\(kind)")
      #expect(trust.judge(subject, at: now + 3 * 86_400) == expected, "\(kind): revoked before out of date")
    }
    let ofRootHash = Verdict.revoked(Revocation(kind: .rootHash, digest: rootHash, path: path, line: 1))
    for signature in [nil, [], try sign([1], "mallory", .rootHash)] {
      #expect(
        try trust("root-hash\t\(rootHash) # why\n").judge(.rootHash(rootHash, signature: signature), at: now)
          == ofRootHash)
    }
    // An entry is about its own kind alone.
    #expect(
      try trust("object \(rootHash)\nsigner \(rootHash)\n").judge(.rootHash(rootHash, signature: nil), at: now)
        == .unsigned)
    let ofObject = Verdict.revoked(Revocation(kind: .object, digest: rootHash, path: path, line: 1))
    #expect(try trust("object \(rootHash)\n").judge(.object([1], digest: rootHash), at: now) == ofObject)
    // A signed object is found again by what its signature is over, whatever the digest of its file.
    guard case .object(let bytes, _)? = try subjects(signedBy: "alice").first(where: { $0.kind == "object" })?.subject,
      case .trusted(let voucher) = try trust().judge(.object(bytes, digest: rootHash), at: now),
      let content = voucher.object?.content
    else {
      Issue.record("not trusted")
      return
    }
    #expect(
      try trust("object \(content)").judge(.object(bytes, digest: rootHash), at: now)
        == .revoked(Revocation(kind: .object, digest: content, path: path, line: 1)))
    guard case .revoked(let revocation) = ofRootHash else { return }
    #expect(revocation.diagnostic.code == "provenance.revoked" && revocation.diagnostic.category == .integrity)
    #expect(revocation.diagnostic.found?.contains("line 1 of `\(path)`") == true)
  }

  /// Digests that begin alike, in either case and of every algorithm; the first line that names one is told.
  @Test func findsEachLineOfALongList() throws {
    let beginning = String(repeating: "0f", count: 8)
    var lines: [(digest: Digest, line: Int)] = []
    var text = "# caf\u{e9} \n\t\r\n"
    for index in 0..<300 {
      let tail = String(index + 4096, radix: 16).uppercased()
      let algorithm = HashAlgorithm.allCases[index % 3]
      let digits = index % 2 == 0 ? beginning : String(repeating: tail, count: 4)
      let hex = digits + String(repeating: "0", count: algorithm.digestSize * 2 - digits.utf8.count - 4) + tail
      lines.append((try #require(Digest(algorithm, hex: hex)), index + 3))
      text += "root-hash \(algorithm.rawValue):\(hex) # \(index)\n"
    }
    text += text + "root-hash \(rootHash)"
    let trust = try trust(text)
    for (digest, line) in lines + [(rootHash, 605)] {
      #expect(
        trust.judge(.rootHash(digest, signature: nil), at: now)
          == .revoked(Revocation(kind: .rootHash, digest: digest, path: directory.file("trust/revoked"), line: line)))
      // One digit further on there is nothing.
      var bytes = digest.bytes
      bytes[bytes.count - 1] ^= 1
      guard let other = Digest(digest.algorithm, bytes: bytes), !lines.contains(where: { $0.digest == other }) else {
        continue
      }
      #expect(trust.judge(.rootHash(other, signature: nil), at: now) == .unsigned)
    }
  }

  /// A line that is no UTF-8 is not passed over, in a comment neither.
  @Test func aListThatIsNoText() throws {
    try directory.write("trust/revoked", Array("# one\n# ".utf8) + [0xe9, 0x0a])
    let error = #expect(throws: TrustError.self) { try Trust(directory: directory.file("trust")) }
    #expect(error?.diagnostic.message.contains("revoked`, line 2") == true)
  }

  private static let digest = "sha256:" + String(repeating: "5a", count: 32)

  @Test(arguments: [
    "objects \(digest)", "object", "object \(digest) more", "object sha256:5a", "object \(digest.dropFirst(7))",
    "\u{0}", "object \(digest.dropLast())", "object \(digest)0", "object \(digest.dropLast())g", "object#\(digest)",
    "object sha512:\(digest.dropFirst(7))", "object sha256 \(digest.dropFirst(7))", "\(digest) object", "obj \(digest)",
  ])
  func badLists(_ line: String) throws {
    let error = #expect(throws: TrustError.self) { try trust("\n\(line)\n") }
    #expect(error?.diagnostic.code == "trust.revocations")
    #expect(error?.diagnostic.message.contains("revoked`, line 2") == true)
  }
}
