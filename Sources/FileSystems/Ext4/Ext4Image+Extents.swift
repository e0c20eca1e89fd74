internal import Base
internal import Verity

extension Ext4Image where Blocks: ~Copyable {
  /// Where the contents of an inode are that are not in the inode itself.
  ///
  /// - Parameter limit: bytes that it may have.
  func extents(
    of inode: FileSystemInode, _ raw: Ext4Inode, limit: FileSystemLimits.Limit, _ byteCount: Int
  ) throws(FileSystemError) -> FileExtents {
    try requireSize(of: inode, limit, byteCount)
    if let known = cache.extents, known.nid == inode.nid { return known.extents }
    var map = BlockMap(size: inode.size, blockSize: UInt64(superblock.blockSize))
    if raw.flags.contains(.extents) {
      // A tree is five levels deep at most (`EXT4_MAX_EXTENT_DEPTH`).
      let depth = try? raw.map.rawSpan.u16(at: 6)
      guard let depth, depth <= 5 else {
        throw refusal(.inode, at: inode.offset, expected: "a tree of at most 5 levels", found: "\(depth ?? 0)")
      }
      try appendTree(raw.map, depth: depth, from: 0, to: &map, inode, raw)
    } else {
      try appendBlocks(raw.map, to: &map)
    }
    let extents = map.finished
    cache.extents = (inode.nid, extents)
    return extents
  }

  func requireSize(
    of inode: FileSystemInode, _ limit: FileSystemLimits.Limit, _ byteCount: Int
  ) throws(FileSystemError) {
    guard inode.size <= UInt64(byteCount) else {
      throw refusal(.limit, at: inode.offset, expected: limits.allowed(limit), found: "\(inode.size) bytes")
    }
  }

  /// Adds what a node of a tree of extents leads to (fs/ext4/extents.c, __ext4_ext_check). Every node's extents lie behind
  /// those before it, so there are no more of them than the file has blocks, and no node is there twice.
  ///
  /// - Parameters:
  ///   - depth: levels below the node.
  ///   - first: the block of the file that the node's parent says it begins with.
  private func appendTree(
    _ node: [UInt8], depth: UInt16, from first: UInt64, to map: inout BlockMap, _ inode: FileSystemInode,
    _ raw: Ext4Inode
  ) throws(FileSystemError) {
    let span = node.rawSpan
    guard let magic = try? span.u16(at: 0), let count = try? span.u16(at: 2), let capacity = try? span.u16(at: 4),
      let level = try? span.u16(at: 6), magic == 0xf30a, level == depth, count <= capacity,
      12 + 12 * Int(capacity) <= node.count, count > 0 || (node.count == raw.map.count && depth == 0)
    else {
      throw refusal(.inode, at: inode.offset, expected: "a node of extents of level \(depth)", found: "another one")
    }
    var previous: UInt64?
    for index in 0..<Int(count) {
      let place = 12 + 12 * index
      guard let start = (try? span.u32(at: place)).map({ UInt64($0) }), let middle = try? span.u16(at: place + 4),
        let half = try? span.u16(at: place + 6), let low = try? span.u32(at: place + 8)
      else { return }
      // An extent of no blocks would let nodes be there as often as one likes.
      guard start >= max(first, map.position), previous.map({ start > $0 }) ?? (first == 0 || start == first),
        depth > 0 || middle > 0
      else {
        throw refusal(
          .inode, at: inode.offset, expected: "extents one behind the other, from block \(max(first, map.position)) on",
          found: "one at block \(start)")
      }
      previous = start
      if map.isFull(at: start) { return }
      if depth > 0 {
        // Of an index the upper bits come behind the lower ones, which lie where an extent has its length and upper bits.
        let number = UInt64(middle) | UInt64(half) << 16 | UInt64(low & 0xffff) << 32
        let child = try block(number)
        try checkTree(child, at: number, inode, raw)
        try appendTree(child, depth: depth - 1, from: start, to: &map, inode, raw)
      } else {
        // More than 32,768 blocks say that nothing was written there yet.
        let isUnwritten = middle > 0x8000
        let blocks = UInt64(isUnwritten ? middle - 0x8000 : middle)
        let target = UInt64(low) | UInt64(half) << 32
        try require(target, count: blocks)
        map.skip(to: start)
        map.append(blocks, at: isUnwritten ? nil : target)
      }
    }
  }

  /// Checks the checksum behind the entries of a node (`struct ext4_extent_tail`).
  private func checkTree(
    _ node: [UInt8], at number: UInt64, _ inode: FileSystemInode, _ raw: Ext4Inode
  ) throws(FileSystemError) {
    guard let seed = superblock.checksumSeed, let capacity = try? node.rawSpan.u16(at: 4) else { return }
    let end = min(12 + 12 * Int(capacity), node.count)
    let computed = CRC32C.checksum(Array(node[..<end]), from: raw.checksumSeed(inode.nid, seed))
    try requireChecksum(
      computed, try? node.rawSpan.u32(at: end), of: "extents", at: number * UInt64(superblock.blockSize))
  }

  /// Adds what a map of blocks leads to: twelve blocks, then a block of blocks, one of those, and one of those
  /// (fs/ext4/indirect.c). A block that is not there is a hole; no more of them are looked at than the file has.
  private func appendBlocks(_ root: [UInt8], to map: inout BlockMap) throws(FileSystemError) {
    for index in 0..<15 where !map.isFull {
      let number = UInt64((try? root.rawSpan.u32(at: 4 * index)) ?? 0)
      try appendBlock(number, levels: max(0, index - 11), to: &map)
    }
    if !map.isFull { throw refusal(.inode, expected: "a file that its map of blocks covers", found: "a larger one") }
  }

  private func appendBlock(_ number: UInt64, levels: Int, to map: inout BlockMap) throws(FileSystemError) {
    if number == 0 {
      var blocks: UInt64 = 1
      for _ in 0..<levels { blocks *= UInt64(superblock.blockSize / 4) }
      return map.append(blocks, at: nil)
    }
    if levels == 0 {
      try require(number, count: 1)
      return map.append(1, at: number)
    }
    let pointers = try block(number)
    for index in 0..<superblock.blockSize / 4 where !map.isFull {
      let next = UInt64((try? pointers.rawSpan.u32(at: 4 * index)) ?? 0)
      try appendBlock(next, levels: levels - 1, to: &map)
    }
  }
}

/// The extents of a file while they are gathered, in blocks.
private struct BlockMap {
  private let size: UInt64
  private let blockSize: UInt64
  private var extents = FileExtents()
  /// Blocks so far.
  private(set) var position: UInt64 = 0

  init(size: UInt64, blockSize: UInt64) {
    self.size = size
    self.blockSize = blockSize
  }

  /// Whether the file ends before that block. No file is longer than 2^63 bytes, and no block number has more than 48 bits.
  func isFull(at block: UInt64) -> Bool { block >= (size + blockSize - 1) / blockSize }

  var isFull: Bool { isFull(at: position) }

  /// Adds the file's next blocks, as far as it has them.
  ///
  /// - Parameter block: where they are; nil for zeros.
  mutating func append(_ blocks: UInt64, at block: UInt64?) {
    let start = extents.byteCount
    extents.append(min(blocks * blockSize, size - min(size, start)), at: block.map { $0 * blockSize })
    position += blocks
  }

  /// Adds zeros up to that block.
  mutating func skip(to block: UInt64) {
    if block > position { append(block - position, at: nil) }
  }

  /// With zeros up to the file's end.
  var finished: FileExtents {
    var all = extents
    all.append(size - all.byteCount, at: nil)
    return all
  }
}
