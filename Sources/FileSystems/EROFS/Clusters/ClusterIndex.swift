internal import Base

/// What the index says of one logical cluster of a file: a stretch of 2^n bytes, in which at most one new cluster begins.
struct ClusterIndex: Equatable, Sendable {
  /// `Z_EROFS_LCLUSTER_TYPE_*`.
  enum Kind: UInt8, Sendable {
    /// A cluster that is not compressed begins here.
    case plain = 0
    /// A cluster of the first compression begins here.
    case head
    /// Nothing begins here.
    case follower
    /// A cluster of the second compression begins here.
    case secondHead
  }

  let kind: Kind
  /// Where in the logical cluster the new one begins, in bytes.
  var begin: UInt64 = 0
  /// The first block of what begins here.
  var block: UInt64 = 0
  /// Whether what begins here is a part of what its block makes: another file has more of it, or this one elsewhere.
  var isPart = false
  /// Logical clusters back to the one where what goes on here began; only of followers.
  var distance: UInt64 = 0
  /// Blocks of the cluster that goes on here; the first follower says it where clusters may have several.
  var blockCount: UInt64?
  /// Where the index goes on behind the part that was read for this, in bytes from the start of the image.
  var next: UInt64
}

/// Reads the index of one file, a block of it at a time. Formats: fs/erofs/zmap.c.
struct ClusterIndexReader {
  /// In a follower's distance: it is the number of blocks of the cluster instead (`Z_EROFS_LI_D0_CBLKCNT`).
  private static let isBlockCount: UInt64 = 1 << 11
  /// In a full index: `Z_EROFS_LI_PARTIAL_REF`.
  private static let isPartial: UInt16 = 1 << 15

  let form: ClusterIndexForm
  let header: ClusterHeader
  /// Bytes of the file.
  let size: UInt64
  /// Where the header is, in bytes from the start of the image.
  let headerOffset: UInt64
  let blockSize: UInt64
  /// The block that was read last, and where it is.
  private var window: [UInt8] = []
  private var windowOffset: UInt64 = 0

  init(form: ClusterIndexForm, header: ClusterHeader, at offset: UInt64, size: UInt64, blockSize: Int) {
    self.form = form
    self.header = header
    self.size = size
    self.headerOffset = offset
    self.blockSize = UInt64(blockSize)
  }

  func refusal(_ check: FileSystemError.Check, _ expected: String, _ found: String) -> FileSystemError {
    FileSystemError(check, offset: headerOffset, expected: expected, found: found)
  }

  /// The number of logical clusters.
  var count: UInt64 { size == 0 ? 0 : (size - 1) >> header.clusterBits + 1 }

  /// What the index says of a logical cluster.
  ///
  /// - Parameter read: returns bytes of the image.
  mutating func index(
    _ number: UInt64, read: (_ offset: UInt64, _ count: UInt64) throws(FileSystemError) -> [UInt8]
  ) throws(FileSystemError) -> ClusterIndex {
    guard number < count else {
      throw refusal(.inode, "a logical cluster below \(count)", "\(number)")
    }
    let found =
      switch form {
      case .full: try full(number, read: read)
      case .compact: try compact(number, read: read)
      }
    if found.kind != .follower, found.begin >> header.clusterBits != 0 {
      throw refusal(
        .inode, "a cluster that begins before byte \(1 << header.clusterBits) of its logical cluster",
        "byte \(found.begin)")
    }
    return found
  }

  private mutating func full(
    _ number: UInt64, read: (UInt64, UInt64) throws(FileSystemError) -> [UInt8]
  ) throws(FileSystemError) -> ClusterIndex {
    // Eight bytes of header, eight of padding, eight for each.
    let offset = headerOffset + 16 + number * 8
    let bytes = try word(at: offset, read: read)
    let advice = UInt16(truncatingIfNeeded: bytes)
    guard advice & ~(Self.isPartial | 3) == 0 else {
      throw refusal(
        .feature, "advice within 0x8003 for a logical cluster", ErofsSuperblock.hexadecimal(UInt32(advice)))
    }
    guard let kind = ClusterIndex.Kind(rawValue: UInt8(advice & 3)) else {
      throw refusal(.inode, "a kind of logical cluster", "\(advice & 3)")
    }
    var found = ClusterIndex(kind: kind, next: offset + 8)
    switch kind {
    case .follower: try setDistance(&found, bytes >> 32 & 0xffff)
    case .plain, .head, .secondHead:
      found.begin = bytes >> 16 & 0xffff
      found.block = bytes >> 32
      found.isPart = advice & Self.isPartial != 0
    }
    return found
  }

  private func setDistance(_ found: inout ClusterIndex, _ value: UInt64) throws(FileSystemError) {
    guard value & Self.isBlockCount != 0 else {
      found.distance = value
      return
    }
    guard !header.advice.isDisjoint(with: [.bigClusters1, .bigClusters2]) else {
      throw refusal(.inode, "distances to heads only, as clusters have one block", "a number of blocks")
    }
    found.distance = 1
    found.blockCount = value & ~Self.isBlockCount
  }

  private mutating func compact(
    _ number: UInt64, read: (UInt64, UInt64) throws(FileSystemError) -> [UInt8]
  ) throws(FileSystemError) -> ClusterIndex {
    let pack = try pack(of: number, read: read)
    let own = pack.entry(pack.place)
    guard let kind = ClusterIndex.Kind(rawValue: own.kind) else {
      throw refusal(.inode, "a kind of logical cluster", "\(own.kind)")
    }
    var found = ClusterIndex(kind: kind, next: pack.end)
    guard kind == .follower else {
      found.begin = own.value
      found.block = pack.base + (try blocksBefore(in: pack))
      return found
    }
    if own.value & Self.isBlockCount == 0, pack.place + 1 == pack.count {
      // The last of a pack holds the distance to the next head instead; that to its own follows from the one before.
      let before = pack.entry(pack.place - 1)
      let isFollower = before.kind == ClusterIndex.Kind.follower.rawValue
      found.distance = !isFollower ? 1 : (before.value & Self.isBlockCount != 0 ? 1 : before.value) + 1
    } else {
      try setDistance(&found, own.value)
    }
    return found
  }

  /// Blocks from the pack's base to the head at its place (fs/erofs/zmap.c, z_erofs_load_compact_lcluster).
  private func blocksBefore(in pack: Pack) throws(FileSystemError) -> UInt64 {
    let follower = ClusterIndex.Kind.follower.rawValue
    let isBig = header.advice.contains(.bigClusters1)
    var blocks: UInt64 = isBig ? 0 : 1
    var place = pack.place
    while place > 0 {
      place -= 1
      let entry = pack.entry(place)
      switch (isBig, entry.kind == follower) {
      case (false, false): blocks += 1
      case (false, true):
        place -= Int(entry.value)
        if place >= 0 { blocks += 1 }
      case (true, false): blocks += 1
      case (true, true):
        if entry.value & Self.isBlockCount != 0 {
          place -= 1
          blocks += entry.value & ~Self.isBlockCount
        } else {
          guard entry.value > 1 else {
            throw refusal(.inode, "a distance of two or more, or a number of blocks", "\(entry.value)")
          }
          place -= Int(entry.value) - 2
        }
      }
    }
    return blocks
  }

  /// A pack of a compact index: entries of 14 or 16 bits, and the block that they count from.
  private struct Pack {
    let bytes: [UInt8]
    /// Where in the pack the entry is that was asked for.
    let place: Int
    let count: Int
    let bitsOfEntry: Int
    let bitsOfValue: Int
    /// Where the pack ends, in bytes from the start of the image.
    let end: UInt64

    func entry(_ place: Int) -> (value: UInt64, kind: UInt8) {
      let bit = place * bitsOfEntry
      let word = UInt64((try? bytes.rawSpan.u32(at: bit / 8)) ?? 0) >> UInt64(bit % 8)
      return (word & (1 << UInt64(bitsOfValue) - 1), UInt8(word >> UInt64(bitsOfValue) & 3))
    }

    var base: UInt64 { UInt64((try? bytes.rawSpan.u32(at: bytes.count - 4)) ?? 0) }
  }

  private mutating func pack(
    of number: UInt64, read: (UInt64, UInt64) throws(FileSystemError) -> [UInt8]
  ) throws(FileSystemError) -> Pack {
    guard header.clusterBits <= 14 else {
      throw refusal(.feature, "logical clusters of at most 16 KiB in a compact index", "2^\(header.clusterBits) bytes")
    }
    let start = headerOffset + 8
    let total = (size + blockSize - 1) / blockSize
    // Packs of two come first, until the place of the first pack of sixteen is a multiple of its size.
    let initial = (32 - start % 32) / 4 & 7
    let sixteens =
      header.advice.contains(.packsOfSixteen) && initial < total ? (total - initial) / 16 * 16 : 0
    var (offset, rest, isSixteen) = (start, number, false)
    if rest >= initial {
      offset += initial * 4
      rest -= initial
      isSixteen = rest < sixteens
      if !isSixteen {
        offset += sixteens * 2
        rest -= sixteens
      }
    }
    guard !isSixteen || header.clusterBits <= 12 else {
      throw refusal(.feature, "logical clusters of at most 4 KiB in packs of sixteen", "2^\(header.clusterBits) bytes")
    }
    offset += rest * (isSixteen ? 2 : 4)
    let byteCount: UInt64 = isSixteen ? 32 : 8
    let place = offset % byteCount / (isSixteen ? 2 : 4)
    let begin = offset - offset % byteCount
    return Pack(
      bytes: try bytes(at: begin, count: byteCount, read: read), place: Int(place), count: isSixteen ? 16 : 2,
      bitsOfEntry: isSixteen ? 14 : 16, bitsOfValue: Int(max(header.clusterBits, 12)), end: begin + byteCount)
  }

  private mutating func word(
    at offset: UInt64, read: (UInt64, UInt64) throws(FileSystemError) -> [UInt8]
  ) throws(FileSystemError) -> UInt64 {
    let bytes = try bytes(at: offset, count: 8, read: read)
    guard let word = try? bytes.rawSpan.u64(at: 0) else {
      throw refusal(.range, "an index of 8 bytes", "\(bytes.count) bytes")
    }
    return word
  }

  /// Bytes of the index. What is asked for lies in one block: it is aligned to its size.
  private mutating func bytes(
    at offset: UInt64, count: UInt64, read: (UInt64, UInt64) throws(FileSystemError) -> [UInt8]
  ) throws(FileSystemError) -> [UInt8] {
    let begin = offset - offset % blockSize
    if window.isEmpty || begin != windowOffset {
      window = try read(begin, blockSize)
      windowOffset = begin
    }
    let place = Int(offset - begin)
    guard place + Int(count) <= window.count else {
      throw refusal(.range, "\(count) bytes of an index", "the end of the image")
    }
    return Array(window[place..<place + Int(count)])
  }
}
