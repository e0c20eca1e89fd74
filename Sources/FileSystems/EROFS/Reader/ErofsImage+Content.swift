internal import Base
internal import Verity

/// A stretch of a file and where the image holds it.
public struct ErofsExtent: Equatable, Sendable {
  /// Bytes from the start of the file.
  public let fileOffset: UInt64
  /// Bytes from the start of the image; nil for a hole, which reads as zeros.
  public let imageOffset: UInt64?
  /// Bytes.
  public let count: UInt64
}

extension ErofsImage where Blocks: ~Copyable {
  /// Where the contents of a file, directory or symbolic link are, in file order, neighbours joined.
  public func extents(of inode: ErofsInode) throws(ErofsError) -> [ErofsExtent] {
    guard inode.size <= UInt64(clamping: limits.fileBytes) else {
      throw ErofsError(
        .limit, nid: inode.nid, offset: inode.offset, expected: "a file of at most \(limits.fileBytes) bytes",
        found: "\(inode.size) bytes")
    }
    guard inode.size > 0 else { return [] }
    let blockSize = UInt64(superblock.blockSize)
    switch inode.layout {
    case .none: return []
    case .plain(let start):
      return [ErofsExtent(fileOffset: 0, imageOffset: start * blockSize, count: inode.size)]
    case .inline(let start, let tail):
      let tailSize = (inode.size - 1) % blockSize + 1
      let head = inode.size - tailSize
      let inline = ErofsExtent(fileOffset: head, imageOffset: tail, count: tailSize)
      return head == 0 ? [inline] : [ErofsExtent(fileOffset: 0, imageOffset: start * blockSize, count: head), inline]
    case .chunked(let bits, let table, let entrySize):
      do throws(ErofsError) {
        return try chunkExtents(size: inode.size, bits: bits, table: table, entrySize: entrySize)
      } catch {
        var named = error
        named.nid = inode.nid
        throw named
      }
    }
  }

  private func chunkExtents(
    size: UInt64, bits: UInt64, table: UInt64, entrySize: UInt64
  ) throws(ErofsError) -> [ErofsExtent] {
    let chunks = (size - 1) >> bits + 1
    // The table was found to lie on the device when the inode was read.
    let entries = try bytes(at: table, count: Int(chunks * entrySize))
    var extents: [ErofsExtent] = []
    for chunk in 0..<chunks {
      let place = Int(chunk * entrySize)
      // Of an eight-byte index the first half is reserved advice and the number of an extra device; there is none.
      let head = entrySize == 8 ? try? entries.rawSpan.u32(at: place) : 0
      guard head == 0, let block = try? entries.rawSpan.u32(at: place + Int(entrySize) - 4) else {
        throw ErofsError(
          .feature, offset: table + UInt64(place), expected: "a chunk on this device without advice",
          found: "an index with device or advice bits")
      }
      let fileOffset = chunk << bits
      let count = min(1 << bits, size - fileOffset)
      let isHole = block == .max
      if !isHole { try require(blocks: UInt64(block), bytes: count) }
      let imageOffset = isHole ? nil : UInt64(block) * UInt64(superblock.blockSize)
      if let last = extents.last, last.imageOffset.map({ $0 + last.count }) == imageOffset {
        extents[extents.count - 1] = ErofsExtent(
          fileOffset: last.fileOffset, imageOffset: last.imageOffset, count: last.count + count)
      } else {
        extents.append(ErofsExtent(fileOffset: fileOffset, imageOffset: imageOffset, count: count))
      }
    }
    return extents
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
    var contents: [UInt8] = []
    for extent in try extents(of: inode) {
      let part = range.clamped(to: extent.fileOffset..<(extent.fileOffset + extent.count))
      guard !part.isEmpty else { continue }
      if let offset = extent.imageOffset {
        try append(to: &contents, at: offset + (part.lowerBound - extent.fileOffset), count: part.count)
      } else {
        contents.append(contentsOf: repeatElement(0, count: part.count))
      }
    }
    return contents
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
    var contents: [UInt8] = []
    contents.reserveCapacity(min(Int(inode.size), prefix))
    for extent in try extents(of: inode) where contents.count < prefix {
      let count = min(Int(extent.count), prefix - contents.count)
      if let offset = extent.imageOffset {
        try append(to: &contents, at: offset, count: count)
      } else {
        contents.append(contentsOf: repeatElement(0, count: count))
      }
    }
    return contents
  }
}
