import Base
import Linux
import Signatures
import TestSupport
import Testing

@testable import Trust

/// The places where certificates are kept by UAPI.11 (VOA) and by systemd's verity.d, below a root of the test's own.
@Suite struct VerifierHierarchyTests {
  let directory: TemporaryDirectory
  /// The fingerprints of three certificates, by name.
  let fingerprints: [String: Digest]

  init() throws {
    directory = try TemporaryDirectory()
    var fingerprints: [String: Digest] = [:]
    for name in ["a", "b", "c"] {
      try Tools.run(
        "openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout",
        "/dev/null", "-out", directory.file("\(name).crt"), "-subj", "/CN=\(name)")
      fingerprints[name] = try Certificates(pem: try directory.read("\(name).crt")).fingerprints().first
    }
    self.fingerprints = fingerprints
    try make("/usr/lib/os-release", text: "NAME=x\nID=debian\nVERSION_ID=\"12\"\n")
  }

  private func path(_ file: String) -> String { directory.path + "/root" + file }

  private func make(_ file: String, text: String) throws {
    try Tools.run("mkdir", "-p", path(file.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }))
    try directory.write("root" + file, text)
  }

  /// Puts a certificate, or several, into a file.
  private func put(_ names: [String], _ file: String) throws {
    try make(file, text: try names.map { String(decoding: try directory.read("\($0).crt"), as: UTF8.self) }.joined())
  }

  private func link(_ target: String, _ file: String) throws {
    try make(file, text: "")
    try Tools.run("ln", "-snf", target, path(file))
  }

  private func anchors() throws -> Trust { try .standard(root: directory.path + "/root") }

  /// The names of the certificates that are in a group.
  private func names(_ group: AnchorGroup) -> [String] {
    fingerprints.filter { group.set(of: $0.value) != nil }.keys.sorted()
  }

  @Test func eachPlaceHasItsUse() throws {
    try put(["a"], "/etc/voa/debian/kernel-keyring/bpf/x509/a.pem")
    try put(["b"], "/usr/share/voa/debian:12/image/verity-bpf/x509/b.pem")
    try put(["c"], "/usr/lib/verity.d/c.crt")
    try put(["c"], "/usr/share/voa/debian/trust-anchor-image/verity-bpf/x509/c.pem")
    try put(["c"], "/usr/share/voa/debian:11/bpf/default/x509/c.pem")
    let anchors = try anchors()
    #expect(names(anchors.objects) == ["a"] && names(anchors.images) == ["b", "c"] && names(anchors.files) == ["a"])
    #expect(anchors.images.set(of: try #require(fingerprints["c"])) == "verity.d")
    #expect(anchors.problems.isEmpty)
  }

  /// Others' directories are read when the first signature asks for a certificate, and once.
  @Test func nothingIsReadBeforeItIsAskedFor() throws {
    try put(["a"], "/etc/\(Self.place)/a.pem")
    try make("/etc/\(Self.place)/x.pem", text: "no certificate")
    let anchors = try anchors()
    #expect(anchors.metProblems.isEmpty)
    try put(["b"], "/etc/\(Self.place)/b.pem")
    #expect(names(anchors.objects) == ["a", "b"])
    #expect(anchors.metProblems.map(\.code) == ["signature.certificate"])
    try put(["c"], "/etc/\(Self.place)/c.pem")
    #expect(names(anchors.files) == ["a", "b"])
  }

  private static let place = "voa/debian/bpf/default/x509"

  @Test func theFirstLoadPathWins() throws {
    try put(["a"], "/etc/\(Self.place)/x.pem")
    try put(["b"], "/usr/share/\(Self.place)/x.pem")
    try put(["c"], "/usr/share/\(Self.place)/y.pem")
    #expect(names(try anchors().objects) == ["a", "c"])
  }

  @Test(arguments: ["/etc", "/run", "/usr/share"])
  func aMaskCountsInAllLoadPaths(masking: String) throws {
    try put(["a"], "/usr/local/share/\(Self.place)/x.pem")
    try put(["b"], "/etc/\(Self.place)/y.pem")
    try link("/dev/null", "\(masking)/\(Self.place)/x.pem")
    let anchors = try anchors()
    #expect(names(anchors.objects) == ["b"] && anchors.problems.isEmpty)
  }

  @Test func linksWithinTheHierarchyAreFollowed() throws {
    try put(["a"], "/usr/share/voa/debian/image/verity-bpf/x509/a.pem")
    try link("../../../image/verity-bpf/x509/a.pem", "/usr/share/\(Self.place)/a.pem")
    try put(["b"], "/usr/share/voa/debian/package/core/x509/b.pem")
    try link("/usr/share/voa/debian/package/core/x509/b.pem", "/etc/\(Self.place)/b.pem")
    // A whole directory.
    try link("/usr/share/voa/debian/image/verity-bpf/x509", "/etc/voa/debian/kernel-keyring/dm-verity/x509")
    let anchors = try anchors()
    #expect(names(anchors.objects) == ["a", "b"] && names(anchors.images) == ["a"])
    #expect(anchors.problems.isEmpty, "\(anchors.problems)")
  }

  /// What there is at a path, and the code it is passed over with.
  @Test(arguments: [
    ("text", "signature.certificate"), ("empty", "signature.certificate"), ("two", "trust.certificate-count"),
    ("large", "trust.too-large"), ("fifo", "trust.not-considered"), ("directory", "trust.not-considered"),
    ("dangling", "trust.not-considered"), ("loop", "trust.not-considered"), ("outside", "trust.not-considered"),
    ("renamed", "trust.not-considered"), ("upwards", "trust.not-considered"), ("ephemeral", "trust.not-considered"),
    ("masked-directory", "trust.not-considered"),
  ])
  func whatIsNoVerifierIsPassedOverAndTold(kind: String, code: String) throws {
    try put(["b"], "/usr/share/\(Self.place)/b.pem")
    let file = "/etc/\(Self.place)/x.pem"
    switch kind {
    case "text": try make(file, text: "no certificate")
    case "empty": try make(file, text: "")
    case "two": try put(["a", "c"], file)
    case "large": try make(file, text: String(repeating: "x", count: 1 << 20 | 1))
    case "fifo":
      try make(file, text: "")
      try Tools.run("rm", path(file))
      try Tools.run("mkfifo", path(file))
    case "directory": try Tools.run("mkdir", "-p", path(file))
    case "dangling": try link("/usr/share/\(Self.place)/gone/x.pem", file)
    case "loop": try link("/etc/\(Self.place)/x.pem", file)
    case "outside":
      try put(["a"], "/srv/x.pem")
      try link("/srv/x.pem", file)
    case "renamed":
      try put(["a"], "/usr/share/voa/debian/package/core/x509/a.pem")
      try link("/usr/share/voa/debian/package/core/x509/a.pem", file)
    case "upwards":
      try put(["a"], "/etc/voa/debian/package/core/x509/x.pem")
      try link("/etc/voa/debian/package/core/x509/x.pem", "/usr/share/\(Self.place)/x.pem")
    case "ephemeral":
      try put(["a"], "/usr/share/voa/debian/package/core/x509/x.pem")
      try link("/usr/share/voa/debian/package/core/x509/x.pem", "/run/\(Self.place)/x.pem")
    case "masked-directory": try link("/dev/null", "/etc/\(Self.place)")
    default: Issue.record("\(kind)")
    }
    let anchors = try anchors()
    #expect(anchors.problems.map(\.code) == [code], "\(anchors.problems)")
    #expect(names(anchors.objects) == ["b"])
  }

  @Test func verityDropInsAreMaskedAndOverridden() throws {
    try put(["a"], "/usr/lib/verity.d/one.crt")
    try link("/dev/null", "/etc/verity.d/one.crt")
    try put(["b"], "/usr/lib/verity.d/two.crt")
    try make("/run/verity.d/two.crt", text: "")
    try put(["c"], "/etc/verity.d/three.crt")
    try put(["a"], "/usr/lib/verity.d/three.crt")
    try put(["a"], "/usr/lib/verity.d/four.pem")
    try put(["a", "b"], "/usr/lib/verity.d/five.crt")
    let anchors = try anchors()
    #expect(names(anchors.images) == ["c"] && anchors.problems.map(\.code) == ["trust.certificate-count"])
  }

  @Test(arguments: [
    ("ID=arch", ["arch"]), ("ID=debian\nVERSION_ID=\"12\"", ["debian:12", "debian"]),
    ("IMAGE_VERSION=1\nID=arch\nIMAGE_ID='till'", ["arch:::till:1", "arch:::till", "arch"]), ("", ["linux"]),
    ("ID=../..\nVERSION_ID=..", ["linux"]), ("ID=\"a/b\"", ["linux"]),
  ])
  func operatingSystemsAreNamed(release: String, names: [String]) {
    #expect(VerifierPlace.operatingSystems(osRelease: Array(release.utf8)) == names)
  }
}
