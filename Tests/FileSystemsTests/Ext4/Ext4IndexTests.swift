import Base
import Linux
import TestSupport
import Testing
import Verity

@testable import FileSystems

/// Directories whose names are found by their hashes.
@Suite(.enabled(if: Ext4Tools.areInstalled, "mke2fs is not installed"))
struct Ext4IndexTests {
  let directory: TemporaryDirectory
  var path: String { directory.file("image") }
  static let names =
    (0..<2000).map { "a-name-of-some-length-\($0)" } + ["\u{e4}\u{f6}\u{fc}", String(repeating: "n", count: 255)]

  init() throws {
    directory = try TemporaryDirectory()
    for name in ["tree", "tree/many"] { try Directory.create(directory.file(name)) }
    for name in Self.names { try directory.write("tree/many/\(name)", "") }
  }

  /// - Parameter changes: lines for debugfs, before the directory gets its index.
  private func image(_ options: String = "", _ changes: [String] = []) throws -> [UInt8] {
    try Tools.run(
      ["mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-N", "3000", "-d", directory.file("tree")]
        + options.split(separator: " ").map(String.init) + [path, "8M"])
    for change in changes { try Tools.run("debugfs", "-w", "-R", change, path) }
    let result = try Subprocess.run(["e2fsck", "-f", "-y", "-D", path])
    guard result.status <= 1 else { throw TestFailure(result.text) }
    return try readAll(path)
  }

  /// What e2fsprogs says the hash of a name is.
  @Test(arguments: ["legacy", "half_md4", "tea"]) func hashesOfNames(function: String) throws {
    let numbers: [String: Ext4NameHash.Function] = ["legacy": .legacy, "half_md4": .halfMD4, "tea": .tea]
    let found = try #require(numbers[function])
    let names =
      ["a", "abc", "0123456789abcdef", "0123456789abcdef0123456789abcdefg", "\u{e4}-name"] + Self.names.suffix(1)
    let seeds: [(words: String, seed: [UInt32])] = [
      ("", [0, 0, 0, 0]),
      ("-s 11223344-5566-7788-99aa-bbccddeeff00", [0x4433_2211, 0x8877_6655, 0xccbb_aa99, 0x00ff_eedd]),
    ]
    for (words, seed) in seeds {
      for name in names {
        let text = try Tools.run("debugfs", "-R", "dx_hash -h \(function) \(words) \(name)")
        let hash = Ext4NameHash(function: found, isUnsigned: false, seed: seed).hash(of: Array(name.utf8))
        let digits = String(hash, radix: 16)
        let padded = String(repeating: "0", count: 8 - digits.utf8.count) + digits
        #expect(text.contains("is 0x\(padded) ") || text.contains("is 0x\(digits) "), "\(name): \(text)")
      }
    }
  }

  /// Every name is found by its hash, whatever function and signs the file system has.
  @Test(arguments: ["legacy", "half_md4", "tea"], [1, 2]) func namesAreFound(function: String, flags: Int) throws {
    let bytes = try image(
      flags == 1 ? "" : "-O ^metadata_csum,^64bit",
      ["set_super_value def_hash_version \(function)", "set_super_value flags \(flags)"])
    let image = try open512(bytes)
    guard case .ext4(let reader) = image else { throw TestFailure("another format") }
    let many = try reader.lookup("many")
    let index = try #require(try reader.index(of: many, reader.located(many.nid).raw))
    #expect("\(index.hash.function)".lowercased() == function.replacing("_", with: ""))
    #expect(index.hash.isUnsigned == (flags == 2))
    for name in Self.names { #expect(try reader.find(Array(name.utf8), in: many)?.name == name) }
    #expect(try reader.find(Array("a-name-of".utf8), in: many) == nil)
    // Listed as a whole it is held against its index.
    #expect(try reader.names(in: many, parent: 2).count == Self.names.count)
  }

  /// A look-up reads the blocks of hashes on its way and one of names, not the directory.
  @Test func aLookUpReadsAFewBlocks() throws {
    let bytes = try image()
    let image = try open512(bytes)
    let many = try image.lookup("many")
    let before = image.withBlocks { $0.provenByteCount }
    #expect(try image.find(Array("a-name-of-some-length-7".utf8), in: many) != nil)
    let read = image.withBlocks { $0.provenByteCount } - before
    #expect(read < 20 << 10 && many.size > 80 << 10, "\(read) of \(many.size) bytes")
  }

  /// A name that lies where its hash does not lead is listed by the kernel and not found: here it is refused.
  @Test func namesLieWhereTheirHashesLead() throws {
    var bytes = try image("-O ^metadata_csum")
    let name = Array("a-name-of-some-length-1234".utf8)
    let found = bytes.span.bytes.firstOffset(of: name.span.bytes)
    let place = try #require(found)
    bytes[place] = UInt8(ascii: "b")
    let image = try open512(bytes)
    let many = try image.lookup("many")
    #expect(try image.find(name, in: many) == nil)
    let error = #expect(throws: FileSystemError.self) { _ = try image.names(in: many, parent: 2) }
    #expect(error?.check == .directory && error?.expected == "names where their hashes lead")
  }

  /// Hashes that lead back, and other damage to an index, end in a result or a refusal.
  @Test func damagedIndexes() throws {
    let bytes = try image("-O ^metadata_csum")
    let clean = try open512(bytes)
    guard case .ext4(let reader) = clean else { throw TestFailure("another format") }
    let many = try reader.lookup("many")
    let extents = try reader.directoryExtents(of: many, reader.located(many.nid).raw)
    let root = Int(try #require(extents.first { _ in true }?.imageOffset))
    let limits = FileSystemLimits(entries: 5000, depth: 16, directoryBytes: 1 << 20, fileBytes: 1 << 20)
    var generator = SplitMix(state: 25)
    var refused = 0
    for round in 0..<200 {
      let changed = bytes.damaged(at: Array(root..<root + 200), using: &generator)
      let image = try open512(changed, limits: limits)
      do throws(FileSystemError) {
        for name in Self.names.prefix(20) { _ = try image.find(Array(name.utf8), in: many) }
        _ = try image.names(in: many, parent: 2)
      } catch {
        refused += 1
        #expect(error.format == .ext4 && error.check != .block, "round \(round): \(error)")
      }
    }
    #expect(refused > 100, "\(refused) refused")
  }

  /// The older checksum of group descriptors, without which the kernel mounts nothing.
  @Test func descriptorChecksums() throws {
    var bytes = try image("-O ^metadata_csum,uninit_bg")
    #expect(try open512(bytes).lookup("many").kind == .directory)
    // The first group's number of free blocks.
    bytes[2048 + 12] ^= 1
    let error = #expect(throws: FileSystemError.self) { _ = try open512(bytes).lookup("many") }
    #expect(error?.check == .metadataChecksum && error?.expected.hasPrefix("CRC-16") == true)
  }

  /// Group descriptors that lead to each other, or to another group's inodes.
  @Test(arguments: ["^flex_bg", "flex_bg"]) func descriptorsThatPointAtEachOther(groups: String) throws {
    let bytes = try image("-O ^metadata_csum,^uninit_bg,^64bit,^resize_inode,\(groups) -g 2048")
    let tables = try (0..<4).map { try bytes.span.bytes.u32(at: 2048 + 32 * $0 + 8) }
    // A table over the descriptors themselves, one over the superblock, and two groups with one.
    for (group, table) in [(0, UInt32(2)), (0, 1), (1, 2), (0, tables[1]), (1, tables[0]), (2, tables[1])] {
      var changed = bytes
      changed.storeLittleEndian(table, at: 2048 + 32 * group + 8)
      let limits = FileSystemLimits(entries: 5000, depth: 16, directoryBytes: 1 << 20, fileBytes: 1 << 20)
      let result = try everything(changed, limits: limits)
      guard case .failure(let error) = result else {
        // Files of one number are those of another then, and the kernel says so too.
        #expect(groups == "flex_bg" && table > 2)
        continue
      }
      #expect([.range, .directory, .inode, .tree, .wrongKind].contains(error.check), "\(error)")
    }
  }
}
