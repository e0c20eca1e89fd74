internal import Base
internal import Verity

extension Ext4Image where Blocks: ~Copyable {
  public func contents(of inode: FileSystemInode, in range: Range<UInt64>) throws(FileSystemError) -> [UInt8] {
    do throws(FileSystemError) {
      let range = range.clamped(to: 0..<inode.size)
      guard !range.isEmpty else { return [] }
      let raw = try located(inode.nid).raw
      if let unread = unread(raw) { throw unread }
      if let stored = try inlineContents(of: inode, raw) {
        try requireSize(of: inode, .file, limits.fileBytes)
        let part = range.clamped(to: 0..<UInt64(stored.count))
        let zeros = range.count - part.count
        return Array(stored[Int(part.lowerBound)..<Int(part.upperBound)] + repeatElement(0, count: zeros))
      }
      return try blocks.bytes(
        of: try extents(of: inode, raw), in: range, byteCount: byteCount, format: .ext4)
    } catch {
      throw error.at(nid: inode.nid)
    }
  }

  private func extents(of inode: FileSystemInode, _ raw: Ext4Inode) throws(FileSystemError) -> FileExtents {
    switch inode.kind {
    case .directory: try extents(of: inode, raw, limit: .directory, limits.directoryBytes)
    case .symbolicLink: try extents(of: inode, raw, limit: .path, limits.pathBytes)
    case .regular, .characterDevice, .blockDevice, .fifo, .socket:
      try extents(of: inode, raw, limit: .file, limits.fileBytes)
    }
  }

  /// Contents that are in the inode: of a short link, or with the feature INLINE_DATA; nil when they are in blocks. A regular
  /// file may be larger, and is zeros from there on (fs/ext4/inline.c, ext4_readpage_inline).
  func inlineContents(of inode: FileSystemInode, _ raw: Ext4Inode) throws(FileSystemError) -> [UInt8]? {
    var contents: [UInt8]
    if raw.flags.contains(.inlineData) {
      guard superblock.incompatible.contains(.inlineData) else {
        throw refusal(.inode, at: inode.offset, expected: "no contents in an inode without INLINE_DATA", found: "some")
      }
      contents = raw.map
      if inode.size > UInt64(contents.count) { contents += try inlineAttribute(of: inode, raw) }
    } else if inode.kind == .symbolicLink, !raw.hasBlocks {
      contents = raw.map
    } else {
      return nil
    }
    if inode.kind == .regular, inode.size > UInt64(contents.count) { return contents }
    guard inode.size <= UInt64(contents.count) else {
      throw refusal(
        .inode, at: inode.offset, expected: "at most \(contents.count) bytes in an inode", found: "\(inode.size)")
    }
    contents.removeLast(contents.count - Int(inode.size))
    return contents
  }

  /// The extended attribute `system.data`, which holds what does not fit into the map of blocks (fs/ext4/xattr.h).
  func inlineAttribute(of inode: FileSystemInode, _ raw: Ext4Inode) throws(FileSystemError) -> [UInt8] {
    let bytes = raw.bytes.rawSpan
    let missing = refusal(
      .inode, at: inode.offset, expected: "an attribute `system.data` with the rest of the contents", found: "none")
    guard let start = raw.attributes, (try? bytes.u32(at: start)) == 0xea02_0000 else { throw missing }
    let first = start + 4
    var place = first
    // The list ends with four zero bytes; entries are 16 bytes and a name.
    while let word = try? bytes.u32(at: place), word != 0, let length = try? bytes.u8(at: place),
      let index = try? bytes.u8(at: place + 1)
    {
      if index == 7, length == 4, let name = try? bytes.slice(at: place + 16, count: 4), name.utf8Text == "data" {
        guard let offset = try? bytes.u16(at: place + 2), let outside = try? bytes.u32(at: place + 4), outside == 0,
          let size = try? bytes.u32(at: place + 8),
          let value = try? bytes.slice(at: first + Int(offset), count: Int(size)).copyBytes()
        else { throw missing }
        return value
      }
      place += 16 + (Int(length) + 3) & ~3
    }
    throw missing
  }

  public func storedPlace(of inode: FileSystemInode) throws(FileSystemError) -> Range<UInt64>? {
    do throws(FileSystemError) {
      let raw = try located(inode.nid).raw
      guard inode.kind == .regular, unread(raw) == nil, try inlineContents(of: inode, raw) == nil else { return nil }
      let largest = try extents(of: inode, raw).filter { $0.imageOffset != nil }.max { $0.count < $1.count }
      return largest.flatMap { extent in extent.imageOffset.map { $0..<$0 + extent.count } }
    } catch {
      throw error.at(nid: inode.nid)
    }
  }

  public func obstacle(to inode: FileSystemInode) throws(FileSystemError) -> FileSystemError? {
    unread(try located(inode.nid).raw)?.at(nid: inode.nid)
  }
}
