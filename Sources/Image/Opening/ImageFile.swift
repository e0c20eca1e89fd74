public import Base
public import FileSystems
public import Verity
public import ImageFormat
public import Linux

/// An image that is open: where its data and its tree are, whatever its layout.
///
/// Nobody has vouched for anything here yet. The layout says where to look; only a proof against a root hash says
/// what the bytes are worth.
public struct ImageFile: ~Copyable {
  /// Bytes of the image file or of a file beside it, and of nothing else.
  public typealias Source = SourceWindow<FileSource>

  /// The path it was opened by.
  public let path: String
  /// The file's own status when it was opened.
  public let status: FileStatus
  /// Bytes of the file or block device that the path leads to.
  public let byteCount: UInt64
  /// How its parts are spread.
  public let kind: ImageLayout
  /// Where data and tree lie in their sources.
  public let layout: VerityLayout
  /// The root hash that the image's own bytes add up to.
  public var ownRootHash: Digest { top.digest }
  private let top: TopBlock
  /// The signature of its root hash in the file beside it, when there is one; checked by nobody.
  public let fileSignature: EnclosedSignature?
  /// That in a disk image's own partition.
  public let partitionSignature: EnclosedSignature?
  /// What should be known of it and does not keep it from being used: a device's partition table without a sound second
  /// copy.
  public let note: Diagnostic?
  /// The file that superblock and tree are in, when it is another one.
  public let treePath: String?
  /// The partitions of a disk image.
  public let slot: DiscoverableImage?
  /// The file system.
  public let data: Source
  /// Superblock and tree; nil when they follow the data.
  let hashes: Source?

  init(
    path: String, status: FileStatus, byteCount: UInt64, kind: ImageLayout, layout: VerityLayout, top: TopBlock,
    fileSignature: EnclosedSignature?, partitionSignature: EnclosedSignature? = nil, note: Diagnostic? = nil,
    treePath: String? = nil, slot: DiscoverableImage? = nil, data: consuming Source, hashes: consuming Source?
  ) {
    self.path = path
    self.status = status
    self.byteCount = byteCount
    self.kind = kind
    self.layout = layout
    self.top = top
    self.fileSignature = fileSignature
    self.partitionSignature = partitionSignature
    self.note = note
    self.treePath = treePath
    self.slot = slot
    self.data = data
    self.hashes = hashes
  }

  /// The signature that counts: that in the file, which is how a disk that is built already is signed, else that in the
  /// partition. If the one that counts does not hold, there is no falling back to the other.
  public var signature: EnclosedSignature? { fileSignature ?? partitionSignature }

  /// The partition's signature, where another one in the file takes its place.
  public var replacedSignature: EnclosedSignature? {
    fileSignature == nil || fileSignature?.message == partitionSignature?.message ? nil : partitionSignature
  }

  /// The files beside it, by the use of its file system.
  public var sidecars: Sidecars { Sidecars(imagePath: path, use: slot?.types.use ?? .root) }

  /// Which file system that is read here the data claims to be; nil for none of them.
  public var fileSystemFormat: FileSystemFormat? { DiskLayout.fileSystemFormat(of: data) }

  public var holdsFileSystem: Bool { fileSystemFormat != nil }

  /// The first byte that is not zero behind the file system, within the data under the tree: an offset in the data.
  ///
  /// These bytes are proven like all others and are in no file, so that they are worth a word and nothing more.
  public borrowing func firstByteBehindFileSystem() -> UInt64? {
    guard var offset = try? DiskLayout.fileSystemSize(in: data), offset < layout.parameters.dataByteCount else {
      return nil
    }
    var buffer = [UInt8](repeating: 0, count: 256 << 10)
    while offset < layout.parameters.dataByteCount {
      let count = Int(min(UInt64(buffer.count), layout.parameters.dataByteCount - offset))
      if count < buffer.count { buffer.removeLast(buffer.count - count) }
      do throws(ByteSourceError) {
        var span = buffer.mutableSpan
        var view = unsafe span.mutableBytes
        try data.read(at: offset, into: &view)
      } catch {
        return nil
      }
      if let place = buffer.rawSpan.firstNonzeroOffset { return offset + UInt64(place) }
      offset += UInt64(count)
    }
    return nil
  }

  /// Checks every block; see `VerityLayout.verify`.
  public borrowing func verify(
    rootHash: Digest, threads: Int, progress: (_ done: UInt64, _ total: UInt64) -> Bool = { _, _ in true }
  ) throws(VerityError) -> VerificationReport {
    let threads = Processors.threads(threads)
    return switch hashes {
    case .some(let hashes):
      try layout.verify(data: data, hashes: hashes, rootHash: rootHash, threads: threads, progress: progress)
    case nil:
      try layout.verify(data: data, hashes: data, rootHash: rootHash, threads: threads, progress: progress)
    }
  }

  /// The data, each block proven against the root hash when it is asked for.
  public consuming func device(
    rootHash: Digest, memoryLimit: Int = VerifiedDevice<Source>.defaultMemoryLimit
  ) throws(VerityError) -> VerifiedDevice<Source> {
    let (layout, top) = (self.layout, self.top)
    switch consume hashes {
    case .some(let hashes):
      return try VerifiedDevice(
        data: data, hashes: hashes, layout: layout, rootHash: rootHash, top: top, memoryLimit: memoryLimit)
    case nil:
      return try VerifiedDevice(data, layout: layout, rootHash: rootHash, top: top, memoryLimit: memoryLimit)
    }
  }
}

/// A detached PKCS#7 signature of a root hash, as it came with an image.
public struct EnclosedSignature: Equatable, Sendable {
  /// The file or partition it was found in.
  public let place: String
  /// DER.
  public let message: [UInt8]

  public init(place: String, message: [UInt8]) {
    self.place = place
    self.message = message
  }
}
