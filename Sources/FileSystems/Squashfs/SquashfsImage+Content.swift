internal import Base
internal import Verity

extension SquashfsImage where Blocks: ~Copyable {
  /// The bit of a size that says that a block is stored as it is (`SQUASHFS_COMPRESSED_BIT_BLOCK`).
  private static var storedBit: UInt32 { 1 << 24 }

  public func contents(of inode: FileSystemInode, in range: Range<UInt64>) throws(FileSystemError) -> [UInt8] {
    do throws(FileSystemError) {
      let range = range.clamped(to: 0..<inode.size)
      guard !range.isEmpty else { return [] }
      switch try located(inode.nid).layout {
      case .none: return []
      case .directory: throw wrongKind(inode, expected: .regular)
      case .link(let place):
        try requireSize(of: inode, .path, limits.pathBytes)
        var place = place
        let target = try read(Int(inode.size), at: &place, in: superblock.inodeTable..<superblock.directoryTable)
        return Array(target[Int(range.lowerBound)..<Int(range.upperBound)])
      case .file(let file):
        try requireSize(of: inode, .file, limits.fileBytes)
        return try contents(of: file, size: inode.size, in: range)
      }
    } catch {
      throw error.at(nid: inode.nid)
    }
  }

  private func requireSize(
    of inode: FileSystemInode, _ limit: FileSystemLimits.Limit, _ byteCount: Int
  ) throws(FileSystemError) {
    guard inode.size <= UInt64(byteCount) else {
      throw refusal(.limit, at: inode.offset, expected: limits.allowed(limit), found: "\(inode.size) bytes")
    }
  }

  private func contents(
    of file: SquashfsLayout.File, size: UInt64, in range: Range<UInt64>
  ) throws(FileSystemError) -> [UInt8] {
    let blockSize = UInt64(superblock.blockSize)
    var contents: [UInt8] = []
    contents.reserveCapacity(range.count)
    try eachBlock(of: file, size: size) { block throws(FileSystemError) in
      let part = range.clamped(to: block.range)
      if !part.isEmpty {
        let inside = Int(part.lowerBound - block.range.lowerBound)..<Int(part.upperBound - block.range.lowerBound)
        if block.stored.isEmpty {
          contents.append(contentsOf: repeatElement(0, count: inside.count))
        } else {
          contents += try bytes(of: block, count: block.range.count)[inside]
        }
      }
      return block.range.upperBound < range.upperBound
    }
    if let fragment = file.fragment, range.upperBound > file.blockCount * blockSize {
      let start = file.blockCount * blockSize
      let bytes = try fragmentBytes(fragment.index)
      let offset = UInt64(fragment.offset)
      guard offset <= UInt64(bytes.count), size - start <= UInt64(bytes.count) - offset else {
        throw refusal(
          .range, expected: "\(size - start) bytes from byte \(offset) of fragment \(fragment.index)",
          found: "\(bytes.count) bytes in it")
      }
      let part = range.clamped(to: start..<size)
      contents += bytes[Int(part.lowerBound - start + offset)..<Int(part.upperBound - start + offset)]
    }
    return contents
  }

  /// A block of a file, or a fragment.
  private struct StoredBlock {
    /// Which bytes of the file it is.
    let range: Range<UInt64>
    /// Where it is in the image; empty for zeros that are not stored.
    let stored: Range<UInt64>
    let isCompressed: Bool
  }

  /// Goes through the blocks of a file.
  ///
  /// - Parameter visit: returns whether the next one is wanted.
  private func eachBlock(
    of file: SquashfsLayout.File, size: UInt64, _ visit: (StoredBlock) throws(FileSystemError) -> Bool
  ) throws(FileSystemError) {
    /// Sizes that are read together.
    let pieceCount: UInt64 = 1024
    var (place, start) = (file.sizes, file.start)
    var index: UInt64 = 0
    while index < file.blockCount {
      let count = min(pieceCount, file.blockCount - index)
      let sizes = try read(4 * Int(count), at: &place, in: superblock.inodeTable..<superblock.directoryTable)
      for number in 0..<Int(count) {
        guard let word = try? sizes.rawSpan.u32(at: 4 * number) else { return }
        // The size of a file was bounded before, so no product overflows.
        let first = index * UInt64(superblock.blockSize)
        let range = first..<min(first + UInt64(superblock.blockSize), size)
        let stored = try storedRange(word, at: start)
        let block = StoredBlock(range: range, stored: stored, isCompressed: word & Self.storedBit == 0)
        if !(try visit(block)) { return }
        start = stored.upperBound
        index += 1
      }
    }
  }

  /// Where a stored block is, by the word that says its size.
  private func storedRange(_ word: UInt32, at start: UInt64) throws(FileSystemError) -> Range<UInt64> {
    let size = UInt64(word & (Self.storedBit - 1))
    guard word >> 25 == 0, size <= UInt64(superblock.blockSize), size > 0 || word == 0 else {
      throw refusal(
        .inode, expected: "a stored block of at most \(superblock.blockSize) bytes", found: "size \(word)")
    }
    guard
      size == 0
        || (start >= UInt64(SquashfsSuperblock.size) && start <= superblock.inodeTable
          && size <= superblock.inodeTable - start)
    else {
      throw refusal(
        .range, expected: "contents between the superblock and the inodes at byte \(superblock.inodeTable)",
        found: "\(size) bytes from byte \(start)")
    }
    return start..<start + size
  }

  /// What a block makes, which has to be exactly its part of the file.
  private func bytes(of block: StoredBlock, count: Int) throws(FileSystemError) -> [UInt8] {
    let bytes = try bytes(of: block)
    guard bytes.count == count else {
      throw refusal(
        .cluster, at: block.stored.lowerBound, expected: "a block of \(count) bytes", found: "\(bytes.count) bytes")
    }
    return bytes
  }

  private func bytes(of block: StoredBlock) throws(FileSystemError) -> [UInt8] {
    let place = block.stored.lowerBound
    if block.isCompressed, let known = cache.block(at: place) { return known }
    let stored = try bytes(at: place, count: block.stored.count)
    guard block.isCompressed else { return stored }
    let made = try decompressed(stored, at: place, limit: superblock.blockSize)
    cache.keep(made, at: place)
    return made
  }

  /// Where a fragment is in the image (`struct squashfs_fragment_entry`).
  private func fragment(_ index: UInt32) throws(FileSystemError) -> StoredBlock {
    guard let table = superblock.fragmentTable, index < superblock.fragmentCount else {
      throw refusal(.range, expected: "a fragment below \(superblock.fragmentCount)", found: "\(index)")
    }
    let entry = try entry(UInt64(index), size: 16, list: table)
    guard let start = try? entry.rawSpan.u64(at: 0), let word = try? entry.rawSpan.u32(at: 8),
      word & (Self.storedBit - 1) != 0
    else { throw refusal(.inode, expected: "a fragment with a size", found: "none, of fragment \(index)") }
    return StoredBlock(
      range: 0..<0, stored: try storedRange(word, at: start), isCompressed: word & Self.storedBit == 0)
  }

  private func fragmentBytes(_ index: UInt32) throws(FileSystemError) -> [UInt8] {
    try bytes(of: try fragment(index))
  }

  public func storedPlace(of inode: FileSystemInode) throws(FileSystemError) -> Range<UInt64>? {
    do throws(FileSystemError) {
      guard case .file(let file) = try located(inode.nid).layout else { return nil }
      try requireSize(of: inode, .file, limits.fileBytes)
      var largest: Range<UInt64>?
      try eachBlock(of: file, size: inode.size) { block throws(FileSystemError) in
        if block.stored.count > largest?.count ?? 0 { largest = block.stored }
        return true
      }
      if largest == nil, let index = file.fragment?.index { largest = try fragment(index).stored }
      return largest
    } catch {
      throw error.at(nid: inode.nid)
    }
  }

  public func obstacle(to inode: FileSystemInode) throws(FileSystemError) -> FileSystemError? {
    guard case .file = try located(inode.nid).layout, inode.size > 0 else { return nil }
    if let known = cache.obstacle { return known?.at(nid: inode.nid) }
    var obstacle: FileSystemError?
    // No library makes anything of one zero; one that is missing says so first.
    do throws(BlockDecompressionError) {
      let nothing: [UInt8] = [0]
      _ = try decompressor.decompress(whole: nothing.rawSpan, superblock.compression, limit: 1)
    } catch {
      if case .unavailable = error { obstacle = refusal(error, at: 0, limit: 1) }
    }
    cache.obstacle = .some(obstacle)
    return obstacle?.at(nid: inode.nid)
  }
}
