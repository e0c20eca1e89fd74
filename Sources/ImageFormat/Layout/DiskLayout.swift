internal import KernelABI
public import Base
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
  ///   - hashOffset: where the superblock is, in bytes; by default right after the EROFS file system, as large as its own
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
      offset = try fileSystemSize(in: source)
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

  /// Whether the source claims to be an EROFS file system, sound or not.
  public static func holdsFileSystem(_ source: borrowing some ByteSource & ~Copyable) -> Bool {
    do throws(LayoutError) {
      _ = try fileSystemSize(in: source)
      return true
    } catch {
      if case .fileSystemSize = error { return true }
      return false
    }
  }

  /// The number of bytes an EROFS file system says it has: its `blocks` times its block size.
  ///
  /// Offsets are those of `struct erofs_super_block` (fs/erofs/erofs_fs.h): the superblock is at byte 1024, its magic
  /// at 0, the block size's binary logarithm at 12, the number of blocks at 36.
  ///
  /// - Throws: ``LayoutError`` when there is none.
  public static func fileSystemSize(in source: borrowing some ByteSource & ~Copyable) throws(LayoutError) -> UInt64 {
    let bytes = try superblock(in: source)
    let superblock = bytes.rawSpan
    guard let magic = try? superblock.u32(at: 0), let blockBits = try? superblock.u8(at: 12),
      let blocks = try? superblock.u32(at: 36), UInt64(magic) == FileSystemMagic.erofs.rawValue
    else { throw .noFileSystem(byteCount: source.byteCount) }
    guard (9...16).contains(blockBits), blocks > 0 else {
      throw .fileSystemSize(blockBits: blockBits, blocks: blocks)
    }
    return UInt64(blocks) << UInt64(blockBits)  // at most 2^48
  }

  /// How many devices the table of an EROFS file system names besides the one that it is on (`extra_devices`, at 86).
  private static func otherDeviceCount(
    in source: borrowing some ByteSource & ~Copyable
  ) throws(LayoutError) -> UInt16 {
    let bytes = try superblock(in: source)
    return (try? bytes.rawSpan.u16(at: 86)) ?? 0
  }

  /// The bytes where an EROFS superblock would be.
  private static func superblock(
    in source: borrowing some ByteSource & ~Copyable
  ) throws(LayoutError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 128)
    guard source.byteCount >= 1024 + 128 else { throw .noFileSystem(byteCount: source.byteCount) }
    do throws(ByteSourceError) {
      var span = bytes.mutableSpan
      var view = unsafe span.mutableBytes
      try source.read(at: 1024, into: &view)
    } catch {
      throw .verity(.source(error))
    }
    return bytes
  }
}
