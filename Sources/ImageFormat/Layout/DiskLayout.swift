public import Base
public import FileSystems
public import Verity

/// How the parts of an image are spread over files and partitions.
public enum ImageLayout: String, CaseIterable, Sendable {
  /// File system, superblock and tree one after the other in one file, as `veritysetup --hash-offset` has it.
  case appended
  /// The file system alone, and superblock and tree in `NAME.verity` beside it.
  case sidecar
  /// A discoverable disk image (UAPI.3): a partition table with a partition for each part.
  case ddi
}

/// Finds out how an image is laid out, from bytes that nobody has vouched for yet.
///
/// What is found here is only where to look. A hostile image can name any layout it likes; the proof against the
/// root hash decides, and the check that the file system lies wholly in the data under the tree.
public enum DiskLayout {
  /// The layout of an image whose tree is appended to its data.
  ///
  /// - Parameters:
  ///   - hashOffset: where the superblock is, in bytes; by default right after the file system, as large as its own
  ///     superblock says.
  ///   - fit: whether the source ends with the tree, as a file does.
  /// - Throws: ``LayoutError`` when there is no file system to go by, or the superblock or the image's size is wrong.
  public static func appended(
    in source: borrowing some ByteSource & ~Copyable, hashOffset: UInt64? = nil, fit: VerityLayout.Fit = .exact
  ) throws(LayoutError) -> VerityLayout {
    let offset: UInt64
    if let hashOffset {
      offset = hashOffset
    } else {
      offset = try treePlace(in: source)
      let devices = try otherDeviceCount(in: source)
      if devices > 0, !holdsSuperblock(source, at: offset) {
        throw .severalDevices(count: devices, superblockOffset: offset)
      }
    }
    do throws(VerityError) {
      return try VerityLayout.read(appendedTo: source, superblockOffset: offset, fit: fit)
    } catch {
      throw .verity(error)
    }
  }

  /// Whether a dm-verity superblock, sound or not, begins at a place of a source.
  public static func holdsSuperblock(_ source: borrowing some ByteSource & ~Copyable, at offset: UInt64) -> Bool {
    let signature = Superblock.signature
    var bytes = [UInt8](repeating: 0, count: signature.count)
    guard offset <= source.byteCount, source.byteCount - offset >= UInt64(bytes.count) else { return false }
    do throws(ByteSourceError) {
      var span = bytes.mutableSpan
      var view = unsafe span.mutableBytes
      try source.read(at: offset, into: &view)
    } catch {
      return false
    }
    return bytes == signature
  }

  /// The layout of an image whose tree is in a file of its own.
  ///
  /// - Parameter hashOffset: where in the hash file the superblock is, in bytes.
  public static func separate(
    data: borrowing some ByteSource & ~Copyable, hashes: borrowing some ByteSource & ~Copyable, hashOffset: UInt64 = 0
  ) throws(LayoutError) -> VerityLayout {
    do throws(VerityError) {
      return try VerityLayout.read(data: data, hashes: hashes, superblockOffset: hashOffset)
    } catch {
      throw .verity(error)
    }
  }

  /// The block that an image's own root hash is of; see `VerityLayout.topBlock`.
  public static func topBlock(
    _ layout: VerityLayout, data: borrowing some ByteSource & ~Copyable, hashes: borrowing some ByteSource & ~Copyable
  ) throws(LayoutError) -> TopBlock {
    do throws(VerityError) {
      return try layout.topBlock(data: data, hashes: hashes)
    } catch {
      throw .verity(error)
    }
  }

  /// Which file system that is read here the source claims to be, sound or not; nil for none of them.
  public static func fileSystemFormat(of source: borrowing some ByteSource & ~Copyable) -> FileSystemFormat? {
    guard let head = try? superblock(in: source) else { return nil }
    return FileSystemFormat(head: head.rawSpan)
  }

  /// The number of bytes that a file system says it has, of which its superblock says how many blocks or bytes there are.
  ///
  /// - Throws: ``LayoutError`` when there is none that is read here.
  public static func fileSystemSize(in source: borrowing some ByteSource & ~Copyable) throws(LayoutError) -> UInt64 {
    let bytes = try superblock(in: source)
    guard let format = FileSystemFormat(head: bytes.rawSpan) else { throw .noFileSystem(byteCount: source.byteCount) }
    let size: UInt64?
    switch format {
    case .erofs: return try erofsSize(bytes.rawSpan)
    // `bytes_used` of struct squashfs_super_block (fs/squashfs/squashfs_fs.h).
    case .squashfs: size = try? bytes.rawSpan.u64(at: 40)
    // Blocks, and how large one is (struct ext4_super_block, fs/ext4/ext4.h).
    case .ext4: size = ext4Size(bytes.rawSpan)
    }
    guard let size, size <= UInt64(Int.max) else { throw .noFileSystem(byteCount: source.byteCount) }
    return size
  }

  /// Where the superblock of a tree is that was put right behind a file system, in bytes: at its end, and where squashfs ends
  /// within a block, at the next one of 4 KiB, to which mksquashfs fills its images up.
  public static func treePlace(in source: borrowing some ByteSource & ~Copyable) throws(LayoutError) -> UInt64 {
    let size = try fileSystemSize(in: source)
    switch fileSystemFormat(of: source) {
    case .squashfs: return (size + 4095) / 4096 * 4096
    case .erofs, .ext4, nil: return size
    }
  }

  /// Offsets are those of `struct erofs_super_block` (fs/erofs/erofs_fs.h): the block size's binary logarithm at 12, the
  /// number of blocks at 36.
  private static func erofsSize(_ bytes: borrowing RawSpan) throws(LayoutError) -> UInt64 {
    guard let blockBits = try? bytes.u8(at: 1024 + 12), let blocks = try? bytes.u32(at: 1024 + 36) else {
      throw .noFileSystem(byteCount: UInt64(bytes.byteCount))
    }
    guard (9...16).contains(blockBits), blocks > 0 else {
      throw .fileSystemSize(blockBits: blockBits, blocks: blocks)
    }
    return UInt64(blocks) << UInt64(blockBits)  // at most 2^48
  }

  private static func ext4Size(_ bytes: borrowing RawSpan) -> UInt64? {
    guard let low = try? bytes.u32(at: 1024 + 4), let bits = try? bytes.u32(at: 1024 + 24), bits <= 6,
      let features = try? bytes.u32(at: 1024 + 96), let high = try? bytes.u32(at: 1024 + 0x150)
    else { return nil }
    // INCOMPAT_64BIT
    let blocks = UInt64(low) | (features & 0x80 != 0 ? UInt64(high) << 32 : 0)
    let (size, overflow) = blocks.multipliedReportingOverflow(by: 1024 << UInt64(bits))
    return overflow ? nil : size
  }

  /// How many devices the table of an EROFS file system names besides the one that it is on (`extra_devices`, at 86).
  private static func otherDeviceCount(
    in source: borrowing some ByteSource & ~Copyable
  ) throws(LayoutError) -> UInt16 {
    let bytes = try superblock(in: source)
    guard FileSystemFormat(head: bytes.rawSpan) == .erofs else { return 0 }
    return (try? bytes.rawSpan.u16(at: 1024 + 86)) ?? 0
  }

  /// The bytes where superblocks are: the first 2 KiB, or what there is of them.
  private static func superblock(
    in source: borrowing some ByteSource & ~Copyable
  ) throws(LayoutError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Int(min(2048, source.byteCount)))
    guard bytes.count >= 1024 + 128 else { throw .noFileSystem(byteCount: source.byteCount) }
    do throws(ByteSourceError) {
      var span = bytes.mutableSpan
      var view = unsafe span.mutableBytes
      try source.read(at: 0, into: &view)
    } catch {
      throw .verity(.source(error))
    }
    return bytes
  }
}
