internal import Base
internal import Verity

extension Ext4Image where Blocks: ~Copyable {
  public func inode(_ nid: UInt64) throws(FileSystemError) -> FileSystemInode { try located(nid).inode }

  /// The inode of that number, and what its bytes say.
  func located(_ nid: UInt64) throws(FileSystemError) -> (inode: FileSystemInode, raw: Ext4Inode) {
    do throws(FileSystemError) {
      return try read(nid)
    } catch {
      throw error.at(nid: nid)
    }
  }

  private func read(_ nid: UInt64) throws(FileSystemError) -> (inode: FileSystemInode, raw: Ext4Inode) {
    guard nid == Self.rootNumber || nid >= UInt64(superblock.firstInode), nid <= UInt64(superblock.inodeCount) else {
      throw refusal(
        .range, expected: "inode 2, or one from \(superblock.firstInode) to \(superblock.inodeCount)", found: "\(nid)")
    }
    let index = nid - 1
    let table = try inodeTable(of: index / UInt64(superblock.inodesPerGroup))
    let offset = table + index % UInt64(superblock.inodesPerGroup) * UInt64(superblock.inodeSize)
    let bytes = try bytes(at: offset, count: superblock.inodeSize)
    let raw: Ext4Inode
    do throws(ByteError) {
      raw = try Ext4Inode(bytes, superblock: superblock)
    } catch {
      throw refusal(.inode, at: offset, expected: "an inode", found: "\(error)")
    }
    if let seed = superblock.checksumSeed {
      let (computed, stored) = raw.checksums(seed: raw.checksumSeed(nid, seed))
      try requireChecksum(computed, stored, of: "the inode", at: offset)
    }
    guard raw.linkCount > 0, let kind = FileSystemInode.Kind(mode: raw.mode) else {
      throw refusal(
        .inode, at: offset, expected: "an inode with a name and a file type of inode(7)",
        found: "\(raw.linkCount) names, mode 0\(String(raw.mode, radix: 8))")
    }
    guard raw.size <= UInt64(Int.max), !raw.flags.contains(.attributeValue) else {
      throw refusal(
        .inode, at: offset, expected: "a file of less than 2^63 bytes",
        found: "\(raw.size) bytes, flags \(raw.flags.rawValue)")
    }
    let hasContents: Bool =
      switch kind {
      case .regular, .directory, .symbolicLink: true
      case .characterDevice, .blockDevice, .fifo, .socket: false
      }
    let inode = FileSystemInode(
      nid: nid, number: nid, kind: kind, permissions: raw.mode & 0o7777, size: hasContents ? raw.size : 0,
      linkCount: UInt32(raw.linkCount), owner: raw.owner, group: raw.group, offset: offset)
    return (inode, raw)
  }

  /// Where the inodes of a group are, in bytes from the start of the image.
  private func inodeTable(of group: UInt64) throws(FileSystemError) -> UInt64 {
    if let known = cache.group, known.number == group { return known.table }
    let offset = superblock.descriptorOffset(of: group)
    let bytes = try bytes(at: offset, count: superblock.descriptorSize)
    let isWide = superblock.descriptorSize >= 64
    guard let low = try? bytes.rawSpan.u32(at: 8), let checksum = try? bytes.rawSpan.u16(at: 30),
      let high = isWide ? try? bytes.rawSpan.u32(at: 40) : 0
    else { throw refusal(.range, at: offset, expected: "a group descriptor", found: "\(bytes.count) bytes") }
    if let seed = superblock.checksumSeed {
      var zeroed = bytes
      zeroed.storeLittleEndian(0 as UInt16, at: 30)
      var number: [UInt8] = []
      number.appendLittleEndian(UInt32(truncatingIfNeeded: group))
      let computed = CRC32C.checksum(zeroed, from: CRC32C.checksum(number, from: seed)) & 0xffff
      try requireChecksum(computed, UInt32(checksum), of: "group descriptor \(group)", at: offset)
    }
    if superblock.checksumSeed == nil, superblock.readOnly.contains(.descriptorChecksums) {
      var number: [UInt8] = []
      number.appendLittleEndian(UInt32(truncatingIfNeeded: group))
      // The checksum itself is left out.
      let computed = Self.crc16(superblock.uuid + number + bytes[..<30] + bytes[32...])
      guard computed == checksum else {
        throw refusal(
          .metadataChecksum, at: offset,
          expected: "CRC-16 \(String(computed, radix: 16)) of group descriptor \(group)",
          found: String(checksum, radix: 16))
      }
    }
    let table = UInt64(low) | UInt64(high) << 32
    let blockSize = UInt64(superblock.blockSize)
    let byteCount = UInt64(superblock.inodesPerGroup) * UInt64(superblock.inodeSize)
    try require(table, count: (byteCount + blockSize - 1) / blockSize)
    try requireOwnPlace(of: table, count: (byteCount + blockSize - 1) / blockSize, group: group)
    cache.group = (group, table * blockSize)
    return table * blockSize
  }

  /// Refuses a table of inodes that lies over the group descriptors, or in another group where each has its own
  /// (fs/ext4/super.c, ext4_check_descriptors): no descriptor is an inode, and no two groups have the same ones.
  private func requireOwnPlace(of table: UInt64, count: UInt64, group: UInt64) throws(FileSystemError) {
    let blockSize = UInt64(superblock.blockSize)
    let last = superblock.descriptorOffset(of: superblock.groupCount - 1) / blockSize
    let descriptors = superblock.incompatible.contains(.metaGroups) ? superblock.firstDataBlock + 1 : last
    var (start, end) = (descriptors + 1, superblock.blockCount)
    if !superblock.incompatible.contains(.flexibleGroups) {
      let first = superblock.firstDataBlock + group * superblock.blocksPerGroup
      (start, end) = (max(first, start), min(first + superblock.blocksPerGroup, end))
    }
    guard table >= start, table <= end, count <= end - table else {
      throw refusal(
        .range, expected: "the inodes of group \(group) in blocks \(start) to \(end)",
        found: "\(count) blocks from \(table)")
    }
  }

  /// CRC-16 as the kernel has it (lib/crc/crc16.c), over all ones.
  private static func crc16(_ bytes: [UInt8]) -> UInt16 {
    var sum: UInt16 = 0xffff
    for byte in bytes {
      sum ^= UInt16(byte)
      for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xa001 : sum >> 1 }
    }
    return sum
  }

  /// Why the contents of an inode are not read here, when that is so.
  func unread(_ raw: Ext4Inode) -> FileSystemError? {
    let reasons: [(Ext4Inode.Flags, String)] = [
      (.encrypted, "an encrypted one"), (.caseFolded, "a directory whose names are found in any case"),
      (.verity, "one with fs-verity"), (.compressed, "a compressed one"),
    ]
    guard let reason = reasons.first(where: { raw.flags.contains($0.0) }) else { return nil }
    return refusal(.feature, expected: "a plain file or directory", found: reason.1)
  }
}
