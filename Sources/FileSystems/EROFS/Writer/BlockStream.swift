internal import Base

/// Hands out the blocks of a file system from its beginning to its end, and writes them a window at a time.
///
/// Whole blocks of contents go to the end. Inodes, with the ends of files behind them, share blocks: each goes into the
/// block of the window where it leaves the least room, and a new block is begun when there is none. So metadata lies
/// among the contents it is of, nothing is written twice, and the memory it takes is the window.
struct BlockStream: ~Copyable, Sendable {
  /// Bytes. The kernel takes blocks up to its page size (fs/erofs/super.c), and every machine has pages of 4096 bytes
  /// or more.
  static let blockSize = 4096
  /// Inodes begin at multiples of this (`EROFS_ISLOTBITS`, 5).
  static let slotSize = 32
  private static let windowSize = 1 << 20

  /// A block of the window with room for inodes.
  private struct Shared {
    /// Where its room begins, in bytes from the start of the window.
    var free: Int
    /// Where it ends.
    let end: Int
  }

  /// The blocks that are not written yet, from the block `first` on.
  private var window: [UInt8] = []
  private var first: UInt64
  private var shared: [Shared] = []
  private var isHolding = false

  /// - Parameter first: the number of the first block to hand out.
  init(from first: UInt64) { self.first = first }

  /// The number of the next block.
  var end: UInt64 { first + UInt64(window.count / Self.blockSize) }

  /// Nothing more is written before ``flush(to:)``, so that all that is placed from now on can be filled in later.
  mutating func hold() { isHolding = true }

  /// Puts contents into blocks of their own, the last one filled up with zeros.
  ///
  /// - Returns: the number of the first block; nil without contents.
  mutating func append(
    _ contents: borrowing RawSpan, to sink: inout some ByteSink & ~Copyable
  ) throws(ErofsWriterError) -> UInt32? {
    guard contents.byteCount > 0 else { return nil }
    let number = try next(byteCount: UInt64(contents.byteCount))
    var rest = 0
    if contents.byteCount >= Self.windowSize, !isHolding {
      try flush(to: &sink)
      rest = contents.byteCount / Self.blockSize * Self.blockSize
      try sink.put(contents.extracting(0..<rest), at: first * UInt64(Self.blockSize))
      first += UInt64(rest / Self.blockSize)
    }
    window.append(copying: contents.extracting(rest..<contents.byteCount))
    pad()
    try flushWhenFull(to: &sink)
    return number
  }

  /// Leaves out blocks for contents that come later.
  ///
  /// - Returns: the number of the first block; nil without contents.
  mutating func skip(
    byteCount: UInt64, to sink: inout some ByteSink & ~Copyable
  ) throws(ErofsWriterError) -> UInt32? {
    guard byteCount > 0 else { return nil }
    let number = try next(byteCount: byteCount)
    try flush(to: &sink)
    first += (byteCount - 1) / UInt64(Self.blockSize) + 1
    return number
  }

  /// Puts an inode and what follows it into a block they share with others.
  ///
  /// - Parameter record: at most a block.
  /// - Returns: where it begins, in bytes from the start of the image.
  mutating func place(
    _ record: [UInt8], to sink: inout some ByteSink & ~Copyable
  ) throws(ErofsWriterError) -> UInt64 {
    var best: Int?
    var least = Int.max
    for index in shared.indices {
      let room = shared[index].end - shared[index].free
      if record.count <= room, room < least { (best, least) = (index, room) }
    }
    let index: Int
    if let best {
      index = best
    } else {
      try flushWhenFull(to: &sink)
      _ = try next(byteCount: UInt64(Self.blockSize))
      shared.append(Shared(free: window.count, end: window.count + Self.blockSize))
      window += repeatElement(0, count: Self.blockSize)
      index = shared.count - 1
    }
    let start = shared[index].free
    window.replaceSubrange(start..<start + record.count, with: record)
    shared[index].free = (start + record.count + Self.slotSize - 1) / Self.slotSize * Self.slotSize
    if shared[index].free >= shared[index].end { shared.remove(at: index) }
    return first * UInt64(Self.blockSize) + UInt64(start)
  }

  /// Fills in what was placed since ``hold()``.
  ///
  /// - Parameter offset: bytes from the start of the image; nothing before the window is reached.
  mutating func fill(_ bytes: ArraySlice<UInt8>, at offset: UInt64) {
    let start = Int(offset - first * UInt64(Self.blockSize))
    window.replaceSubrange(start..<start + bytes.count, with: bytes)
  }

  /// Writes the window.
  mutating func flush(to sink: inout some ByteSink & ~Copyable) throws(ErofsWriterError) {
    if !window.isEmpty { try sink.put(window.rawSpan, at: first * UInt64(Self.blockSize)) }
    first = end
    window.removeAll(keepingCapacity: true)
    shared.removeAll(keepingCapacity: true)
  }

  private mutating func flushWhenFull(to sink: inout some ByteSink & ~Copyable) throws(ErofsWriterError) {
    if window.count >= Self.windowSize, !isHolding { try flush(to: &sink) }
  }

  private mutating func pad() {
    let last = window.count % Self.blockSize
    if last > 0 { window += repeatElement(0, count: Self.blockSize - last) }
  }

  /// The number of the next block, when there are numbers for so many bytes. The last one, of all ones, stands for a
  /// hole (`EROFS_NULL_ADDR`).
  private func next(byteCount: UInt64) throws(ErofsWriterError) -> UInt32 {
    let blocks = (byteCount - 1) / UInt64(Self.blockSize) + 1
    guard let number = UInt32(exactly: end), blocks < UInt64(UInt32.max) - end else { throw .tooLarge }
    return number
  }
}

extension ByteSink where Self: ~Copyable {
  mutating func put(_ bytes: borrowing RawSpan, at offset: UInt64) throws(ErofsWriterError) {
    do throws(ByteSinkError) { try write(bytes, at: offset) } catch { throw .sink(error) }
  }
}
