import BPFTestSupport
import BPFAnalysis
import BPFObject
import Base
import Linux
import TestSupport
import Testing

/// Stripping takes debugging data away and nothing else.
@Suite struct StripTests {
  private static let fixtures = TestObject.names + ["externs"]

  private static func object(_ name: String) throws -> [UInt8] {
    try TestObject.bytes(name, flags: name == "externs" ? ["-DKFUNC"] : [])
  }

  @Test(arguments: fixtures)
  func linksToTheSame(_ name: String) throws {
    let object = try Self.object(name)
    let stripped = try BPFObject.strip(object.rawSpan)
    #expect(stripped.count < object.count)
    #expect(try BPFObject.strip(stripped.rawSpan) == stripped, "stripping again changes nothing")
    guard name != "externs" else { return }
    #expect(
      try BPFObject.link(bytes: stripped.rawSpan, objectName: name)
        == BPFObject.link(bytes: object.rawSpan, objectName: name))
    let report = try BPFObject.report(bytes: stripped.rawSpan)
    #expect(report.debuggingSize == 0)
  }

  /// Other readers agree: same code, same relocations, same types.
  @Test(arguments: fixtures)
  func othersReadTheSame(_ name: String) throws {
    let object = try Self.object(name)
    let directory = try Directory.createTemporary(prefix: "bpfobject")
    defer { TestObject.remove(directory) }
    try TestObject.write(object, to: "\(directory)/object.o")
    let code = try Subprocess.run(["llvm-objdump", "-d", "-r", "\(directory)/object.o"], limit: 16 << 20).text
    let types = try Subprocess.run(["bpftool", "btf", "dump", "file", "\(directory)/object.o"], limit: 16 << 20).text
    try TestObject.write(try BPFObject.strip(object.rawSpan), to: "\(directory)/object.o")
    #expect(try Subprocess.run(["llvm-objdump", "-d", "-r", "\(directory)/object.o"], limit: 16 << 20).text == code)
    #expect(
      try Subprocess.run(["bpftool", "btf", "dump", "file", "\(directory)/object.o"], limit: 16 << 20).text == types)
    let headers = try Subprocess.run(["llvm-readelf", "-S", "-s", "--wide", "\(directory)/object.o"]).text
    #expect(!headers.contains("debug") && !headers.contains("warning"), "\(headers)")
  }

  @Test func damagedObjectsAreRefusedOrStripped() throws {
    let original = try TestObject.bytes("maps")
    var generator = Generator(5)
    for _ in 0..<400 {
      var bytes = original
      for _ in 0..<3 {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      // The result does not matter here, only that there is one.
      _ = try? BPFObject.strip(bytes.rawSpan)
    }
  }
}
