public import Base

/// The block that the root hash is of: the top of the tree, or the only data block when there is no tree.
///
/// Opening an image reads and hashes it to learn which root hash the image *would* prove. When that is the root
/// hash that was to be proven, the block need not be read and hashed again, so the bytes are kept with their digest.
public struct TopBlock: Sendable {
  /// The root hash that the image's own bytes add up to; nothing has vouched for it yet.
  public let digest: Digest
  let layout: VerityLayout
  let bytes: [UInt8]

  /// Whether the proof of an image of this layout against this root hash begins with this very block.
  func begins(_ layout: VerityLayout, _ rootHash: Digest) -> Bool { digest == rootHash && self.layout == layout }
}

extension VerityLayout {
  /// Reads and hashes the top block.
  ///
  /// - Parameters:
  ///   - data: the source of the data blocks.
  ///   - hashes: the source of the tree; the same one when the tree is appended.
  public func topBlock(
    data: borrowing some ByteSource & ~Copyable, hashes: borrowing some ByteSource & ~Copyable
  ) throws(VerityError) -> TopBlock {
    let bytes =
      geometry.levels.isEmpty
      ? try data.readBytes(at: 0, count: parameters.dataBlockSize)
      : try hashes.readBytes(at: treeOffset, count: parameters.hashBlockSize)
    var hasher = try tree.makeHasher()
    return TopBlock(digest: try hasher.digest(of: bytes.rawSpan), layout: self, bytes: bytes)
  }
}
