internal import Base

/// The private memory that proven blocks are kept in.
///
/// A block is read into memory nobody else can write, hashed there, and stays there, unmoved, until the store goes:
/// what is handed out later is the very memory that was hashed. This and ``VerifiedDevice`` are the only places that
/// hand out views of it.
@safe
final class ProvenMemory {
  /// Which block a piece of memory holds.
  enum Key: Hashable {
    /// A data block, by index.
    case data(UInt64)
    /// A hash block, by its number from the beginning of the tree.
    case node(UInt64)
  }

  private var blocks: [Key: UnsafeRawBufferPointer] = unsafe [:]
  /// What ``blocks`` lie in.
  private var allocations: [UnsafeMutableRawBufferPointer] = unsafe []
  /// Bytes.
  private(set) var used = 0
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  deinit {
    unsafe allocations.forEach { unsafe $0.deallocate() }
  }

  /// Frees all blocks. Called where the device that holds this store is changed, so that no view of a block is left: each
  /// is borrowed from the device.
  func forget() {
    unsafe blocks.removeAll(keepingCapacity: true)
    unsafe allocations.forEach { unsafe $0.deallocate() }
    unsafe allocations.removeAll(keepingCapacity: true)
    used = 0
  }

  func contains(_ key: Key) -> Bool { unsafe blocks[key] != nil }

  /// The block kept under `key`, for as long as the store lives.
  @_lifetime(borrow self)
  func view(_ key: Key) -> RawSpan? {
    guard let block = unsafe blocks[key] else { return nil }
    // Blocks are freed in `deinit` and `forget` only, and never written again once they are in the table.
    return unsafe _overrideLifetime(RawSpan(_unsafeBytes: block), borrowing: self)
  }

  /// A copy of some bytes of the block kept under `key`.
  func copy(_ key: Key, range: Range<Int>) -> [UInt8]? {
    guard let block = view(key), range.upperBound <= block.byteCount else { return nil }
    return block.extracting(range).copyBytes()
  }

  /// Fills new memory with `fill` and keeps it only when that does not throw.
  func admit(
    _ key: Key, byteCount: Int, fill: (inout MutableRawSpan) throws(VerityError) -> Void
  ) throws(VerityError) {
    let block = unsafe try allocate(byteCount, fill: fill)
    unsafe blocks[key] = block
  }

  /// The same for data blocks in a row, which are filled together.
  func admit(
    _ run: Range<UInt64>, blockSize: Int, fill: (inout MutableRawSpan) throws(VerityError) -> Void
  ) throws(VerityError) {
    let memory = unsafe try allocate(run.count * blockSize, fill: fill)
    for (position, index) in run.enumerated() {
      unsafe blocks[.data(index)] = UnsafeRawBufferPointer(
        rebasing: memory[position * blockSize..<(position + 1) * blockSize])
    }
  }

  private func allocate(
    _ byteCount: Int, fill: (inout MutableRawSpan) throws(VerityError) -> Void
  ) throws(VerityError) -> UnsafeRawBufferPointer {
    guard byteCount <= limit - used else { throw .memoryLimit(limit) }
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
    do throws(VerityError) {
      var span = unsafe MutableRawSpan(_unsafeBytes: block)
      try fill(&span)
    } catch {
      unsafe block.deallocate()
      throw error
    }
    used += byteCount
    unsafe allocations.append(block)
    return UnsafeRawBufferPointer(block)
  }
}
