internal import CLinuxShim

/// A stretch of a file, and where its file system has it on the device (FS_IOC_FIEMAP, Documentation/filesystems/fiemap.rst).
public struct FileExtent: Equatable, Sendable {
  /// Where it begins in the file, in bytes.
  public let fileOffset: UInt64
  /// Where it begins on the device, in bytes.
  public let deviceOffset: UInt64
  /// Bytes.
  public let byteCount: UInt64
  /// Whether the device holds there what the file shows, in whole blocks. It does not where the file system sets any flag
  /// about the place or the contents: encoded, encrypted, inline, in the tail of a block, not written yet.
  public let isPlain: Bool

  public init(fileOffset: UInt64, deviceOffset: UInt64, byteCount: UInt64, isPlain: Bool) {
    self.fileOffset = fileOffset
    self.deviceOffset = deviceOffset
    self.byteCount = byteCount
    self.isPlain = isPlain
  }
}

extension OwnedFD {
  /// FS_IOC_FIEMAP: the file's extents in the order of the file; what lies between them is a hole.
  ///
  /// - Parameter limit: extents that are asked for at most; a file that has more has an answer that is cut short.
  /// - Throws: EOPNOTSUPP on file systems that do not say.
  public borrowing func extents(limit: Int) throws(SystemError) -> [FileExtent] {
    var extents: [FileExtent] = []
    var raw = [vb_extent](repeating: vb_extent(), count: 64)
    var start: UInt64 = 0
    while extents.count < limit {
      let count = withRaw { fd in
        unsafe raw.withUnsafeMutableBufferPointer { buffer in
          unsafe vb_extents(fd, start, buffer.baseAddress, UInt32(buffer.count))
        }
      }
      guard count >= 0 else { throw .current("ioctl FS_IOC_FIEMAP") }
      for extent in raw.prefix(Int(count)) {
        let others = extent.flags & ~UInt32(VB_FIEMAP_EXTENT_LAST)
        extents.append(
          FileExtent(
            fileOffset: extent.logical, deviceOffset: extent.physical, byteCount: extent.length, isPlain: others == 0))
        if extent.flags & UInt32(VB_FIEMAP_EXTENT_LAST) != 0 { return extents }
      }
      // The next question begins where this answer ends; one that does not move on would never end.
      guard let last = extents.last, count > 0 else { return extents }
      let (end, overflow) = last.fileOffset.addingReportingOverflow(last.byteCount)
      guard !overflow, end > start, end < UInt64(Int64.max) else { return extents }
      start = end
    }
    return extents
  }
}
