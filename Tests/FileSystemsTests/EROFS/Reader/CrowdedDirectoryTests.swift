import Base
import FileSystems
import Testing
import Verity

/// A directory with as many names as an image may have, and with one more.
@Suite struct CrowdedDirectoryTests {
  /// An image of one directory with so many names of one empty file.
  private static func image(
    names count: Int, limits: FileSystemLimits = FileSystemLimits()
  ) throws -> ErofsImage<VerifiedDevice<ArraySource>> {
    let (blockSize, entrySize, nameSize, perBlock) = (4096, 12, 8, 204)
    var directory: [UInt8] = []
    directory.reserveCapacity((count / perBlock + 1) * blockSize)
    var names = [Array(".".utf8), Array("..".utf8)]
    var number = 0
    var digits = [UInt8](repeating: UInt8(ascii: "0"), count: nameSize)
    while number < count || !names.isEmpty {
      while names.count < perBlock, number < count {
        names.append(digits)
        var place = nameSize - 1
        while digits[place] == UInt8(ascii: "9") {
          digits[place] = UInt8(ascii: "0")
          place -= 1
        }
        digits[place] += 1
        number += 1
      }
      directory += repeatElement(0, count: (blockSize - directory.count % blockSize) % blockSize)
      var offset = names.count * entrySize
      for name in names {
        let isDots = name.count < nameSize
        directory.appendLittleEndian(isDots ? 40 : 42 as UInt64)
        directory.appendLittleEndian(UInt16(offset))
        directory += [isDots ? 2 : 1, 0]
        offset += name.count
      }
      for name in names { directory += name }
      names = []
    }
    let blocks = (directory.count + blockSize - 1) / blockSize
    var bytes = [UInt8](repeating: 0, count: blockSize)
    bytes.storeLittleEndian(ErofsSuperblock.magic, at: 1024)
    bytes[1024 + 12] = 12
    bytes.storeLittleEndian(40 as UInt16, at: 1024 + 14)
    bytes.storeLittleEndian(UInt32(1 + blocks), at: 1024 + 36)
    for (slot, mode, size) in [(40, 0o40555, directory.count), (42, 0o100444, 0)] {
      // An extended inode, its contents in whole blocks from block 1 on.
      bytes[slot * 32] = 1
      bytes.storeLittleEndian(UInt16(mode), at: slot * 32 + 4)
      bytes.storeLittleEndian(UInt64(size), at: slot * 32 + 8)
      bytes.storeLittleEndian(1 as UInt32, at: slot * 32 + 16)
      bytes.storeLittleEndian(2 as UInt32, at: slot * 32 + 44)
    }
    return try ErofsImage(try MemoryImage.build(data: bytes + directory, salt: [1]).device(), limits: limits)
  }

  /// With the root there is one name too many. It is refused when it is met: what lies before it was visited, and forgotten again.
  @Test func oneNameTooMany() throws {
    let limits = FileSystemLimits(entries: 10_000)
    var image = try Self.image(names: limits.entries, limits: limits)
    var count = 0
    let error = #expect(throws: FileSystemError.self) {
      try image.passNames { _, kind, nid in count += kind == .regular && nid == 42 ? 1 : 0 }
    }
    #expect(count > limits.entries - 2000 && count < limits.entries)
    #expect(error?.check == .limit && error?.diagnostic.expected == "at most \(limits.entries) names")
    #expect(error?.diagnostic.category == .unsupported)
    let kept = image.withBlocks { $0.provenByteCount }
    #expect(kept < 100_000)
  }

  /// The same names whether they come in pieces or as one list, and in the same order.
  @Test(arguments: [0, 1, 202, 203, 3000])
  func piecesAreTheWhole(count: Int) throws {
    var image = try Self.image(names: count)
    var listed: [String] = []
    try image.walkNames { place, _, _ in listed.append(place.text) }
    #expect(listed.count == count && listed == listed.sortedBytewise())
    var passed: [String] = []
    try image.passNames { place, _, _ in passed.append(place.text) }
    #expect(passed == listed)
    var entered: [String] = []
    try image.passEntries { _, entry in entered.append(entry.path) }
    let files = try image.passFiles().map(\.path)
    #expect(entered == listed && files == listed)
    let root = try image.inode(image.rootNid)
    #expect(try image.names(in: root, parent: root.nid).map(\.name) == listed)
  }
}
