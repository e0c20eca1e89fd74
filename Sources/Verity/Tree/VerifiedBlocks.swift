/// A device of equal-sized data blocks, each of which is checked up to the root hash before it is handed out.
///
/// File system readers are generic over this protocol, so an unverified byte is not something they can be given.
public protocol VerifiedBlocks: ~Copyable {
  /// Bytes a data block has.
  var blockSize: Int { get }
  /// Number of data blocks under the root hash.
  var blockCount: UInt64 { get }

  /// The data block of that index, checked.
  @_lifetime(borrow self)
  func block(_ index: UInt64) throws(VerityError) -> VerifiedBytes

  /// Checks several blocks together, which takes less time than one after the other; asking for each of them gives what
  /// was checked here.
  func prove(_ blocks: Range<UInt64>) throws(VerityError)

  /// Gives back the memory of what was checked so far. No view of a block outlives this: it is borrowed from the device.
  mutating func forget()
}

extension VerifiedBlocks where Self: ~Copyable {
  /// Leaves the checking to when the blocks are asked for.
  public func prove(_ blocks: Range<UInt64>) throws(VerityError) {}

  /// Where nothing is kept there is nothing to forget.
  public mutating func forget() {}
}
