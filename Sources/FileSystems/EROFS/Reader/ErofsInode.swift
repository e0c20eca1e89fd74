internal import Base

/// Where the contents of an inode are.
enum ErofsLayout: Equatable, Sendable {
  /// A special file: no contents.
  case none
  /// Blocks in a row from `start`.
  case plain(start: UInt64)
  /// Blocks in a row from the block `start`, but the last one right after the inode, at byte `tail` of the image.
  case inline(start: UInt64, tail: UInt64)
  /// Chunks of `1 << bits` bytes; the table at byte `table` of the image has an entry of `entrySize` bytes for each.
  case chunked(bits: UInt64, table: UInt64, entrySize: UInt64)
  /// Compressed clusters, with an index of the given form; the header of the map is at byte `header` of the image.
  case compressed(ClusterIndexForm, header: UInt64)
  /// In a way that this reader does not know, although the format may have it.
  case unsupported(expected: String, found: String)
}

/// What the bytes of an inode say, before anything is checked against the device
/// (`struct erofs_inode_compact` and `erofs_inode_extended`, fs/erofs/erofs_fs.h).
struct RawInode {
  let format: UInt16
  let xattrCount: UInt16
  let mode: UInt16
  let size: UInt64
  /// First block, or chunk format.
  let union: UInt32
  let linkCount: UInt32
  let owner: UInt32
  let group: UInt32

  var isExtended: Bool { format & 1 != 0 }
  var layoutNumber: UInt16 { format >> 1 & 7 }
  /// Bytes of the inode itself.
  var inodeSize: UInt64 { isExtended ? 64 : 32 }
  /// Bytes of the extended attributes that follow it.
  var xattrSize: UInt64 { xattrCount == 0 ? 0 : 12 + 4 * (UInt64(xattrCount) - 1) }

  init(_ bytes: borrowing RawSpan) throws(ByteError) {
    format = try bytes.u16(at: 0)
    xattrCount = try bytes.u16(at: 2)
    mode = try bytes.u16(at: 4)
    union = try bytes.u32(at: 16)
    if format & 1 != 0 {
      size = try bytes.u64(at: 8)
      owner = try bytes.u32(at: 24)
      group = try bytes.u32(at: 28)
      linkCount = try bytes.u32(at: 44)
    } else {
      linkCount = UInt32(try bytes.u16(at: 6))
      size = UInt64(try bytes.u32(at: 8))
      owner = UInt32(try bytes.u16(at: 24))
      group = UInt32(try bytes.u16(at: 26))
    }
  }
}
