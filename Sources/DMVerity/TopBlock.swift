public import ByteKit
internal import Hashing

extension VerityLayout {
  /// The root hash that an image's own bytes add up to: the hash of the top block of its tree, or of the only data
  /// block when there is no tree.
  ///
  /// It says which root hash the image *would* prove; nothing has vouched for it yet.
  ///
  /// - Parameters:
  ///   - data: the source of the data blocks.
  ///   - hashes: the source of the tree; the same one when the tree is appended.
  public func ownRootHash(
    data: borrowing some ByteSource & ~Copyable, hashes: borrowing some ByteSource & ~Copyable
  ) throws(VerityError) -> Digest {
    let top =
      geometry.levels.isEmpty
      ? try data.readBytes(at: 0, count: parameters.dataBlockSize)
      : try hashes.readBytes(at: treeOffset, count: parameters.hashBlockSize)
    do throws(HashingError) {
      var hasher = try BlockHasher(parameters.algorithm, salt: parameters.salt.rawSpan)
      return try hasher.hash(top.rawSpan)
    } catch {
      throw .hashing(error)
    }
  }
}
