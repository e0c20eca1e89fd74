import BPFObject
import ByteKit
import LinuxSys
import Testing

/// libbpf's own linking as an oracle: a light skeleton holds the very arrays that libbpf would hand to bpf(2), with
/// maps referred to by index as here.
@Suite struct SkeletonOracleTests {
  /// The data blob of the light skeleton that `bpftool gen skeleton -L` writes.
  private static func skeleton(_ object: [UInt8], name: String) throws -> [UInt8] {
    let directory = try Directory.createTemporary(prefix: "bpfobject")
    defer { TestObject.remove(directory) }
    // libbpf takes the name for data maps from the file's.
    let path = "\(directory)/\(name).bpf.o"
    try TestObject.write(object, to: path)
    let result = try Subprocess.run(["bpftool", "gen", "skeleton", "-L", path, "name", name])
    try #require(result.status == 0, "\(result.text)")
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
    let object = try TestObject.link(name)
    let blob = try Self.skeleton(TestObject.bytes(name), name: name)
    #expect(blob.firstRange(of: object.btf) != nil, "BTF differs")
    for program in object.programs where !program.kind.isOptional {
      #expect(blob.firstRange(of: program.instructions) != nil, "instructions of \(program.name) differ")
      #expect(blob.firstRange(of: program.funcInfo) != nil, "func_info of \(program.name) differs")
      #expect(blob.firstRange(of: program.lineInfo) != nil, "line_info of \(program.name) differs")
      #expect(blob.firstRange(of: program.coreRelocations) != nil, "CO-RE records of \(program.name) differ")
    }
    for map in object.maps where !map.initialValue.isEmpty {
      #expect(blob.firstRange(of: map.initialValue) != nil, "initial value of \(map.name) differs")
    }
    for map in object.maps {
      #expect(blob.firstRange(of: Array(map.kernelName.utf8)) != nil, "libbpf has no map \(map.kernelName)")
    }
  }
}
