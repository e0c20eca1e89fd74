internal import Base
internal import Verity

extension ErofsImage where Blocks: ~Copyable {
  /// Where the contents of a file, directory or symbolic link are.
  public func extents(of inode: ErofsInode) throws(ErofsError) -> ErofsExtents {
    let (limit, byteCount): (ErofsLimits.Limit, Int) =
      inode.kind == .directory ? (.directory, limits.directoryBytes) : (.file, limits.fileBytes)
    guard inode.size <= UInt64(clamping: byteCount) else {
      throw ErofsError(
        .limit, nid: inode.nid, offset: inode.offset, expected: limits.allowed(limit), found: "\(inode.size) bytes")
    }
    var extents = ErofsExtents()
    guard inode.size > 0 else { return extents }
    let blockSize = UInt64(superblock.blockSize)
    switch inode.layout {
    case .none: break
    case .plain(let start): extents.append(inode.size, at: start * blockSize)
    case .inline(let start, let tail):
      let tailSize = (inode.size - 1) % blockSize + 1
      extents.append(inode.size - tailSize, at: start * blockSize)
      extents.append(tailSize, at: tail)
    case .chunked(let bits, let table, let entrySize):
      do throws(ErofsError) {
        try appendChunks(to: &extents, size: inode.size, bits: bits, table: table, entrySize: entrySize)
      } catch {
        var named = error
        named.nid = inode.nid
        throw named
      }
    }
    return extents
  }

  private func appendChunks(
    to extents: inout ErofsExtents, size: UInt64, bits: UInt64, table: UInt64, entrySize: UInt64
  ) throws(ErofsError) {
    let chunks = (size - 1) >> bits + 1
    // The table was found to lie on the device when the inode was read.
    let entries = try bytes(at: table, count: Int(chunks * entrySize))
    for chunk in 0..<chunks {
      let place = Int(chunk * entrySize)
      // Of an eight-byte index the first half is reserved advice and the number of an extra device; there is none.
      let head = entrySize == 8 ? try? entries.rawSpan.u32(at: place) : 0
      guard head == 0, let block = try? entries.rawSpan.u32(at: place + Int(entrySize) - 4) else {
        throw ErofsError(
          .feature, offset: table + UInt64(place), expected: "a chunk on this device without advice",
          found: "an index with device or advice bits")
      }
      let count = min(1 << bits, size - extents.byteCount)
      let isHole = block == .max
      if !isHole { try require(blocks: UInt64(block), bytes: count) }
      extents.append(count, at: isHole ? nil : UInt64(block) * UInt64(superblock.blockSize))
    }
  }

  /// A private copy of a regular file's contents, every byte of it proven.
  ///
  /// - Parameter limit: the most bytes the file may have.
  public func readFile(_ inode: ErofsInode, limit: Int) throws(ErofsError) -> [UInt8] {
    guard inode.kind == .regular else { throw wrongKind(inode, expected: .regular) }
    return try contents(of: inode, limit: limit)
  }

  /// A private copy of the beginning of a regular file: `count` bytes, or all when it has fewer. Nothing else of the
  /// file is read.
  public func readPrefix(of inode: ErofsInode, count: Int) throws(ErofsError) -> [UInt8] {
    guard inode.kind == .regular else { throw wrongKind(inode, expected: .regular) }
    return try contents(of: inode, limit: limits.fileBytes, prefix: count)
  }

  /// A private copy of a part of a regular file, as far as the file has it. Nothing else of the file is read.
  public func readFile(_ inode: ErofsInode, in range: Range<UInt64>) throws(ErofsError) -> [UInt8] {
    guard inode.kind == .regular else { throw wrongKind(inode, expected: .regular) }
    return try bytes(of: try extents(of: inode), in: range)
  }

  /// What a symbolic link says. This reader never follows one.
  public func linkTarget(_ inode: ErofsInode) throws(ErofsError) -> [UInt8] {
    guard inode.kind == .symbolicLink else { throw wrongKind(inode, expected: .symbolicLink) }
    return try contents(of: inode, limit: limits.pathBytes)
  }

  func wrongKind(_ inode: ErofsInode, expected: ErofsInode.Kind) -> ErofsError {
    ErofsError(
      .wrongKind, nid: inode.nid, offset: inode.offset, expected: "a \(expected.name)", found: "a \(inode.kind.name)")
  }

  /// - Parameter prefix: the most bytes that are wanted; the rest is left unread.
  func contents(of inode: ErofsInode, limit: Int, prefix: Int = .max) throws(ErofsError) -> [UInt8] {
    guard inode.size <= UInt64(clamping: limit) else {
      throw ErofsError(
        .limit, nid: inode.nid, offset: inode.offset, expected: "a \(inode.kind.name) of at most \(limit) bytes",
        found: "\(inode.size) bytes")
    }
    return try bytes(of: try extents(of: inode), in: 0..<UInt64(clamping: prefix))
  }

  /// A private copy of a part of a file whose extents are known, as far as the file has it.
  func bytes(of extents: ErofsExtents, in range: Range<UInt64>) throws(ErofsError) -> [UInt8] {
    var bytes: [UInt8] = []
    // No larger than a file may be, which is below 2^63.
    bytes.reserveCapacity(Int(clamping: range.clamped(to: 0..<extents.byteCount).count))
    for extent in extents.within(range) {
      if let offset = extent.imageOffset {
        try append(to: &bytes, at: offset, count: Int(extent.count))
      } else {
        bytes.append(contentsOf: repeatElement(0, count: Int(extent.count)))
      }
    }
    return bytes
  }
}
