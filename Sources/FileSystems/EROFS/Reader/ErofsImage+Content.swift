internal import Base
internal import Verity

extension ErofsImage where Blocks: ~Copyable {
  /// Where the contents of a file, directory or symbolic link are; nil when they are compressed.
  public func extents(of inode: FileSystemInode) throws(FileSystemError) -> FileExtents? {
    try extents(of: inode, isBounded: true)
  }

  /// - Parameter isBounded: whether a file with more contents than are ever read at once is refused.
  func extents(of inode: FileSystemInode, isBounded: Bool) throws(FileSystemError) -> FileExtents? {
    if isBounded { try requireSize(of: inode) }
    var extents = FileExtents()
    guard inode.size > 0 else { return extents }
    let blockSize = UInt64(superblock.blockSize)
    switch try located(inode.nid).layout {
    case .none: break
    case .plain(let start): extents.append(inode.size, at: start * blockSize)
    case .inline(let start, let tail):
      let tailSize = (inode.size - 1) % blockSize + 1
      extents.append(inode.size - tailSize, at: start * blockSize)
      extents.append(tailSize, at: tail)
    case .chunked(let bits, let table, let entrySize):
      do throws(FileSystemError) {
        try appendChunks(to: &extents, size: inode.size, bits: bits, table: table, entrySize: entrySize)
      } catch {
        throw error.at(nid: inode.nid)
      }
    case .compressed: return nil
    case .unsupported(let expected, let found):
      throw FileSystemError(.feature, nid: inode.nid, offset: inode.offset, expected: expected, found: found)
    }
    return extents
  }

  /// Refuses an inode with more contents than are ever read.
  private func requireSize(of inode: FileSystemInode) throws(FileSystemError) {
    let (limit, byteCount): (FileSystemLimits.Limit, Int) =
      inode.kind == .directory ? (.directory, limits.directoryBytes) : (.file, limits.fileBytes)
    guard inode.size <= UInt64(clamping: byteCount) else {
      throw FileSystemError(
        .limit, nid: inode.nid, offset: inode.offset, expected: limits.allowed(limit), found: "\(inode.size) bytes")
    }
  }

  private func appendChunks(
    to extents: inout FileExtents, size: UInt64, bits: UInt64, table: UInt64, entrySize: UInt64
  ) throws(FileSystemError) {
    let chunks = (size - 1) >> bits + 1
    // The table was found to lie on the device when the inode was read.
    let entries = try bytes(at: table, count: Int(chunks * entrySize))
    for chunk in 0..<chunks {
      let place = Int(chunk * entrySize)
      // Of an eight-byte index the first half is reserved advice and the number of an extra device; there is none.
      let head = entrySize == 8 ? try? entries.rawSpan.u32(at: place) : 0
      guard head == 0, let block = try? entries.rawSpan.u32(at: place + Int(entrySize) - 4) else {
        throw FileSystemError(
          .feature, offset: table + UInt64(place), expected: "a chunk on this device without advice",
          found: "an index with device or advice bits")
      }
      let count = min(1 << bits, size - extents.byteCount)
      let isHole = block == .max
      if !isHole { try require(blocks: UInt64(block), bytes: count) }
      extents.append(count, at: isHole ? nil : UInt64(block) * UInt64(superblock.blockSize))
    }
  }

  public func contents(of inode: FileSystemInode, in range: Range<UInt64>) throws(FileSystemError) -> [UInt8] {
    if let extents = try extents(of: inode) { return try bytes(of: extents, in: range) }
    return try decompressed(inode, in: range)
  }

  public func storedPlace(of inode: FileSystemInode) throws(FileSystemError) -> Range<UInt64>? {
    guard let extents = try extents(of: inode) else { return try largestCluster(of: inode) }
    // The largest part lies in blocks of its own; the end of a file may share one with its inode.
    let largest = extents.filter { $0.imageOffset != nil }.max { $0.count < $1.count }
    return largest.flatMap { extent in extent.imageOffset.map { $0..<$0 + extent.count } }
  }

  public func obstacle(to inode: FileSystemInode) throws(FileSystemError) -> FileSystemError? {
    do throws(FileSystemError) {
      switch try located(inode.nid).layout {
      case .none, .plain, .inline, .chunked: _ = try extents(of: inode)
      case .compressed(let form, let header): try checkReadable(inode, form: form, header: header)
      case .unsupported(let expected, let found):
        throw FileSystemError(.feature, nid: inode.nid, offset: inode.offset, expected: expected, found: found)
      }
      return nil
    } catch {
      if error.isUnsupported { return error }
      throw error
    }
  }

  /// A private copy of a part of a file whose extents are known, as far as the file has it.
  func bytes(of extents: FileExtents, in range: Range<UInt64>) throws(FileSystemError) -> [UInt8] {
    try blocks.bytes(of: extents, in: range, byteCount: byteCount, format: .erofs)
  }
}
