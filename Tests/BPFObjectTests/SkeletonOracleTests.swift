import BPFTestSupport
import BPFObject
import Base
import Linux
import TestSupport
import Testing

/// libbpf's own linking as an oracle: a light skeleton holds the very arrays that libbpf would hand to bpf(2), with
/// maps referred to by index as here.
@Suite struct SkeletonOracleTests {
  /// libbpf cannot make a skeleton of the object.
  struct NoSkeleton: Error {
    let reason: String
  }

  /// The data blob of the light skeleton that `bpftool gen skeleton -L` writes.
  static func skeleton(_ object: [UInt8], name: String) throws -> [UInt8] {
    let directory = try Directory.createTemporary(prefix: "bpfobject")
    defer { TestObject.remove(directory) }
    // libbpf takes the name for data maps from the file's.
    let path = "\(directory)/\(name).bpf.o"
    try TestObject.write(object, to: path)
    let result = try Subprocess.run(["bpftool", "gen", "skeleton", "-L", path, "name", name])
    guard result.status == 0 else { throw NoSkeleton(reason: result.text) }
    let marker = Array("opts.data = (void *)\"".utf8)
    let text = result.output
    let start = try #require(
      text.indices.first { text[$0...].starts(with: marker) }, "the skeleton has no data")
    return unescaped(text[(start + marker.count)...])
  }

  /// The bytes of a C string literal up to its closing quote.
  private static func unescaped(_ literal: ArraySlice<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = literal
    while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
      guard byte == UInt8(ascii: "\\") else {
        bytes.append(byte)
        continue
      }
      switch rest.popFirst() {
      case UInt8(ascii: "x"):
        bytes += Hex.decode(String(decoding: [rest.removeFirst(), rest.removeFirst()], as: UTF8.self)) ?? []
      case UInt8(ascii: "0"): bytes.append(0)
      default: continue
      }
    }
    return bytes
  }

  @Test(arguments: ["data", "callbacks", "core", "maps", "attach"])
  func libbpfLinksTheSameBytes(_ name: String) throws {
    try Self.compare(TestObject.bytes(name), name: name)
  }

  @Test(arguments: ["KFUNC", "KCONFIG"])
  func libbpfCompletesTheSameTypes(_ macro: String) throws {
    try Self.compare(TestObject.bytes("externs", flags: ["-D\(macro)"]), name: "externs")
  }

  /// Every array of the linked object is somewhere in libbpf's blob.
  static func compare(_ bytes: [UInt8], name: String) throws {
    let object = try BPFObject.link(bytes: bytes.rawSpan, objectName: name, allowsExterns: true)
    let blob = try skeleton(bytes, name: name)
    func expect(_ part: [UInt8], _ what: String) {
      #expect(blob.firstRange(of: part) != nil, "\(name): \(what) differs from libbpf's")
    }
    expect(object.btf, "BTF")
    for program in object.programs where !program.kind.isOptional {
      // What refers to the kernel gets its value when the skeleton runs, and libbpf has put other bytes there before.
      if program.externUses.isEmpty { expect(program.instructions, "code of \(program.name)") }
      expect(program.funcInfo, "func_info of \(program.name)")
      expect(program.lineInfo, "line_info of \(program.name)")
      expect(program.coreRelocations, "core_relos of \(program.name)")
    }
    for map in object.maps {
      if !object.needsResolving { expect(map.initialValue, "initial value of \(map.name)") }
      expect(Array(map.kernelName.utf8), "name of \(map.name)")
    }
  }
}
