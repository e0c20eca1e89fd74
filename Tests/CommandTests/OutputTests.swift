import Base
import Linux
import TestSupport
import Testing

/// No result may take the place of what the run reads: each of these once destroyed the file.
@Suite struct OutputTests {
  /// A command that would replace one of its inputs.
  struct Collision: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// The file that would be lost.
    let input: String
    var arguments: [String]

    init(_ description: String, _ input: String, _ arguments: String...) {
      testDescription = description
      self.input = input
      self.arguments = arguments
    }
  }

  private static let key = ["--certificate", "cert.pem", "--private-key", "key.pem"]

  private static let signed: [Collision] = [
    Collision("root-hash, the key", "key.pem", "sign", "root-hash", "out.raw", "-o", "key.pem"),
    Collision("root-hash, the certificate", "cert.pem", "sign", "root-hash", "out.raw", "-o", "./cert.pem"),
    Collision("root-hash, the image", "out.raw", "sign", "root-hash", "out.raw", "-o", "out.raw"),
    Collision("root-hash, the root hash", "out.roothash", "sign", "root-hash", "out.raw", "-o", "out.roothash"),
    Collision("root-hash, the key by a link", "key.pem", "sign", "root-hash", "out.raw", "-o", "link.pem"),
    Collision("root-hash, the key by another name", "key.pem", "sign", "root-hash", "out.raw", "-o", "hard.pem"),
    Collision("build, the key", "key.pem", "build-image", "progs", "-o", "key.pem"),
    Collision("build, the key by the manifest", "key.pem", "build-image", "progs", "-o", "n.raw", "--manifest=key.pem"),
    Collision(
      "build, the certificate", "cert.pem", "build-image", "progs", "-o", "n.raw", "--root-hash-file=cert.pem"),
    Collision("build, an object", "progs/a.bpf.o", "build-image", "progs", "-o", "progs/a.bpf.o"),
    Collision(
      "build, a file that is included", "progs/x.roothash", "build-image", "progs", "-o", "progs/x.raw",
      "--include=*.roothash"),
    Collision("file, the key", "key.pem", "sign", "file", "a.bpf.o", "-o", "key.pem"),
    Collision("policy, the key", "key.pem", "policy", "sign", "a.pol", "-o", "key.pem"),
    Collision("policy, itself", "a.pol", "policy", "sign", "a.pol", "-o", "a.pol"),
  ]

  private static let others: [Collision] = [
    Collision(
      "root-hash, the key by its URI", "key.pem", "sign", "root-hash", "out.raw", "-o", "key.pem", "--certificate",
      "cert.pem", "--private-key", "file:HERE/key.pem"),
    Collision(
      "file, the object by what is to be signed", "a.bpf.o", "sign", "file", "a.bpf.o", "--emit-tbs", "a.bpf.o"),
    Collision("policy test, the policy", "a.pol", "policy", "test", "a.pol", "a.cases", "--junit", "a.pol"),
    Collision("policy test, the cases", "a.cases", "policy", "test", "a.pol", "a.cases", "--junit", "a.cases"),
    Collision(
      "load, the image", "out.raw", "load", "--image", "out.raw", "--object", "a.bpf.o", "--policy", "a.pol",
      "--dry-run", "--verifier-log", "out.raw"),
    Collision(
      "load, the policy", "a.pol", "load", "--image", "out.raw", "--object", "a.bpf.o", "--policy", "a.pol",
      "--dry-run", "--verifier-log", "a.pol"),
  ]

  static var collisions: [Collision] {
    others
      + signed.map { collision in
        var collision = collision
        collision.arguments += key
        return collision
      }
  }

  private static func sources() throws -> TemporaryDirectory {
    let directory = try LayoutTests.sources()
    try #require(try BuildImageTests.build(directory).status == 0)
    try Tools.run("cp", directory.file("progs/a.bpf.o"), directory.file("a.bpf.o"))
    try Tools.run("ln", "-s", "key.pem", directory.file("link.pem"))
    try Tools.run("ln", directory.file("key.pem"), directory.file("hard.pem"))
    try directory.write("progs/x.roothash", "text")
    try directory.write("a.pol", "policy_name=a policy_version=1.0.0\nDEFAULT action=DENY\n")
    try directory.write("a.cases", "case \"nothing\"\n  given op=BPF_PROG_LOAD\n  expect DENY by DEFAULT\n")
    return directory
  }

  @Test(arguments: collisions)
  func keepsWhatItReads(collision: Collision) throws {
    let directory = try Self.sources()
    let before = try directory.read(collision.input)
    let names = try Directory.names(directory.path)
    let arguments = collision.arguments.map { $0.replacing("HERE", with: directory.path) }
    let result = try VerityBPFCommand.run(arguments, in: directory.path)
    #expect(result.status == 64, "\(result.errors)")
    #expect(result.errors.contains("error[output.replaces-input]"), "\(result.errors)")
    #expect(try directory.read(collision.input) == before)
    #expect(try Directory.names(directory.path) == names)
  }

  /// An object is signed in place: that replaces an input on purpose.
  @Test func signsAnObjectInPlace() throws {
    let directory = try Self.sources()
    let before = try directory.read("a.bpf.o")
    let result = try VerityBPFCommand.run(
      ["sign", "file", "a.bpf.o", "-o", "a.bpf.o"] + Self.key, in: directory.path)
    #expect(result.status == 0, "\(result.errors)")
    #expect(try directory.read("a.bpf.o").count > before.count)
  }

  @Test(arguments: [["sign", "root-hash", "out.raw"], ["sign", "file", "a.bpf.o"], ["policy", "sign", "a.pol"]])
  func replacesNoDevice(command: [String]) throws {
    let directory = try Self.sources()
    try Tools.run("ln", "-s", "/dev/null", directory.file("null"))
    for output in ["progs", "null", "/dev/null"] {
      let result = try VerityBPFCommand.run(command + ["-o", output] + Self.key, in: directory.path)
      #expect(result.status == 64 && result.errors.contains("error[output.not-a-file]"), "\(output): \(result.errors)")
    }
    #expect(try FileStatus.of(path: "/dev/null").kind == .characterDevice)
    #expect(try FileStatus.of(path: directory.file("null"), followLinks: false).kind == .symbolicLink)
  }
}
