public import Base

/// What is left to write of a file system when all but the last file's contents are in their places.
public struct ErofsEnding: Sendable {
  /// Number of blocks of the whole file system.
  public let blockCount: UInt64
  let inodeCount: UInt64
  /// The root's inode with what follows it.
  let root: [UInt8]
  /// The first block of the last file; nil when it is empty.
  let reserved: UInt32?
  /// Bytes of the last file.
  let reservedSize: UInt64

  /// Where the root's inode is: right behind the superblock, so that its number fits into 16 bits.
  static let rootOffset = Int(ErofsSuperblock.offset) + ErofsSuperblock.size
  private static let checksumFeature: UInt32 = 1

  /// Writes the last file's contents and block 0.
  ///
  /// - Parameters:
  ///   - contents: as many bytes as were reserved.
  ///   - uuid: 16 bytes.
  public func write(
    _ contents: borrowing RawSpan, uuid: [UInt8], to sink: inout some ByteSink & ~Copyable
  ) throws(ErofsWriterError) {
    guard UInt64(contents.byteCount) == reservedSize else {
      throw .reservedSize(expected: reservedSize, found: contents.byteCount)
    }
    if let reserved {
      let offset = UInt64(reserved) * UInt64(BlockStream.blockSize)
      try sink.put(contents, at: offset)
      let last = contents.byteCount % BlockStream.blockSize
      let padding = [UInt8](repeating: 0, count: last == 0 ? 0 : BlockStream.blockSize - last)
      if !padding.isEmpty { try sink.put(padding.rawSpan, at: offset + UInt64(contents.byteCount)) }
    }
    try sink.put(firstBlock(uuid: uuid).rawSpan, at: 0)
  }

  /// The boot area, which is empty, the superblock (`struct erofs_super_block`, fs/erofs/erofs_fs.h) and the root.
  func firstBlock(uuid: [UInt8]) -> [UInt8] {
    var block = [UInt8](repeating: 0, count: Int(ErofsSuperblock.offset))
    block.appendLittleEndian(ErofsSuperblock.magic)
    block.appendLittleEndian(0 as UInt32)  // the checksum, below
    block.appendLittleEndian(Self.checksumFeature)
    block.append(UInt8(truncatingIfNeeded: BlockStream.blockSize.trailingZeroBitCount))
    block.append(0)  // no extension slots
    block.appendLittleEndian(UInt16(truncatingIfNeeded: Self.rootOffset / BlockStream.slotSize))  // 36
    block.appendLittleEndian(inodeCount)
    block.appendLittleEndian(0 as UInt64)  // the time of every compact inode: seconds
    block.appendLittleEndian(0 as UInt32)  // nanoseconds
    block.appendLittleEndian(UInt32(truncatingIfNeeded: blockCount))  // it fits: blocks were numbered with 32 bits
    block.appendLittleEndian(0 as UInt32)  // inode numbers count from block 0
    block.appendLittleEndian(0 as UInt32)  // no shared extended attributes
    block += uuid.prefix(16)
    // Neither a volume's name nor incompatible features, extra devices and what else there is.
    block += repeatElement(0, count: Self.rootOffset - block.count)
    block += root
    block += repeatElement(0, count: BlockStream.blockSize - block.count)
    let summed = block[Int(ErofsSuperblock.offset)...]
    block.storeLittleEndian(
      ErofsSuperblock.checksum(of: Array(summed)), at: Int(ErofsSuperblock.offset) + ErofsSuperblock.checksumOffset)
    return block
  }
}
