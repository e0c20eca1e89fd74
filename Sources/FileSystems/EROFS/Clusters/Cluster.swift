internal import Base

/// A stretch of a compressed file that was stored as one.
struct Cluster: Equatable, Sendable {
  /// How the bytes are stored.
  enum Encoding: Equatable, Sendable {
    /// As they are, from the beginning of the first block.
    case shifted
    /// As they are, each at the place in its block that it has in the file: what comes first is at the end.
    case interlaced
    case compressed(BlockCompression)
  }

  enum Storage: Equatable, Sendable {
    /// In these bytes of the image. Of a part, more would come out than the file has of it here.
    case image(Range<UInt64>, Encoding, isPart: Bool)
    /// In the packed inode, from this byte of it.
    case packed(UInt64)
  }

  /// Bytes of the file.
  let range: Range<UInt64>
  let storage: Storage

  /// Bytes a cluster has in the image at most (`Z_EROFS_PCLUSTER_MAX_SIZE`, fs/erofs/erofs_fs.h).
  static let maximumStoredBytes: UInt64 = 1 << 20
  /// Bytes that come out of it at most (`Z_EROFS_PCLUSTER_MAX_DSIZE`). This and the stored bytes are the memory that reading a
  /// compressed file takes beside its contents.
  static let maximumBytes: UInt64 = 12 << 20
}

/// Finds the clusters of one file.
struct ClusterMap {
  private(set) var index: ClusterIndexReader
  private let available: Set<BlockCompression>
  /// The logical cluster in which the last cluster begins, and where that is stored when it is not in blocks of its own.
  private var tail: (head: UInt64, storage: Tail)?

  private enum Tail {
    case inline(UInt64)
    case packed(UInt64)
  }

  typealias Read = (_ offset: UInt64, _ count: UInt64) throws(FileSystemError) -> [UInt8]

  var header: ClusterHeader { index.header }

  init(
    _ index: ClusterIndexReader, available: Set<BlockCompression>, read: Read
  ) throws(FileSystemError) {
    self.index = index
    self.available = available
    guard index.size > 0, !header.isWholeFragment, header.advice.contains(.fragment) || header.inlineByteCount > 0
    else { return }
    let last = index.size - 1
    let next = try self.index.index(last >> header.clusterBits, read: read).next
    let (head, found) = try head(of: last, read: read)
    if header.advice.contains(.fragment) {
      // A full index has four bytes more for the place: those of the block, which there is none of.
      let upper = index.form == .full ? found.block << 32 : 0
      tail = (head, .packed(header.fragmentOffset | upper))
    } else {
      tail = (head, .inline(next))
    }
  }

  /// The logical cluster in which the cluster begins that has this byte of the file.
  private mutating func head(of offset: UInt64, read: Read) throws(FileSystemError) -> (UInt64, ClusterIndex) {
    var number = offset >> header.clusterBits
    var found = try index.index(number, read: read)
    var distance: UInt64 = 0
    if found.kind == .follower {
      distance = found.distance
    } else if offset & (1 << header.clusterBits - 1) < found.begin {
      distance = 1
    }
    // Each step leads to a smaller number, so that no chain of distances ends where it began. No cluster is larger than the
    // format allows, but for a fragment, which is none.
    let first = number
    let farthest = header.advice.contains(.fragment) ? first : Cluster.maximumBytes >> header.clusterBits + 2
    while found.kind == .follower || distance > 0 {
      guard distance > 0, distance <= number, first - number + distance <= farthest else {
        throw index.refusal(.inode, "a distance back to a head, at most \(min(number, farthest))", "\(distance)")
      }
      number -= distance
      found = try index.index(number, read: read)
      distance = found.kind == .follower ? found.distance : 0
    }
    return (number, found)
  }

  /// The cluster that has a byte of the file.
  mutating func cluster(at offset: UInt64, read: Read) throws(FileSystemError) -> Cluster {
    let bits = header.clusterBits
    let (number, head) = try head(of: offset, read: read)
    let begin = number << bits + head.begin
    // It ends where the next one begins.
    var end = index.size
    var next = number + 1
    while next < index.count {
      let found = try index.index(next, read: read)
      if found.kind != .follower {
        end = min(end, next << bits + found.begin)
        break
      }
      next += 1
      guard next << bits - begin <= Cluster.maximumBytes + 2 << bits else { break }
    }
    guard begin <= offset, offset < end else {
      throw index.refusal(.inode, "a cluster that has byte \(offset)", "bytes \(begin) to \(end)")
    }
    if let tail, tail.head == number {
      switch tail.storage {
      case .packed(let place): return Cluster(range: begin..<end, storage: .packed(place))
      case .inline(let place):
        guard place % index.blockSize + header.inlineByteCount <= index.blockSize else {
          throw index.refusal(
            .inode, "an inline cluster within one block", "\(header.inlineByteCount) bytes from byte \(place)")
        }
        return try stored(begin..<end, head, in: place..<place + header.inlineByteCount)
      }
    }
    let blocks = try blockCount(of: head, number, read: read)
    let place = head.block * index.blockSize
    return try stored(begin..<end, head, in: place..<place + blocks * index.blockSize)
  }

  /// Blocks of the cluster that begins in a logical cluster.
  private mutating func blockCount(
    of head: ClusterIndex, _ number: UInt64, read: Read
  ) throws(FileSystemError) -> UInt64 {
    let mayBeBig = header.advice.contains(head.kind == .head ? .bigClusters1 : .bigClusters2)
    guard mayBeBig, number + 1 < index.count else { return 1 }
    let next = try index.index(number + 1, read: read)
    guard next.kind == .follower else { return 1 }
    guard let blocks = next.blockCount, blocks > 0, blocks * index.blockSize <= Cluster.maximumStoredBytes else {
      throw index.refusal(
        .inode, "a number of blocks, together at most \(Cluster.maximumStoredBytes) bytes",
        next.blockCount.map { "\($0) blocks" } ?? "none")
    }
    return blocks
  }

  /// Checks what the index says of a cluster against the limits of the format.
  private func stored(
    _ range: Range<UInt64>, _ head: ClusterIndex, in place: Range<UInt64>
  ) throws(FileSystemError) -> Cluster {
    let (count, stored) = (UInt64(range.count), UInt64(place.count))
    guard count <= Cluster.maximumBytes else {
      throw index.refusal(.inode, "clusters of at most \(Cluster.maximumBytes) bytes", "\(count) bytes")
    }
    let encoding: Cluster.Encoding
    switch head.kind {
    case .plain, .follower:
      encoding = header.advice.contains(.interlaced) ? .interlaced : .shifted
      guard count <= stored else {
        throw index.refusal(.inode, "\(count) bytes stored as they are", "\(stored) bytes in the image")
      }
    case .head, .secondHead:
      encoding = .compressed(
        try compression(head.kind == .head ? header.compressions.first : header.compressions.second))
      // Stored bytes are no more than what they make, or the work would not be bounded by the size of the file.
      guard head.isPart || stored < count + index.blockSize else {
        throw index.refusal(.inode, "no more compressed bytes than the \(count) they make", "\(stored) bytes")
      }
    }
    return Cluster(range: range, storage: .image(place, encoding, isPart: head.isPart))
  }

  /// The compression of that number, which the superblock has to name.
  func compression(_ number: UInt8) throws(FileSystemError) -> BlockCompression {
    guard let compression = BlockCompression(erofs: number) else {
      throw index.refusal(.feature, "a compression of 0 to 3", "\(number)")
    }
    guard available.contains(compression) else {
      throw index.refusal(.inode, "a compression that the superblock names", compression.name)
    }
    return compression
  }
}

extension BlockCompression {
  /// - Parameter number: ``erofsNumber``.
  init?(erofs number: UInt8) {
    guard let known = Self.allCases.first(where: { $0.erofsNumber == number }) else { return nil }
    self = known
  }

  /// `Z_EROFS_COMPRESSION_*` (fs/erofs/erofs_fs.h); nil for those that EROFS does not have.
  var erofsNumber: UInt8? {
    switch self {
    case .lz4: 0
    case .lzma: 1
    case .deflate: 2
    case .zstd: 3
    case .zlib, .xz: nil
    }
  }
}
