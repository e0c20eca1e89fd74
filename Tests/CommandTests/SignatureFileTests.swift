import Base
import Linux
import TestSupport
import Testing

/// What lies at the places of the files beside an image: another signature than the disk's own, something that is none,
/// something that is no file.
@Suite struct SignatureFileTests {
  private static func verify(
    _ directory: TemporaryDirectory, _ image: String, _ more: [String] = []
  ) throws -> VerityBPFCommand.Result {
    // A FIFO must not keep us.
    try VerityBPFCommand.run(["verify", image, "--json"] + more, in: directory.path, wrapper: ["timeout", "60"])
  }

  private static func newSigner(_ directory: TemporaryDirectory) throws -> [String] {
    try Tools.run(
      "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", directory.file("other.key"), "-out",
      directory.file("other.pem"), "-subj", "/CN=other", "-days", "2")
    return ["--certificate=other.pem", "--private-key=other.key"]
  }

  @Test func aDiskIsSignedByTheFileBesideIt() throws {
    let directory = try LayoutTests.sources()
    let built = try BuildImageTests.build(directory, ["--layout=ddi"], output: "disk.raw")
    try #require(built.status == 0, "\(built.errors)")
    #expect(try Self.verify(directory, "disk.raw", ["--certificate=cert.pem"]).status == 4, "it is not signed yet")
    let before = try directory.read("disk.raw")
    let signed = try VerityBPFCommand.run(["sign", "root-hash", "disk.raw"] + LayoutTests.signer, in: directory.path)
    #expect(signed.status == 0 && signed.errors.isEmpty, "\(signed.errors)")
    #expect(try directory.read("disk.raw") == before)
    let verified = try Self.verify(directory, "disk.raw", ["--certificate=cert.pem"])
    #expect(verified.status == 0 && verified.errors.isEmpty, "\(verified.errors)")
    #expect(try verified.json()["signature"]?["place"] == "disk.roothash.p7s")
  }

  @Test func theFileCountsInThePlaceOfThePartition() throws {
    let directory = try LayoutTests.sources()
    _ = try LayoutTests.build(directory, "ddi")
    let other = try Self.newSigner(directory)
    let signed = try VerityBPFCommand.run(["sign", "root-hash", "ddi.raw"] + other, in: directory.path)
    #expect(signed.status == 0 && signed.errors.contains("warning[sign.partition-stays]"), "\(signed.errors)")
    for (certificate, status) in [("other.pem", Int32(0)), ("cert.pem", 4)] {
      let verified = try Self.verify(directory, "ddi.raw", ["--certificate=\(certificate)"])
      #expect(Int32(verified.status) == status, "\(certificate): \(verified.errors)")
      #expect(verified.errors.contains("warning[image.two-signatures]"), "\(verified.errors)")
    }
    // Without the file the disk's own counts again, and nobody need be told anything.
    try Tools.run("rm", directory.file("ddi.roothash.p7s"))
    let alone = try Self.verify(directory, "ddi.raw", ["--certificate=cert.pem"])
    #expect(alone.status == 0 && alone.errors.isEmpty, "\(alone.errors)")
  }

  @Test(arguments: ["appended", "ddi"], ["directory", "fifo", "link", "large"])
  func whatIsNoFileIsRefused(layout: String, kind: String) throws {
    let directory = try LayoutTests.sources()
    _ = try LayoutTests.build(directory, layout)
    let path = directory.file("\(layout).roothash.p7s")
    try Tools.run("rm", path)
    switch kind {
    case "directory": try Directory.create(path)
    case "fifo": try Tools.run("mkfifo", path)
    case "link": try Tools.run("ln", "-s", "nowhere", path)
    default: try Tools.run("truncate", "-s", "2M", path)
    }
    let verified = try Self.verify(directory, "\(layout).raw")
    #expect(verified.status == 4 && verified.errors.contains("error[layout.signature-file]"), "\(verified.errors)")
    #expect(verified.errors.contains("\(layout).roothash.p7s"), "\(verified.errors)")
  }

  /// Also where nobody is trusted, so that nobody's signature could count.
  @Test func anEmptySignatureIsMalformed() throws {
    let directory = try LayoutTests.sources()
    _ = try LayoutTests.build(directory, "appended")
    try directory.write("appended.roothash.p7s", "")
    try Directory.create(directory.file("trust"))
    let told = try Self.verify(directory, "appended.raw")
    #expect(try told.json()["signature"]?["refusal"] == "signature.malformed", "\(told.output)")
    let demanded = try Self.verify(directory, "appended.raw", ["--trust-anchors=trust"])
    #expect(demanded.status == 4 && demanded.errors.contains("error[signature.malformed]"), "\(demanded.errors)")
  }

  /// A FIFO that nobody writes to is no reason to wait; a pipe that was handed over is read.
  @Test func aFIFOIsNoFile() throws {
    let directory = try LayoutTests.sources()
    _ = try LayoutTests.build(directory, "appended")
    try Tools.run("mkfifo", directory.file("fifo"))
    try Tools.run("mv", directory.file("appended.roothash"), directory.file("hash"))
    try Tools.run("mkfifo", directory.file("appended.roothash"))
    for arguments in [
      ["verify", "appended.raw"], ["verify", "appended.raw", "--root-hash-file", "fifo"],
      ["doctor", "--facts", "fifo"],
    ] {
      let result = try VerityBPFCommand.run(arguments, in: directory.path, wrapper: ["timeout", "60"])
      #expect(result.status == 1 && result.errors.contains("a fifo as a file"), "\(arguments): \(result.errors)")
    }
    let piped = try VerityBPFCommand.run(
      ["verify", "appended.raw", "--root-hash-file", "/dev/stdin"], in: directory.path,
      wrapper: ["sh", "-c", "cat hash | \"$@\"", "sh"])
    #expect(piped.status == 0, "\(piped.errors)")
  }
}
