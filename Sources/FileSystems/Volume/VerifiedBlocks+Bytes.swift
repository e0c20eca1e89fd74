internal import Base
internal import Verity

extension VerifiedBlocks where Self: ~Copyable {
  /// A private copy of verified bytes.
  ///
  /// - Parameters:
  ///   - byteCount: bytes of the file system: nothing behind them is read.
  ///   - offset: bytes from the start of the device.
  ///   - format: whose reader asks, for the refusal.
  func bytes(
    byteCount: UInt64, at offset: UInt64, count: Int, format: FileSystemFormat
  ) throws(FileSystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    try append(to: &bytes, byteCount: byteCount, at: offset, count: count, format: format)
    return bytes
  }

  /// Appends a copy of the verified bytes that start at `offset`.
  func append(
    to bytes: inout [UInt8], byteCount: UInt64, at offset: UInt64, count: Int, format: FileSystemFormat
  ) throws(FileSystemError) {
    guard count >= 0, offset <= byteCount, UInt64(count) <= byteCount - offset else {
      throw FileSystemError(
        .range, offset: offset, expected: "\(count) bytes before the end of the image at \(byteCount)",
        found: "a place beyond it", format: format)
    }
    // Memory asked for exactly is copied at the next piece: a file of many pieces would be copied once for each.
    if bytes.isEmpty { bytes.reserveCapacity(count) }
    let blockSize = UInt64(self.blockSize)
    var position = offset
    let end = offset + UInt64(count)
    // What does not verify is met again below, where it can be named.
    if UInt64(count) > blockSize { try? prove(offset / blockSize..<(end - 1) / blockSize + 1) }
    while position < end {
      let index = position / blockSize
      let start = position % blockSize
      let length = min(blockSize - start, end - position)
      do throws(VerityError) {
        let verified = try block(index)
        bytes.append(copying: verified.bytes.extracting(Int(start)..<Int(start + length)))
      } catch {
        throw FileSystemError(
          .block, offset: index * blockSize, expected: "block \(index) as the root hash promises it", found: "\(error)",
          blockFailure: error, format: format)
      }
      position += length
    }
  }

  /// A private copy of a part of a file whose extents are known, as far as the file has it.
  func bytes(
    of extents: FileExtents, in range: Range<UInt64>, byteCount: UInt64, format: FileSystemFormat
  ) throws(FileSystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    // No larger than a file may be, which is below 2^63.
    bytes.reserveCapacity(Int(clamping: range.clamped(to: 0..<extents.byteCount).count))
    for extent in extents.within(range) {
      if let offset = extent.imageOffset {
        try append(to: &bytes, byteCount: byteCount, at: offset, count: Int(extent.count), format: format)
      } else {
        bytes.append(contentsOf: repeatElement(0, count: Int(extent.count)))
      }
    }
    return bytes
  }

  /// The beginning of the device, in which every format has its superblock: 2 KiB, or as much as there is.
  func head(format: FileSystemFormat) throws(FileSystemError) -> [UInt8] {
    let byteCount = try deviceByteCount(format: format)
    return try bytes(byteCount: byteCount, at: 0, count: Int(min(2048, byteCount)), format: format)
  }

  /// Bytes of the whole device.
  func deviceByteCount(format: FileSystemFormat) throws(FileSystemError) -> UInt64 {
    let (count, overflow) = blockCount.multipliedReportingOverflow(by: UInt64(clamping: blockSize))
    guard blockSize > 0, !overflow, count <= UInt64(Int.max) else {
      throw FileSystemError(
        .deviceSize, expected: "a device of less than 2^63 bytes", found: "\(blockCount) blocks of \(blockSize) bytes",
        format: format)
    }
    return count
  }
}
