package import BPFObject
internal import Base
internal import Linux
import Synchronization
internal import TestSupport

/// Objects compiled from the sources under Tests/Fixtures/bpf, each once a process.
package enum TestObject {
  private static let cache = Mutex<[String: [UInt8]]>([:])

  package static let names = ["data", "callbacks", "core", "maps", "attach", "slots"]

  /// The repository's root.
  package static var root: String {
    #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }
  }

  /// The object that clang makes of a fixture.
  package static func bytes(_ name: String, flags: [String] = [], target: String = "bpf") throws -> [UInt8] {
    let key = ([name, target] + flags).joined(separator: " ")
    if let cached = cache.withLock({ $0[key] }) { return cached }
    let bytes = try compile("\(root)/Tests/Fixtures/bpf/\(name).bpf.c", flags: flags, target: target)
    cache.withLock { objects in objects[key] = bytes }
    return bytes
  }

  /// The object that clang makes of C source text.
  package static func compile(source: String, flags: [String] = []) throws -> [UInt8] {
    let directory = try Directory.createTemporary(prefix: "bpfobject")
    defer { remove(directory) }
    let path = "\(directory)/source.bpf.c"
    try write(Array("#include \"vbpf.h\"\n\(source)\n".utf8), to: path)
    return try compile(path, flags: flags)
  }

  private static func compile(_ path: String, flags: [String] = [], target: String = "bpf") throws -> [UInt8] {
    let directory = try Directory.createTemporary(prefix: "bpfobject")
    defer { remove(directory) }
    let output = "\(directory)/object.o"
    let result = try Subprocess.run(
      [
        "clang", "-target", target, "-O2", "-g", "-Wall", "-Wno-unused-function", "-Wno-unused-const-variable",
        "-I", "\(root)/images/demo/include", "-c", path, "-o", output,
      ] + flags)
    guard result.status == 0 else { throw Unexpected("clang: \(result.text)") }
    let bytes = try read(output)
    return bytes
  }

  package static func read(_ path: String) throws -> [UInt8] {
    let file = try OwnedFD.open(path, .readOnly)
    guard let bytes = try file.readToEnd(limit: 64 << 20) else { throw Unexpected("\(path) is over 64 MiB") }
    return bytes
  }

  package static func write(_ bytes: [UInt8], to path: String) throws {
    let file = try OwnedFD.open(path, [.writeOnly, .create, .truncate])
    try file.writeAll(bytes.rawSpan)
  }

  package static func remove(_ directory: String) {
    _ = try? Subprocess.run(["rm", "-rf", directory])
  }

  package static func link(_ name: String, flags: [String] = []) throws -> LinkedObject {
    let object = try bytes(name, flags: flags)
    return try BPFObject.link(bytes: object.rawSpan, objectName: "\(name).bpf.o")
  }
}
