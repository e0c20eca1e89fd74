/// A stretch of a file and where the image holds it.
public struct FileExtent: Equatable, Sendable {
  /// Bytes from the start of the file.
  public let fileOffset: UInt64
  /// Bytes from the start of the image; nil for a hole, which reads as zeros.
  public let imageOffset: UInt64?
  /// Bytes; at least one.
  public let count: UInt64

  /// The first byte of the file behind it.
  var end: UInt64 { fileOffset + count }

  /// What of it lies in a range of the file that overlaps it.
  fileprivate func clamped(to range: Range<UInt64>) -> FileExtent {
    let part = range.clamped(to: fileOffset..<end)
    return FileExtent(
      fileOffset: part.lowerBound, imageOffset: imageOffset.map { $0 + (part.lowerBound - fileOffset) },
      count: part.upperBound - part.lowerBound)
  }
}

/// Where the contents of a file are, from its first byte to its last: one extent behind the other, in file order.
///
/// Whatever goes through a file's contents goes through this: extents that the image holds one behind the other are one.
public struct FileExtents: Equatable, Sendable, RandomAccessCollection {
  private var extents: [FileExtent] = []

  /// Bytes of the file.
  public var byteCount: UInt64 { extents.last?.end ?? 0 }

  public var startIndex: Int { extents.startIndex }
  public var endIndex: Int { extents.endIndex }
  public subscript(index: Int) -> FileExtent { extents[index] }

  /// Adds the file's next bytes.
  ///
  /// - Parameters:
  ///   - count: how many; none add nothing.
  ///   - imageOffset: where the image holds them, or nil when it does not because they are zeros.
  mutating func append(_ count: UInt64, at imageOffset: UInt64?) {
    guard count > 0 else { return }
    if let last = extents.last, last.imageOffset.map({ $0 + last.count }) == imageOffset {
      extents[extents.count - 1] = FileExtent(
        fileOffset: last.fileOffset, imageOffset: last.imageOffset, count: last.count + count)
    } else {
      extents.append(FileExtent(fileOffset: byteCount, imageOffset: imageOffset, count: count))
    }
  }

  /// The extents of a range of the file, cut to it, in file order. What of the range is behind the file's end has none.
  public func within(_ range: Range<UInt64>) -> some Sequence<FileExtent> {
    // The first that ends in the range or behind it, by bisection: a large directory can have many.
    var (first, last) = (extents.startIndex, extents.endIndex)
    while first < last {
      let middle = first + (last - first) / 2
      if extents[middle].end <= range.lowerBound { first = middle + 1 } else { last = middle }
    }
    let end = range.isEmpty ? 0 : range.upperBound
    return extents[first...].lazy.prefix { $0.fileOffset < end }.map { $0.clamped(to: range) }
  }
}
