import BPFObject
import Base
import Glibc
import Linux
import TestSupport
import Testing

@testable import Loader

/// The repository, from the place of this file.
let repository: String = {
  var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
  parts.removeLast(4)
  return parts.joined(separator: "/")
}()

/// A directory that goes when its owner goes.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws { path = try Directory.createTemporary(prefix: "verity-bpf-load") }

  deinit { Cleanup.remove(path) }
}

/// A tool of the Swift toolchain, or the one on PATH where the toolchain has none.
func toolchain(_ name: String) throws -> String {
  let script =
    "tool=$(dirname \"$(realpath \"$(command -v swift)\")\")/\(name); [ -x \"$tool\" ] && echo \"$tool\" || echo \(name)"
  return String(try run("sh", "-c", script).dropLast())
}

/// Runs a program that must succeed.
@discardableResult
func run(_ arguments: String...) throws -> String {
  let result = try Subprocess.run(arguments)
  try #require(result.status == 0, "\(arguments.joined(separator: " ")): \(result.text)")
  return result.text
}

/// What `bpftool link show` prints. It gives up at a link that somebody is making at this moment (EAGAIN), and other
/// tests make links all the time.
func shownLinks() throws -> String {
  var text = ""
  for _ in 0..<50 {
    let result = try Subprocess.run(["bpftool", "link", "show"])
    if result.status == 0 { return result.text }
    text = result.text
    usleep(10_000)
  }
  throw Unlisted(text: text)
}

private struct Unlisted: Error {
  let text: String
}

/// The demo's and the tests' BPF objects, compiled once.
enum Objects {
  private static let built = Result { () throws -> TemporaryDirectory in
    let directory = try TemporaryDirectory()
    atexit { Objects.removeBuilt() }
    try run("make", "-s", "-C", "\(repository)/images/demo", "OUT=\(directory.path)")
    return directory
  }
  private static let compiled = Result { () throws -> TemporaryDirectory in
    let directory = try TemporaryDirectory()
    atexit { Objects.removeCompiled() }
    try run(
      "make", "-s", "-C", "\(repository)/Tests/Fixtures/bpf-load", "-f", "\(repository)/images/demo/Makefile",
      "OUT=\(directory.path)")
    return directory
  }

  // Globals are never released, so their directories go when the process does.
  static func removeBuilt() { if let directory = try? built.get() { Cleanup.remove(directory.path) } }
  private static func removeCompiled() { if let directory = try? compiled.get() { Cleanup.remove(directory.path) } }

  /// The path of `images/demo/<name>.bpf.c`, compiled.
  static func demo(_ name: String) throws -> String { "\(try built.get().path)/\(name).bpf.o" }

  /// The path of `Tests/Fixtures/bpf-load/<name>.bpf.c`, compiled.
  static func fixture(_ name: String) throws -> String { "\(try compiled.get().path)/\(name).bpf.o" }

  /// The paths of all that the demo and the tests compile.
  static func paths() throws -> [String] {
    try [built.get(), compiled.get()].flatMap { directory in
      try Directory.names(directory.path).sorted().filter { $0.hasSuffix(".bpf.o") }.map { "\(directory.path)/\($0)" }
    }
  }

  static func bytes(_ path: String, limit: Int = 1 << 20) throws -> [UInt8] {
    let file = try OwnedFD.open(path, .readOnly)
    let contents = try file.readToEnd(limit: limit)
    return try #require(contents)
  }

  /// A file of any size.
  static func contents(_ path: String) throws -> [UInt8] {
    let contents = try OwnedFD.open(path, .readOnly).readToEnd(limit: 1 << 28)
    return try #require(contents)
  }

  static func linked(_ path: String) throws -> LinkedObject {
    let name = path.split(separator: "/").last.map { String($0) } ?? ""
    let object = try bytes(path)
    return try BPFObject.link(bytes: object.rawSpan, objectName: name, allowsExterns: true)
  }

  /// The same with the programs of these names alone; nil leaves the choice to the object.
  static func linked(_ path: String, only programs: [String]?) throws -> LinkedObject {
    var linked = try linked(path)
    var choice = ProgramChoice()
    choice.only = (programs ?? []).map { FileNamePattern($0) }
    try linked.choose(choice)
    return linked
  }

  /// A load that must fail, and how it failed.
  static func refusal(_ linked: LinkedObject, options: LoadOptions = LoadOptions()) throws -> BPFLoadError {
    do throws(BPFLoadError) {
      _ = try ObjectLoader.load(linked, options: options)
    } catch {
      return error
    }
    throw LoadedAfterAll()
  }

  struct LoadedAfterAll: Error {}

  /// Links and loads, without pins.
  static func load(_ path: String, programs: [String]? = nil) throws -> LoadedObject {
    return try ObjectLoader.load(linked(path, only: programs), options: LoadOptions())
  }
}

/// A program or map the object does not have.
struct NoSuchName: Error {
  let name: String
}

extension LoadedObject {
  func program(_ name: String) throws -> KernelObject {
    for program in programs where program.name == name { return program.object }
    throw NoSuchName(name: name)
  }

  /// The map of this name, or the one of this data section.
  func map(_ name: String) throws -> KernelObject {
    for map in maps where map.name == name || map.name.hasSuffix(name) { return map.object }
    throw NoSuchName(name: name)
  }
}

/// Numbers as map keys and values hold them.
func bytes<Number: FixedWidthInteger & UnsignedInteger>(_ value: Number) -> [UInt8] {
  var result: [UInt8] = []
  result.appendLittleEndian(value)
  return result
}

/// A number in a map's value.
func number(_ bytes: [UInt8]?, at offset: Int = 0) throws -> UInt64 {
  let present = try #require(bytes)
  return try present.rawSpan.u64(at: offset)
}
