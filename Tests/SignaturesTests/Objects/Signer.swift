import Base
import Linux
import Signatures
import TestSupport
import Testing

/// A key pair made by the `openssl` command, and objects made by clang, in a directory that goes with this value.
struct Signer {
  let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
    for name in ["alice", "bob"] {
      try Tools.run(
        "openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-keyout", directory.file("\(name).key"), "-out",
        directory.file("\(name).crt"), "-subj", "/CN=\(name)", "-days", "30")
    }
  }

  func pem(_ name: String) throws -> [UInt8] { try directory.read(name) }
  func trusted(_ name: String) throws -> Certificates { try Certificates(pem: pem("\(name).crt")) }
  func key(_ name: String) throws -> PrivateKey { try PrivateKey(pem: pem("\(name).key")) }

  /// The root of the repository.
  static var root: String { "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/") }

  /// The object that clang makes of a fixture.
  func object(_ name: String) throws -> [UInt8] {
    try Tools.run(
      "clang", "-target", "bpf", "-O2", "-g", "-I", "\(Self.root)/images/demo/include", "-c",
      "\(Self.root)/Tests/Fixtures/bpf/\(name).bpf.c", "-o", directory.file("\(name).o"))
    return try directory.read("\(name).o")
  }

  /// What a program makes of a file: it is written, changed in place, and read again.
  func changed(_ bytes: [UInt8], by command: String...) throws -> [UInt8] {
    try directory.write("changed.o", bytes)
    try Tools.run(command + [directory.file("changed.o")])
    return try directory.read("changed.o")
  }

  /// A detached message that `openssl cms` makes of some bytes.
  func cms(_ content: [UInt8], _ arguments: [String], signers: [String] = ["alice"]) throws -> [UInt8] {
    try directory.write("content", content)
    var command = ["openssl", "cms", "-sign", "-binary", "-outform", "DER", "-in", directory.file("content")]
    command += ["-out", directory.file("message")] + arguments
    for name in signers {
      command += ["-signer", directory.file("\(name).crt"), "-inkey", directory.file("\(name).key")]
    }
    try Tools.run(command)
    return try directory.read("message")
  }
}
