internal import KernelABI
internal import Base

/// An inode as it lies in the image: `struct erofs_inode_compact`, or `erofs_inode_extended` where its fields are too
/// narrow (fs/erofs/erofs_fs.h). The owner is root, every time is 0, and there are no extended attributes.
struct InodeRecord {
  let kind: FileSystemInode.Kind
  /// Bytes of content.
  let size: UInt64
  /// Number of names.
  let linkCount: UInt32
  /// Counts from 1; `stat` shows it where inode numbers have 32 bits.
  let number: UInt32
  /// Whether a regular file may be executed.
  var isExecutable = false

  /// Unless the fields are too narrow for it, 32 bytes; else 64.
  var byteCount: Int { isExtended ? 64 : 32 }
  private var isExtended: Bool { size > UInt64(UInt32.max) || linkCount > UInt32(UInt16.max) }

  /// All users may read it, and none may write. Directories can also be entered.
  private var mode: UInt16 {
    if kind == .directory { return FileType.directory.rawValue | 0o555 }
    return FileType.regular.rawValue | (isExecutable ? 0o555 : 0o444)
  }

  /// Bytes of content that lie right behind the inode: those that fill no block, when they fit into the block of the
  /// inode (EROFS_INODE_FLAT_INLINE). The kernel does not read inline contents across the end of a block
  /// (fs/erofs/data.c).
  ///
  /// - Parameter room: bytes that are left in the block, from where the inode begins.
  func tailSize(room: Int = BlockStream.blockSize) -> Int {
    let tail = Int(size % UInt64(BlockStream.blockSize))
    return byteCount + tail <= room ? tail : 0
  }

  /// The bytes of the inode.
  ///
  /// - Parameters:
  ///   - start: the first of the blocks that hold the contents; nil when there are none.
  ///   - isInline: whether the end of the contents follows the inode.
  func bytes(start: UInt32?, isInline: Bool) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(BlockStream.blockSize)
    // Bit 0: extended; bits 1 to 3: 0 for EROFS_INODE_FLAT_PLAIN, 2 for EROFS_INODE_FLAT_INLINE.
    bytes.appendLittleEndian(UInt16(isExtended ? 1 : 0) | (isInline ? 4 : 0))
    bytes.appendLittleEndian(0 as UInt16)  // no extended attributes
    bytes.appendLittleEndian(mode)
    if isExtended {
      bytes.appendLittleEndian(0 as UInt16)
      bytes.appendLittleEndian(size)
    } else {
      bytes.appendLittleEndian(UInt16(truncatingIfNeeded: linkCount))  // it fits: else the inode is extended
      bytes.appendLittleEndian(UInt32(truncatingIfNeeded: size))
      bytes.appendLittleEndian(0 as UInt32)
    }
    bytes.appendLittleEndian(start ?? .max)
    bytes.appendLittleEndian(number)
    if isExtended {
      bytes.appendLittleEndian(0 as UInt64)  // owner and group
      bytes.appendLittleEndian(0 as UInt64)  // seconds
      bytes.appendLittleEndian(0 as UInt32)  // nanoseconds
      bytes.appendLittleEndian(linkCount)
    }
    bytes += repeatElement(0, count: byteCount - bytes.count)
    return bytes
  }
}
