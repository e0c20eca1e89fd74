internal import Base
internal import Verity

/// What was decompressed last. Neighbouring files, fragments in the packed inode and parts of one file lie in one cluster.
///
/// For one thread at a time, as the device below.
final class ClusterCache {
  fileprivate var place: Range<UInt64> = 0..<0
  fileprivate var count = 0
  fileprivate var bytes: [UInt8] = []
}

extension ErofsImage where Blocks: ~Copyable {
  /// Bytes that may be read from the image for a file, whatever its size. With the multiple below it bounds the work for
  /// files whose clusters are parts of larger ones.
  private static var freeStoredBytes: UInt64 { 64 << 20 }
  private static var storedBytesPerByte: UInt64 { 16 }

  /// A part of a compressed file, as far as it has it.
  func decompressed(_ inode: FileSystemInode, in range: Range<UInt64>) throws(FileSystemError) -> [UInt8] {
    do throws(FileSystemError) {
      return try decompressed(inode, in: range, isPacked: false)
    } catch {
      throw error.at(nid: inode.nid)
    }
  }

  /// Where a cluster of a compressed file is in the image, the one with the most bytes; nil when the packed inode has all.
  func largestCluster(of inode: FileSystemInode) throws(FileSystemError) -> Range<UInt64>? {
    var (map, position) = (try clusterMap(of: inode), UInt64(0))
    var largest: Range<UInt64>?
    while !map.header.isWholeFragment, position < inode.size {
      let cluster = try map.cluster(at: position) { offset, count throws(FileSystemError) in
        try readIndex(at: offset, count: count)
      }
      position = cluster.range.upperBound
      guard case .image(let place, _, _) = cluster.storage, place.count > largest?.count ?? 0 else { continue }
      guard place.upperBound <= byteCount else {
        throw FileSystemError(
          .range, nid: inode.nid, expected: "contents before byte \(byteCount)",
          found: "a cluster up to byte \(place.upperBound)")
      }
      largest = place
    }
    return largest
  }

  /// Refuses a compressed file whose form this build does not read, or whose compression this host has no library for.
  func checkReadable(
    _ inode: FileSystemInode, form: ClusterIndexForm, header: UInt64
  ) throws(FileSystemError) {
    let map = try clusterMap(of: inode)
    // A packed inode has no fragments itself, so this goes no further.
    if map.header.advice.contains(.fragment), inode.nid != superblock.packedNid,
      let obstacle = try obstacle(to: try located(superblock.packedNid).inode)
    {
      throw obstacle
    }
    guard !map.header.isWholeFragment else { return }
    for compression in [map.header.compressions.first, map.header.compressions.second] {
      guard let compression = BlockCompression(erofs: compression) else {
        _ = try map.compression(compression)
        continue
      }
      guard superblock.compressions.contains(compression) else { continue }
      // No library makes one byte of nothing; one that is missing says so first.
      do throws(BlockDecompressionError) {
        let nothing: [UInt8] = [0]
        _ = try decompressor.decompress(nothing.rawSpan, compression, count: 1, isPart: true)
      } catch {
        if case .unavailable = error { throw refusal(error, in: 0..<0) }
      }
    }
  }

  /// Bytes of an index, as far as the image has them.
  private func readIndex(at offset: UInt64, count: UInt64) throws(FileSystemError) -> [UInt8] {
    try bytes(at: offset, count: Int(min(count, byteCount - min(offset, byteCount))))
  }

  private func clusterMap(of inode: FileSystemInode) throws(FileSystemError) -> ClusterMap {
    guard case .compressed(let form, let offset) = try located(inode.nid).layout else {
      throw FileSystemError(.inode, nid: inode.nid, expected: "a compressed file", found: "another layout")
    }
    let words = try bytes(at: offset, count: 8)
    let header = try ClusterHeader(words.rawSpan, at: offset, form: form, superblock: superblock)
    let index = ClusterIndexReader(
      form: form, header: header, at: offset, size: inode.size, blockSize: superblock.blockSize)
    return try ClusterMap(index, available: superblock.compressions) { offset, count throws(FileSystemError) in
      try readIndex(at: offset, count: count)
    }
  }

  private func decompressed(
    _ inode: FileSystemInode, in range: Range<UInt64>, isPacked: Bool
  ) throws(FileSystemError) -> [UInt8] {
    let range = range.clamped(to: 0..<inode.size)
    guard !range.isEmpty else { return [] }
    var map = try clusterMap(of: inode)
    if isPacked, map.header.advice.contains(.fragment) {
      throw map.index.refusal(.inode, "a packed inode that is whole", "one with fragments in a packed inode")
    }
    if map.header.isWholeFragment { return try fragment(map.header.fragmentOffset, range) }
    var output: [UInt8] = []
    output.reserveCapacity(range.count)
    var allowance = Self.freeStoredBytes + Self.storedBytesPerByte * UInt64(range.count)
    var position = range.lowerBound
    while position < range.upperBound {
      let cluster = try map.cluster(at: position) { offset, count throws(FileSystemError) in
        try readIndex(at: offset, count: count)
      }
      let part = position..<min(cluster.range.upperBound, range.upperBound)
      let inside = part.lowerBound - cluster.range.lowerBound..<part.upperBound - cluster.range.lowerBound
      switch cluster.storage {
      case .packed(let offset): output += try fragment(offset, inside)
      case .image(let place, let encoding, let isPart):
        guard UInt64(place.count) <= allowance else {
          throw FileSystemError(
            .limit, nid: inode.nid,
            expected: "at most \(Self.storedBytesPerByte) compressed bytes for a byte of a file",
            found: "more, in clusters of which it has parts")
        }
        allowance -= UInt64(place.count)
        let bytes = try bytes(of: cluster, in: place, encoding, isPart: isPart)
        output += bytes[Int(inside.lowerBound)..<Int(inside.upperBound)]
      }
      position = part.upperBound
    }
    return output
  }

  /// Bytes of the packed inode, where files have their ends.
  private func fragment(_ offset: UInt64, _ range: Range<UInt64>) throws(FileSystemError) -> [UInt8] {
    guard superblock.features.contains(.fragments) else {
      throw FileSystemError(.inode, expected: "no fragments without feature FRAGMENTS", found: "a file with one")
    }
    let (packed, layout) = try located(superblock.packedNid)
    let (begin, isOver) = offset.addingReportingOverflow(range.lowerBound)
    guard packed.kind == .regular, !isOver, begin <= packed.size, UInt64(range.count) <= packed.size - begin else {
      throw FileSystemError(
        .range, expected: "a fragment within the packed inode \(packed.nid), a regular file of \(packed.size) bytes",
        found: "\(range.count) bytes from byte \(offset)")
    }
    let wanted = begin..<begin + UInt64(range.count)
    switch layout {
    case .compressed: return try decompressed(packed, in: wanted, isPacked: true)
    case .none, .plain, .inline, .chunked, .unsupported:
      // Its size is no one file's: no more of it is read than what was asked for.
      guard let extents = try extents(of: packed, isBounded: false) else { return [] }
      return try bytes(of: extents, in: wanted)
    }
  }

  /// What a cluster of the image makes.
  private func bytes(
    of cluster: Cluster, in place: Range<UInt64>, _ encoding: Cluster.Encoding, isPart: Bool
  ) throws(FileSystemError) -> [UInt8] {
    let count = cluster.range.count
    if place == cache.place, count == cache.count { return cache.bytes }
    let stored = try bytes(at: place.lowerBound, count: place.count)
    let bytes: [UInt8]
    switch encoding {
    case .shifted: bytes = Array(stored.prefix(count))
    case .interlaced:
      // What lies before the first boundary of a block in the file lies at the end (fs/erofs/decompressor.c,
      // z_erofs_transform_plain).
      let first = superblock.blockSize - Int(cluster.range.lowerBound % UInt64(superblock.blockSize))
      guard first <= stored.count else {
        throw FileSystemError(
          .cluster, offset: place.lowerBound, expected: "at least \(first) bytes stored as they are",
          found: "\(stored.count)")
      }
      bytes = Array((stored.suffix(first) + stored.prefix(stored.count - first)).prefix(count))
    case .compressed(let compression):
      let padding = try paddingCount(stored, compression, at: place)
      do throws(BlockDecompressionError) {
        // Without padding, LZ4 may have compressed more than the index names (the format before Linux 5.3).
        let isPart = isPart || (compression == .lz4 && !superblock.features.contains(.zeroPadding))
        bytes = try decompressor.decompress(
          stored.rawSpan.extracting(padding..<stored.count), compression, count: count, isPart: isPart)
      } catch {
        throw refusal(error, in: place)
      }
    }
    (cache.place, cache.count, cache.bytes) = (place, count, bytes)
    return bytes
  }

  /// Zeros before the compressed bytes, which end with the cluster; they are in its first block.
  private func paddingCount(
    _ stored: [UInt8], _ compression: BlockCompression, at place: Range<UInt64>
  ) throws(FileSystemError) -> Int {
    guard compression != .lz4 || superblock.features.contains(.zeroPadding) else { return 0 }
    let inBlock = superblock.blockSize - Int(place.lowerBound % UInt64(superblock.blockSize))
    guard let padding = stored.prefix(inBlock).firstIndex(where: { $0 != 0 }) else {
      throw FileSystemError(
        .cluster, offset: place.lowerBound, expected: "compressed bytes that begin in the first block", found: "zeros")
    }
    return padding
  }

  private func refusal(_ error: BlockDecompressionError, in place: Range<UInt64>) -> FileSystemError {
    switch error {
    case .unavailable(let compression, let reason):
      FileSystemError(
        .missingLibrary, expected: "\(compression.soname), which undoes \(compression.name)", found: reason,
        compression: compression)
    case .damaged(let compression):
      FileSystemError(
        .cluster, offset: place.lowerBound, expected: "\(compression.name) that makes what the index promises",
        found: "other bytes")
    }
  }
}
