import Base
import Linux
import Signatures
import TestSupport
import Testing

@testable import Trust

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
    let anchors = try Trust(directory: directory.file("trust"))
    #expect(anchors.objects.set(of: try fingerprint("trust/bpf/alice.pem")) == "bpf")
    #expect(anchors.objects.set(of: try fingerprint("trust/user/bob.pem")) == "user")
    let count = try anchors.objects.certificates().use { $0.count }
    #expect(count == 2 && !anchors.objects.isEmpty && anchors.images.isEmpty)
    #expect(Trust.none.objects.isEmpty)
  }

  @Test func mistakesAreNotPassedOver() throws {
    #expect(throws: TrustError.self) { try Trust(directory: directory.file("nowhere")) }
    try directory.write("trust/bpf/broken.pem", "no certificate")
    #expect(throws: TrustError.self) { try Trust(directory: directory.file("trust")) }
    try directory.write("trust/bpf/broken.pem", try directory.read("trust/user/bob.pem"))
    _ = try Trust(directory: directory.file("trust"))
    try Tools.run("mkfifo", directory.file("trust/bpf/fifo.pem"))
    #expect(throws: TrustError.self, "which must not wait for a writer") {
      try Trust(directory: directory.file("trust"))
    }
    try Tools.run("rm", directory.file("trust/bpf/fifo.pem"))
    try directory.write("trust/revokd", "")
    #expect(throws: TrustError.self) { try Trust(directory: directory.file("trust")) }
  }

  /// One that OpenSSL cannot use takes no other out, and is told by name.
  @Test func unknownKeysArePassedOver() throws {
    let alice = try directory.read("trust/bpf/alice.pem")
    let (unknown, algorithm) = try UnknownKey.certificate(from: alice)
    for set in ["bpf", "user"] { try directory.write("trust/\(set)/a-unknown.pem", unknown) }
    // All or nothing of a file.
    try directory.write("trust/user/two.pem", unknown + alice)
    let anchors = try Trust(directory: directory.file("trust"))
    #expect(try anchors.objects.certificates().use { $0.count } == 2)
    #expect(anchors.objects.set(of: try fingerprint("trust/bpf/alice.pem")) == "bpf")
    #expect(anchors.problems.map(\.code) == Array(repeating: "signature.certificate-key", count: 3))
    for (problem, name) in zip(anchors.problems, ["bpf/a-unknown.pem", "user/a-unknown.pem", "user/two.pem"]) {
      #expect(problem.message.contains("/trust/\(name)`") && problem.message.contains(algorithm), "\(problem)")
    }
    // Known without a signature being looked at, as the directory is read at once.
    #expect(anchors.metProblems.count == 3)
    try Tools.run("rm", directory.file("trust/bpf/alice.pem"), directory.file("trust/user/bob.pem"))
    #expect(try Trust(directory: directory.file("trust")).objects.isEmpty)
  }

  @Test func unknownKeysElsewhereArePassedOver() throws {
    let alice = try directory.read("trust/bpf/alice.pem")
    let (unknown, algorithm) = try UnknownKey.certificate(from: alice)
    for (path, file) in [("etc/verity.d", "one.crt"), ("etc/voa/debian/bpf/default/x509", "one.pem")] {
      try Tools.run("mkdir", "-p", directory.file("root/\(path)"))
      try directory.write("root/\(path)/a-\(file)", unknown)
      try directory.write("root/\(path)/\(file)", alice)
    }
    try directory.write("root/etc/os-release", "ID=debian\n")
    let anchors = try Trust.standard(root: directory.file("root"))
    let count = (
      try anchors.objects.certificates().use { $0.count }, try anchors.images.certificates().use { $0.count }
    )
    #expect(count == (1, 1))
    #expect(anchors.problems.map(\.code) == Array(repeating: "signature.certificate-key", count: 2))
    #expect(anchors.problems.allSatisfy { $0.message.contains("/a-one.") && $0.message.contains(algorithm) })
  }
}
