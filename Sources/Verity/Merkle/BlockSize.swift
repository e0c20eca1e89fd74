/// The size of a block, of data or of a Merkle tree: a power of two.
public struct BlockSize: Hashable, Sendable {
  /// What is accepted for dm-verity, in bytes; cryptsetup's `verity_format` knows larger ones.
  public static let dmVerity = 512...65536
  /// What fs-verity has, in bytes: no smaller ones (`fsverity_init_merkle_tree_params` in fs/verity/open.c), and none
  /// that is larger than a page.
  public static let fsVerity = 1024...65536

  public let byteCount: Int

  /// - Parameter range: what is allowed, in bytes; nil for a size outside of it, or one that is no power of two.
  public init?(_ byteCount: Int, in range: ClosedRange<Int>) {
    guard range.contains(byteCount), byteCount.nonzeroBitCount == 1 else { return nil }
    self.byteCount = byteCount
  }

  /// How many blocks so many bytes fill; the last one may be filled in part.
  func blockCount(of byteCount: UInt64) -> UInt64 {
    byteCount == 0 ? 0 : (byteCount - 1) / UInt64(self.byteCount) + 1
  }

  /// The bytes, and zeros up to the end of the block in which they end.
  func filled(_ bytes: [UInt8]) -> [UInt8] {
    bytes + repeatElement(0, count: (byteCount - bytes.count % byteCount) % byteCount)
  }
}
