internal import Base
internal import Linux
internal import Verity

/// What came of verifying a file's blocks where only the file system in the kernel says which they are.
enum PlacedBlocks: Equatable {
  /// So many data blocks were verified up to the root hash, and hold what the mount shows.
  case verified(UInt64)
  /// They were verified, and hold something else.
  case different
  /// They could not be found: why.
  case unplaced(String)

  /// Extents of a file that are looked at; one in more pieces is taken by the kernel's word alone.
  static let extentLimit = 1 << 16

  /// Holds what a mount shows of a file against the blocks that its extents name.
  ///
  /// - Parameters:
  ///   - contents: the whole file.
  ///   - extents: as the file system gives them, in the order of the file. What lies between them reads as zeros.
  static func compare<Blocks: VerifiedBlocks & ~Copyable>(
    _ contents: [UInt8], _ extents: [FileExtent], in blocks: borrowing Blocks
  ) throws(VerityError) -> PlacedBlocks {
    guard extents.count < extentLimit else { return .unplaced("it is in more than \(extentLimit) pieces") }
    let blockSize = UInt64(blocks.blockSize)
    let deviceEnd = blocks.blockCount * blockSize
    let size = UInt64(contents.count)
    var (position, verified): (UInt64, UInt64) = (0, 0)
    for extent in extents where extent.fileOffset < size {
      guard extent.isPlain else { return .unplaced("its contents are not in whole blocks of their own") }
      let (end, isFar) = extent.deviceOffset.addingReportingOverflow(extent.byteCount)
      guard !isFar, end <= deviceEnd, extent.fileOffset >= position else {
        return .unplaced("the file system names blocks that cannot be its own")
      }
      guard contents[Int(position)..<Int(extent.fileOffset)].allSatisfy({ $0 == 0 }) else { return .different }
      position = extent.fileOffset
      var place = extent.deviceOffset
      var rest = min(extent.byteCount, size - position)
      while rest > 0 {
        let within = place % blockSize
        let count = min(rest, blockSize - within)
        let block = try blocks.block(place / blockSize)
        let shown = contents.rawSpan.extracting(Int(position)..<Int(position + count))
        let held = block.bytes.extracting(Int(within)..<Int(within + count))
        guard shown.hasSameBytes(as: held) else { return .different }
        verified += 1
        (position, place, rest) = (position + count, place + count, rest - count)
      }
    }
    guard contents[Int(position)...].allSatisfy({ $0 == 0 }) else { return .different }
    return .verified(verified)
  }
}
