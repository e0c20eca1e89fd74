import Base
import Linux
import Signatures
import TestSupport
import Testing

@testable import Trust

/// What cannot be looked at where certificates are kept could be the one that counts, or a mask: it is an error, and never
/// the same as nobody.
@Suite struct UnreadableAnchorsTests {
  let directory: TemporaryDirectory
  private var root: String { directory.file("root") }

  init() throws {
    directory = try TemporaryDirectory()
    try Tools.run(
      "openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout",
      directory.file("key"), "-out", directory.file("crt"), "-subj", "/CN=a")
    for place in ["etc", "usr/share/voa/debian/image/verity-bpf/x509", "usr/lib/verity.d"] {
      try Tools.run("mkdir", "-p", "\(root)/\(place)")
    }
    try directory.write("root/etc/os-release", "ID=debian\n")
    try directory.write("root/usr/share/voa/debian/image/verity-bpf/x509/a.pem", try directory.read("crt"))
  }

  private func verdict() throws -> Verdict {
    let rootHash = try Digest.of(RawSpan())
    let signer = try SignedMessage.sign(
      Array(rootHash.hex.utf8), certificate: try directory.read("crt"), privateKey: try directory.read("key"),
      form: .rootHash)
    let trust = try Trust.standard(root: root)
    let verdict = trust.judge(.rootHash(rootHash, signature: signer), at: Timestamp.now().seconds)
    if case .unchecked(.anchors) = verdict { #expect(trust.problems.contains { $0.code == "trust.unreadable" }) }
    return verdict
  }

  private func isUnchecked() throws -> Bool {
    guard case .unchecked(.anchors(.unreadable)) = try verdict() else { return false }
    return true
  }

  @Test func theGoodCase() throws {
    guard case .trusted = try verdict() else {
      Issue.record("\(try verdict())")
      return
    }
  }

  @Test(arguments: [
    "etc/verity.d", "etc/voa", "etc/voa/debian", "etc/voa/debian/image/verity-bpf/x509", "run/voa/debian/image",
  ])
  func aFileOrLoopInTheWay(place: String) throws {
    let path = "\(root)/\(place)"
    try Tools.run("mkdir", "-p", String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
    if place == "etc/verity.d" || place == "etc/voa" {
      try Tools.run("ln", "-s", path.split(separator: "/").last.map(String.init) ?? "", path)
      if place == "etc/verity.d" { #expect(try isUnchecked()) }
      try Tools.run("rm", path)
      try directory.write("root/\(place)", "")
      #expect(try isUnchecked())
    } else {
      // A file there is no directory of certificates, which is told; nothing can lie below it.
      try directory.write("root/\(place)", "")
      let trust = try Trust.standard(root: root)
      let isUnchecked = try isUnchecked()
      #expect(isUnchecked || !trust.problems.isEmpty)
    }
  }

  @Test func aKeyAmongAnchorsIsTold() throws {
    for path in ["trust", "trust/bpf"] { try Directory.create(directory.file(path)) }
    try directory.write("trust/bpf/both.pem", try directory.read("crt") + directory.read("key"))
    let trust = try Trust(directory: directory.file("trust"))
    #expect(trust.problems.map(\.code) == ["trust.key"])
    #expect(trust.problems.first?.message.contains("block 2") == true)
    #expect(!trust.objects.isEmpty)
    // A damaged one is an error that names file and block.
    let text = String(decoding: try directory.read("crt"), as: UTF8.self)
    try directory.write("trust/bpf/a.pem", text + text.dropLast(30))
    let error = #expect(throws: TrustError.self) { _ = try Trust(directory: directory.file("trust")) }
    let message = error?.diagnostic.message ?? ""
    #expect(message.contains("/a.pem`") && message.contains("block 2"), "\(message)")
  }
}
