internal import Base
internal import Verity

extension ErofsImage where Blocks: ~Copyable {
  /// The root directory.
  public var rootNid: UInt64 { superblock.rootNid }

  /// The inode of that number, its layout checked against the device.
  public func inode(_ nid: UInt64) throws(FileSystemError) -> FileSystemInode { try located(nid).inode }

  /// The inode of that number and where its contents are.
  func located(_ nid: UInt64) throws(FileSystemError) -> (inode: FileSystemInode, layout: ErofsLayout) {
    // Neither can overflow: both factors of the first product are below 2^32, and the nid is bounded before it is used.
    let metadata = superblock.metadataBlock * UInt64(superblock.blockSize)
    guard metadata <= byteCount, nid <= (byteCount - metadata) / 32 else {
      throw FileSystemError(
        .range, nid: nid, expected: "an inode before byte \(byteCount)", found: "inode number \(nid)")
    }
    let offset = metadata + nid * 32
    let raw: RawInode
    do throws(FileSystemError) {
      raw = try rawInode(at: offset)
    } catch {
      throw error.at(nid: nid)
    }
    func refuse(_ expected: String, _ found: String, _ check: FileSystemError.Check = .inode) -> FileSystemError {
      FileSystemError(check, nid: nid, offset: offset, expected: expected, found: found)
    }
    guard raw.format & ~0xf == 0 else {
      // Bit 4 came with 48-bit layouts: a count of names or an entry for the directory itself that is left out.
      throw refuse("no format bits above bit 3", ErofsSuperblock.hexadecimal(UInt32(raw.format)), .feature)
    }
    guard let kind = FileSystemInode.Kind(mode: raw.mode) else {
      throw refuse("a file type of inode(7)", "mode 0\(String(raw.mode, radix: 8))")
    }
    guard raw.size <= UInt64(Int.max) else { throw refuse("a size below 2^63", "\(raw.size)") }
    // What follows the inode: 64 + 12 + 4 * 65535 bytes at most, so no overflow here either.
    let dataOffset = offset + raw.inodeSize + raw.xattrSize
    guard dataOffset <= byteCount else {
      throw refuse("extended attributes before byte \(byteCount)", "\(raw.xattrSize) bytes of them", .range)
    }
    let layout: ErofsLayout
    switch kind {
    case .regular, .directory, .symbolicLink:
      do throws(FileSystemError) {
        layout = try self.layout(of: raw, dataOffset: dataOffset)
      } catch {
        throw refuse(error.expected, error.found, error.check)
      }
    case .characterDevice, .blockDevice, .fifo, .socket: layout = .none
    }
    let inode = FileSystemInode(
      nid: nid, number: nid, kind: kind, permissions: raw.mode & 0o7777, size: layout == .none ? 0 : raw.size,
      linkCount: raw.linkCount, owner: raw.owner, group: raw.group, offset: offset)
    return (inode, layout)
  }

  /// Has the blocks proven together that lie from the first to the last of some inodes, when they are no more than
  /// `limit` bytes: in an image of ours these are the files themselves, and a few others. What does not prove is met
  /// again when it is read.
  public func proveAround(_ nids: [UInt64], limit: UInt64) {
    let blockSize = UInt64(blocks.blockSize)
    guard let first = nids.min(), let last = nids.max(), let start = try? inode(first).offset,
      let end = try? inode(last).offset, start <= end, end - start <= limit
    else { return }
    try? blocks.prove(start / blockSize..<end / blockSize + 1)
  }

  private func rawInode(at offset: UInt64) throws(FileSystemError) -> RawInode {
    var head = try bytes(at: offset, count: 32)
    // An extended inode may cross a block boundary; the low bit of the first byte tells the two forms apart.
    if let first = head.first, first & 1 != 0 { try append(to: &head, at: offset + 32, count: 32) }
    do throws(ByteError) {
      return try RawInode(head.rawSpan)
    } catch {
      throw FileSystemError(.range, offset: offset, expected: "an inode", found: error.description)
    }
  }

  /// fs/erofs/data.c, erofs_map_blocks.
  private func layout(of raw: RawInode, dataOffset: UInt64) throws(FileSystemError) -> ErofsLayout {
    let blockSize = UInt64(superblock.blockSize)
    let start = UInt64(raw.union)
    switch raw.layoutNumber {
    case 0:
      try require(blocks: start, bytes: raw.size)
      return .plain(start: start)
    case 2:
      guard raw.size > 0 else { return .plain(start: start) }
      // The last block is inline even when it is full.
      let tailSize = (raw.size - 1) % blockSize + 1
      guard dataOffset % blockSize + tailSize <= blockSize else {
        throw FileSystemError(
          .inode, expected: "inline data within one block", found: "\(tailSize) bytes from byte \(dataOffset)")
      }
      guard tailSize <= byteCount - dataOffset else {
        throw FileSystemError(.range, expected: "inline data before byte \(byteCount)", found: "\(tailSize) bytes")
      }
      try require(blocks: start, bytes: raw.size - tailSize)
      return .inline(start: start, tail: dataOffset)
    case 4:
      return try chunkedLayout(of: raw, dataOffset: dataOffset)
    case 1, 3:
      // The header of the map follows the inode at a multiple of 8 bytes (fs/erofs/zmap.c, z_erofs_fill_inode).
      return .compressed(raw.layoutNumber == 1 ? .full : .compact, header: (dataOffset + 7) & ~7)
    default:
      return .unsupported(expected: "layout 0 to 4", found: "layout \(raw.layoutNumber)")
    }
  }

  private func chunkedLayout(of raw: RawInode, dataOffset: UInt64) throws(FileSystemError) -> ErofsLayout {
    guard superblock.features.contains(.chunkedFiles) else {
      throw FileSystemError(.inode, expected: "no chunked file without feature CHUNKED_FILE", found: "layout 4")
    }
    // Bits 0 to 4: how much larger than a block a chunk is; bit 5: eight-byte entries.
    guard raw.union & ~0x3f == 0 else {
      return .unsupported(expected: "chunk format bits 0 to 5", found: ErofsSuperblock.hexadecimal(raw.union))
    }
    let bits = UInt64(superblock.blockSize.trailingZeroBitCount) + UInt64(raw.union & 0x1f)
    let entrySize: UInt64 = raw.union & 0x20 == 0 ? 4 : 8
    let table = (dataOffset + entrySize - 1) / entrySize * entrySize
    let chunks = raw.size == 0 ? 0 : (raw.size - 1) >> bits + 1
    guard table <= byteCount, chunks <= (byteCount - table) / entrySize else {
      throw FileSystemError(
        .range, expected: "a chunk table before byte \(byteCount)", found: "\(chunks) entries from byte \(table)")
    }
    return .chunked(bits: bits, table: table, entrySize: entrySize)
  }

  /// Refuses blocks that are not on the device.
  func require(blocks start: UInt64, bytes count: UInt64) throws(FileSystemError) {
    guard count > 0 else { return }
    // Block numbers have 32 bits and blocks 2^16 bytes at most.
    let offset = start * UInt64(superblock.blockSize)
    guard offset <= byteCount, count <= byteCount - offset else {
      throw FileSystemError(
        .range, expected: "contents before byte \(byteCount)", found: "\(count) bytes from block \(start)")
    }
  }
}
