internal import Base

/// A block of a directory.
struct DirectoryBytes {
  let bytes: [UInt8]
  /// Bytes from the start of the directory.
  let position: UInt64

  /// Bytes up to the next entry. Where a block has 64 KiB, two values stand for all of it (ext4_rec_len_from_disk).
  func recordLength(at place: Int) -> Int? {
    guard let length = (try? bytes.rawSpan.u16(at: place + 4)).map({ Int($0) }) else { return nil }
    guard bytes.count >= 1 << 16 else { return length }
    return length == 65535 || length == 0 ? 1 << 16 : length & 65532 | (length & 3) << 16
  }

  /// The checksum in the last twelve bytes, which pose as an entry without a name.
  func leafChecksum(at end: Int) -> UInt32? {
    let span = bytes.rawSpan
    guard (try? span.u32(at: end)) == 0, (try? span.u16(at: end + 4)) == 12, (try? span.u8(at: end + 6)) == 0,
      (try? span.u8(at: end + 7)) == 0xde
    else { return nil }
    return try? span.u32(at: end + 8)
  }

  /// The checksum that a block of hashes should have, and the one behind its last possible entry (ext4_dx_csum).
  func indexChecksums(seed: UInt32) -> (computed: UInt32, stored: UInt32)? {
    // Of the first block `.` and `..` and a description come before the hashes, of others an entry without a name.
    let start = recordLength(at: 0) == 12 ? 32 : 8
    let span = bytes.rawSpan
    guard let limit = (try? span.u16(at: start)).map({ Int($0) }),
      let count = (try? span.u16(at: start + 2)).map({ Int($0) }),
      count <= limit, let reserved = try? span.slice(at: start + 8 * limit, count: 4).copyBytes(),
      let stored = try? span.u32(at: start + 8 * limit + 4),
      let hashed = try? span.slice(at: 0, count: start + 8 * count)
    else { return nil }
    let computed = CRC32C.checksum(hashed.copyBytes() + reserved + [0, 0, 0, 0], from: seed)
    return (computed, stored)
  }
}

/// The names of a directory while they are gathered.
struct NameList {
  let directory: UInt64
  let limit: Int
  private(set) var names: [FileSystemName] = []
  var dot: UInt64?
  var dotDot: UInt64?

  init(directory: UInt64, limit: Int) {
    self.directory = directory
    self.limit = limit
  }

  /// Takes the entries of a block (fs/ext4/dir.c, __ext4_check_dir_entry).
  ///
  /// - Parameter end: where they end in it.
  mutating func add(_ block: DirectoryBytes, end: Int, _ superblock: Ext4Superblock) throws(FileSystemError) {
    func refuse(_ check: FileSystemError.Check, _ expected: String, _ found: String) -> FileSystemError {
      FileSystemError(
        check, expected: expected, found: "\(found), in the block at byte \(block.position) of the directory",
        format: .ext4)
    }
    let span = block.bytes.rawSpan
    var place = 0
    while place < end {
      guard let number = try? span.u32(at: place), let length = block.recordLength(at: place),
        let nameLength = (try? span.u8(at: place + 6)).map({ Int($0) }), let type = try? span.u8(at: place + 7),
        length >= 12, length.isMultiple(of: 4), length >= (8 + nameLength + 3) & ~3, length <= end - place
      else { throw refuse(.directory, "entries of 12 bytes or more up to byte \(end)", "another one at byte \(place)") }
      defer { place += length }
      guard number != 0 else { continue }
      let bytes = Array(block.bytes[place + 8..<place + 8 + nameLength])
      if bytes == [UInt8(ascii: ".")], dot == nil {
        dot = UInt64(number)
      } else if bytes == Array("..".utf8), dotDot == nil {
        dotDot = UInt64(number)
      } else {
        guard let name = FileSystemName.text(bytes) else {
          throw refuse(
            .directory,
            "a name of 1 to \(FileSystemLimits.nameBytes) bytes of UTF-8 without `/` and NUL, not `.` or `..` twice",
            "hexadecimal \(Hex.encode(Array(bytes.prefix(64))))")
        }
        guard names.count < limit else { throw refuse(.limit, "at most \(limit) names in a directory", "more") }
        // Without the feature the byte is a part of the length, and zero.
        let hasType = superblock.incompatible.contains(.fileType)
        guard let kind = hasType ? FileSystemInode.Kind(ext4: type) : .regular, hasType || type == 0 else {
          throw refuse(.directory, "a file type of 1 to 7", "type \(type) of `\(name)`")
        }
        names.append(FileSystemName(name: name, nid: UInt64(number), number: UInt64(number), kind: kind))
      }
    }
  }
}

extension FileSystemInode.Kind {
  /// `EXT4_FT_*` (fs/ext4/ext4.h).
  fileprivate init?(ext4 type: UInt8) {
    // The numbers are those of EROFS, which took them from here.
    self.init(rawValue: type)
  }
}
