import Base
import Verity
import FileSystems
import Glibc
import Linux
import TestSupport

/// A directory with files of every shape, and the images mkfs.erofs makes of it.
final class SourceTree {
  let directory: String
  /// Contents by path; nil for a directory. Symbolic links are in `links`.
  private(set) var files: [String: [UInt8]] = [:]
  private(set) var directories: [String] = [""]
  private(set) var links: [String: String] = [:]
  private(set) var twins: [(String, String)] = []
  private var generator = SplitMix(state: 42)

  init() throws {
    directory = try Directory.createTemporary(prefix: "verity-bpf-erofs-tests")
    try Directory.create("\(directory)/tree")
  }

  deinit { Cleanup.remove(directory) }

  var root: String { "\(directory)/tree" }

  func addDirectory(_ path: String) throws {
    try Directory.create("\(root)/\(path)")
    directories.append(path)
  }

  func addFile(_ path: String, size: Int) throws {
    try addFile(path, contents: (0..<size).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
  }

  func addFile(_ path: String, contents: [UInt8]) throws {
    let file = try OwnedFD.open("\(root)/\(path)", [.writeOnly, .create, .exclusive])
    try file.writeAll(contents.rawSpan)
    files[path] = contents
  }

  func addLink(_ path: String, target: String) {
    precondition(symlink(target, "\(root)/\(path)") == 0)
    links[path] = target
  }

  func addTwin(_ path: String, of other: String) {
    precondition(link("\(root)/\(other)", "\(root)/\(path)") == 0)
    files[path] = files[other]
    twins.append((path, other))
  }

  /// Every shape the format has: sizes around the block, directories of several blocks, depth, links.
  static func everyShape() throws -> SourceTree {
    let tree = try SourceTree()
    for size in [0, 1, 31, 4000, 4032, 4064, 4095, 4096, 4097, 8191, 8192, 8193, 12288, 20000, 200_000] {
      try tree.addFile("file-\(size)", size: size)
    }
    try tree.addFile("sparse", contents: [UInt8](repeating: 0, count: 65536) + [1, 2, 3])
    try tree.addFile("name with spaces, ünïcode and \"quotes\"", size: 10)
    // mkfs.erofs 1.5 cannot pack a name of 255 bytes.
    try tree.addFile(String(repeating: "n", count: 254), size: 3)
    try tree.addDirectory("many")
    for index in 0..<300 { try tree.addFile("many/entry-\(index)-with-a-name-of-some-length", size: index % 7) }
    var path = "deep"
    try tree.addDirectory(path)
    for level in 0..<20 {
      path += "/\(level)"
      try tree.addDirectory(path)
    }
    try tree.addFile("\(path)/bottom", size: 5)
    try tree.addDirectory("empty")
    tree.addLink("link", target: "file-1")
    tree.addLink("dangling", target: "/nowhere/at/all")
    tree.addLink("loop", target: "loop")
    tree.addLink("deep/up", target: "..")
    tree.addTwin("twin", of: "file-4097")
    tree.addTwin("deep/twin", of: "file-4097")
    return tree
  }

  /// A small tree whose image has every kind of metadata, for mutations.
  static func small() throws -> SourceTree {
    let tree = try SourceTree()
    try tree.addFile("a", size: 5)
    try tree.addFile("block", size: 4096)
    try tree.addFile("tail", size: 4200)
    try tree.addDirectory("d")
    try tree.addDirectory("d/e")
    try tree.addFile("d/e/f", size: 100)
    for index in 0..<110 { try tree.addFile("d/some-longer-name-or-other-\(index)", size: 1) }
    tree.addLink("s", target: "a")
    tree.addTwin("t", of: "a")
    return tree
  }

  /// The file system image, made by mkfs.erofs.
  func image(_ options: [String] = []) throws -> [UInt8] {
    let path = "\(directory)/image"
    let result = try Subprocess.run(
      ["mkfs.erofs", "-T0", "-U00000000-0000-0000-0000-000000000001", "--all-root", "-x-1", "--quiet"] + options
        + [path, root])
    guard result.status == 0 else { throw TestFailure(result.text) }
    return try readAll(path)
  }

  /// What a program says about an image.
  func ask(_ arguments: [String], about image: [UInt8]) throws -> Subprocess.Result {
    let path = "\(directory)/asked"
    try write(image, to: path)
    return try Subprocess.run(arguments + [path])
  }

  func write(_ bytes: [UInt8], to path: String) throws {
    let file = try OwnedFD.open(path, [.writeOnly, .create, .truncate])
    try file.writeAll(bytes.rawSpan)
  }
}

struct TestFailure: Error {
  let text: String
  init(_ text: String) { self.text = text }
}

func readAll(_ path: String) throws -> [UInt8] {
  let file = try OwnedFD.open(path, .readOnly)
  guard let bytes = try file.readToEnd(limit: 1 << 30) else { throw TestFailure("\(path) is too large") }
  return bytes
}

/// A file system over the bytes, under a hash tree made for exactly these bytes: whatever they hold is proven.
func open(_ bytes: [UInt8], limits: FileSystemLimits = FileSystemLimits()) throws -> ErofsImage<
  VerifiedDevice<ArraySource>
> {
  try ErofsImage(try MemoryImage.build(data: bytes, salt: [1, 2, 3]).device(), limits: limits)
}

/// The same numbers every time (SplitMix64).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
    return value ^ value >> 31
  }
}

extension [UInt8] {
  /// Makes the superblock's checksum right again after a change.
  mutating func resumErofs() {
    guard count > 1036, 9...16 ~= self[1036] else { return }
    let end = 1024 + ErofsSuperblock.checksummedCount(blockSize: 1 << Int(self[1036]))
    guard count >= end else { return }
    storeLittleEndian(ErofsSuperblock.checksum(of: Array(self[1024..<end])), at: 1028)
  }

  func changed(_ change: (inout [UInt8]) -> Void) -> [UInt8] {
    var copy = self
    change(&copy)
    copy.resumErofs()
    return copy
  }
}
