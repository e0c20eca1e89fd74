import ByteKit
import LinuxSys
import Signatures
import TestSupport
import Testing
import TrustAnchors

@Suite struct TrustAnchorsTests {
  let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
    for path in ["trust", "trust/bpf", "trust/user"] { try Directory.create(directory.file(path)) }
    for (name, set) in [("alice", "bpf"), ("bob", "user")] {
      try Tools.run(
        "openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout",
        directory.file("\(name).key"), "-out", directory.file("trust/\(set)/\(name).pem"), "-subj", "/CN=\(name)")
    }
  }

  private func fingerprint(_ path: String) throws -> Digest {
    let certificates = try Certificates(pem: try directory.read(path))
    let all = try certificates.fingerprints()
    return try #require(all.first)
  }

  @Test func setsAreNamed() throws {
    let anchors = try TrustAnchors(directory: directory.file("trust"))
    #expect(anchors.objects.set(of: try fingerprint("trust/bpf/alice.pem")) == "bpf")
    #expect(anchors.objects.set(of: try fingerprint("trust/user/bob.pem")) == "user")
    let certificates = try anchors.objects.certificates()
    #expect(certificates.count == 2 && !anchors.objects.isEmpty && anchors.images.isEmpty)
    #expect(TrustAnchors.none.objects.isEmpty && TrustAnchors.none.revocations == Revocations())
  }

  @Test func mistakesAreNotPassedOver() throws {
    #expect(throws: TrustError.self) { try TrustAnchors(directory: directory.file("nowhere")) }
    try directory.write("trust/bpf/broken.pem", "no certificate")
    #expect(throws: TrustError.self) { try TrustAnchors(directory: directory.file("trust")) }
    try directory.write("trust/bpf/broken.pem", try directory.read("trust/user/bob.pem"))
    _ = try TrustAnchors(directory: directory.file("trust"))
    try Tools.run("mkfifo", directory.file("trust/bpf/fifo.pem"))
    #expect(throws: TrustError.self, "which must not wait for a writer") {
      try TrustAnchors(directory: directory.file("trust"))
    }
    try Tools.run("rm", directory.file("trust/bpf/fifo.pem"))
    try directory.write("trust/revokd", "")
    #expect(throws: TrustError.self) { try TrustAnchors(directory: directory.file("trust")) }
  }

  private static let digest = "sha256:" + String(repeating: "5a", count: 32)

  @Test func revocations() throws {
    let text = "# a list\n\nobject \(Self.digest)  # why\nroot-hash\t\(Self.digest)\r\n"
    let revocations = try Revocations(text: Array(text.utf8))
    let digest = try #require(Digest(Self.digest))
    #expect(revocations.contains(.object, digest) && revocations.contains(.rootHash, digest))
    #expect(!revocations.contains(.signer, digest) && revocations.count == 2)
  }

  @Test(arguments: [
    "objects \(digest)", "object", "object \(digest) more", "object sha256:5a", "object \(digest.dropFirst(7))",
    "\u{0}",
  ])
  func badLists(_ line: String) {
    #expect(throws: Revocations.Mistake(line: 2)) { try Revocations(text: Array("\n\(line)\n".utf8)) }
  }
}
