import Base
import Linux
import TestSupport
import Testing

/// A build over an earlier one: nothing of the old image is left to be taken for the new one's.
@Suite struct RebuildTests {
  /// A signed image `out.raw` with its tree in `out.verity`, and then another input.
  private static func signedImage() throws -> TemporaryDirectory {
    let directory = try LayoutTests.sources()
    let built = try BuildImageTests.build(directory, ["--layout=sidecar"] + LayoutTests.signer)
    try #require(built.status == 0, "\(built.errors)")
    #expect(try names(directory) == ["out.raw", "out.roothash", "out.roothash.p7s", "out.verity"])
    return directory
  }

  private static func names(_ directory: TemporaryDirectory) throws -> [String] {
    try Directory.names(directory.path).filter { $0.hasPrefix("out") || $0.hasPrefix(".") }
  }

  private static let seed = "--seed=other"

  @Test(arguments: ["out.raw", "./out.raw"])
  func removesWhatIsStale(output: String) throws {
    let directory = try Self.signedImage()
    let rebuilt = try BuildImageTests.build(directory, [Self.seed], output: output)
    #expect(rebuilt.status == 0, "\(rebuilt.errors)")
    #expect(try Self.names(directory) == ["out.raw", "out.roothash"])
    for name in ["out.roothash.p7s", "out.verity"] {
      #expect(rebuilt.output.contains("removed   ") && rebuilt.output.contains(name))
    }
    let verified = try VerityBPFCommand.run(["verify", "out.raw", "--json"], in: directory.path)
    #expect(try verified.status == 0 && verified.json()["signature"] == nil, "\(verified.errors)")
  }

  @Test func saysSoInJSON() throws {
    let directory = try Self.signedImage()
    let rebuilt = try BuildImageTests.build(directory, [Self.seed, "--layout=sidecar", "--json"])
    #expect(try rebuilt.json()["removed"] == ["out.roothash.p7s"])
    #expect(try BuildImageTests.build(directory, [Self.seed, "--json"]).json()["removed"] == ["out.verity"])
  }

  /// A root hash that goes elsewhere, and then the one beside the image is an old one.
  @Test func removesAnOldRootHash() throws {
    let directory = try Self.signedImage()
    #expect(try BuildImageTests.build(directory, [Self.seed, "--root-hash-file=hash"]).status == 0)
    #expect(try Self.names(directory) == ["out.raw"])
    // The same file by another name is written, not stale.
    #expect(try BuildImageTests.build(directory, [Self.seed, "--root-hash-file=./out.roothash"]).status == 0)
    #expect(try BuildImageTests.build(directory, ["--root-hash-file=progs/../out.roothash"]).status == 0)
    #expect(try Self.names(directory) == ["out.raw", "out.roothash"])
  }

  /// Equal input again: the signature, which perhaps somebody else made, is of this image too.
  @Test func keepsTheSignatureOfTheSameImage() throws {
    let directory = try Self.signedImage()
    let before = try directory.read("out.roothash.p7s")
    let rebuilt = try BuildImageTests.build(directory)
    #expect(rebuilt.status == 0 && rebuilt.output.contains("kept      out.roothash.p7s"), "\(rebuilt.output)")
    #expect(try directory.read("out.roothash.p7s") == before)
    let verified = try VerityBPFCommand.run(["verify", "out.raw", "--certificate", "cert.pem"], in: directory.path)
    #expect(verified.status == 0, "\(verified.errors)")
  }

  @Test(arguments: ["out.roothash.p7s", "out.verity"])
  func leavesWhatSomebodyElsePutThere(name: String) throws {
    let directory = try LayoutTests.sources()
    for kind in ["text", "directory", "link"] {
      switch kind {
      case "text": try directory.write(name, "notes on this image\n")
      case "directory": try Directory.create(directory.file(name))
      default: try Tools.run("ln", "-s", "cert.pem", directory.file(name))
      }
      let result = try BuildImageTests.build(directory)
      #expect(result.status == 64 && result.errors.contains("error[build.foreign-file]"), "\(kind): \(result.errors)")
      #expect(try Self.names(directory) == [name])
      try Tools.run("rm", "-r", directory.file(name))
    }
  }

  /// When the image cannot get its name, what was put out of the way comes back.
  @Test func putsBackWhatItTookWhenItFails() throws {
    guard Tools.isRoot else { return print("skipped: a file that cannot be replaced needs root") }
    let directory = try Self.signedImage()
    let before = try directory.read("out.roothash.p7s")
    try #require(
      try Subprocess.run(["mount", "--bind", directory.file("out.raw"), directory.file("out.raw")]).status == 0)
    defer { _ = try? Tools.run("umount", directory.file("out.raw")) }
    // rename(2) over a mount point is EBUSY.
    let result = try BuildImageTests.build(directory, [Self.seed])
    #expect(result.status == 1, "\(result.errors)")
    #expect(try directory.read("out.roothash.p7s") == before)
    #expect(try Self.names(directory).filter { !$0.hasPrefix("out.roothash") } == ["out.raw", "out.verity"])
  }
}
