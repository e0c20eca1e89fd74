internal import Base

/// How the index of a compressed file's clusters is written.
enum ClusterIndexForm: Equatable, Sendable {
  /// Eight bytes for each logical cluster (`EROFS_INODE_COMPRESSED_FULL`; older names: legacy, non-compact).
  case full
  /// Packs of two in eight bytes, or sixteen in thirty-two (`EROFS_INODE_COMPRESSED_COMPACT`).
  case compact
}

/// The eight bytes before a compressed file's index (`struct z_erofs_map_header`, fs/erofs/erofs_fs.h).
struct ClusterHeader: Equatable, Sendable {
  /// `Z_EROFS_ADVISE_*`.
  struct Advice: OptionSet, Equatable, Sendable {
    let rawValue: UInt16

    /// A compact index has packs of sixteen where they fit.
    static let packsOfSixteen = Advice(rawValue: 0x01)
    /// A full index is a list of extents instead; the same bit. Came with 48-bit layouts, Linux 6.15.
    static let extents = Advice(rawValue: 0x01)
    /// Clusters of the first compression may have several blocks.
    static let bigClusters1 = Advice(rawValue: 0x02)
    /// Those of the second, and plain ones.
    static let bigClusters2 = Advice(rawValue: 0x04)
    /// The last cluster lies right behind the index (tail packing).
    static let inlineTail = Advice(rawValue: 0x08)
    /// Plain clusters have each byte at the place in its block that it has in the file.
    static let interlaced = Advice(rawValue: 0x10)
    /// The end of the file, or all of it, is in the packed inode.
    static let fragment = Advice(rawValue: 0x20)

    static let known: Advice = [
      .packsOfSixteen, .bigClusters1, .bigClusters2, .inlineTail, .interlaced, .fragment,
    ]
  }

  let advice: Advice
  /// Numbers of the compressions (`Z_EROFS_COMPRESSION_*`) of heads of the first and of the second kind.
  let compressions: (first: UInt8, second: UInt8)
  /// The logarithm of the bytes of a logical cluster.
  let clusterBits: UInt64
  /// Bytes of the last cluster where it is inline; 0 where it is not.
  let inlineByteCount: UInt64
  /// Where the file's fragment begins in the packed inode, in bytes; without its upper half when the index is full.
  let fragmentOffset: UInt64
  /// Whether nothing of the file is anywhere else; there is no index then.
  let isWholeFragment: Bool

  static func == (one: ClusterHeader, other: ClusterHeader) -> Bool {
    one.advice == other.advice && one.compressions == other.compressions && one.clusterBits == other.clusterBits
      && one.inlineByteCount == other.inlineByteCount && one.fragmentOffset == other.fragmentOffset
      && one.isWholeFragment == other.isWholeFragment
  }

  /// - Parameters:
  ///   - bytes: the eight bytes.
  ///   - offset: where they are, in bytes from the start of the image.
  init(
    _ bytes: borrowing RawSpan, at offset: UInt64, form: ClusterIndexForm, superblock: ErofsSuperblock
  ) throws(FileSystemError) {
    guard let whole = try? bytes.u64(at: 0) else {
      throw FileSystemError(.range, offset: offset, expected: "a header of 8 bytes", found: "\(bytes.byteCount) bytes")
    }
    if whole >> 63 == 1 {
      // The other 63 bits are the place in the packed inode.
      advice = .fragment
      compressions = (0, 0)
      clusterBits = UInt64(superblock.blockSize.trailingZeroBitCount)
      inlineByteCount = 0
      fragmentOffset = whole & (1 << 63 - 1)
      isWholeFragment = true
      return
    }
    let advice = Advice(rawValue: UInt16(truncatingIfNeeded: whole >> 32))
    let kinds = UInt8(truncatingIfNeeded: whole >> 48)
    let bits = UInt8(truncatingIfNeeded: whole >> 56)
    func refuse(_ check: FileSystemError.Check, _ expected: String, _ found: String) -> FileSystemError {
      FileSystemError(check, offset: offset, expected: expected, found: found)
    }
    guard Advice.known.isSuperset(of: advice) else {
      throw refuse(
        .feature, "advice within 0x3f for compressed files",
        ErofsSuperblock.hexadecimal(UInt32(advice.rawValue)))
    }
    if form == .full, advice.contains(.extents) {
      throw refuse(.feature, "an index of logical clusters", "a list of extents, as 48-bit layouts have")
    }
    guard bits & 0x70 == 0 else {
      throw refuse(
        .feature, "cluster bits below 16", ErofsSuperblock.hexadecimal(UInt32(bits)))
    }
    let big = advice.intersection([.bigClusters1, .bigClusters2])
    guard big.isEmpty || superblock.features.contains(.compressionSettings) else {
      throw refuse(.inode, "clusters of one block, without feature BIG_PCLUSTER", "larger ones")
    }
    guard form == .full || big.isEmpty || big == [.bigClusters1, .bigClusters2] else {
      throw refuse(.inode, "larger clusters of both kinds or of none in a compact index", "of one kind")
    }
    self.advice = advice
    compressions = (kinds & 15, kinds >> 4)
    clusterBits = UInt64(superblock.blockSize.trailingZeroBitCount) + UInt64(bits & 15)
    let low = UInt32(truncatingIfNeeded: whole)
    // A fragment's place and an inline tail's size share the first four bytes; the fragment counts.
    fragmentOffset = advice.contains(.fragment) ? UInt64(low) : 0
    inlineByteCount = advice.contains(.inlineTail) && !advice.contains(.fragment) ? UInt64(low >> 16) : 0
    isWholeFragment = false
  }
}
