public import ByteKit
internal import Hashing

extension VerityLayout {
  /// The root hash that an image's own bytes add up to: the hash of the top block of its tree, or of the only data
  /// block when there is no tree.
  ///
  /// It says which root hash the image *would* prove; nothing has vouched for it yet.
  ///
  /// - Parameter source: data, superblock and tree, as this layout describes them.
  public func ownRootHash(of source: borrowing some ByteSource & ~Copyable) throws(VerityError) -> Digest {
    let top =
      geometry.levels.isEmpty
      ? try source.readBytes(at: 0, count: parameters.dataBlockSize)
      : try source.readBytes(at: treeOffset, count: parameters.hashBlockSize)
    do throws(HashingError) {
      var hasher = try BlockHasher(parameters.algorithm, salt: parameters.salt.rawSpan)
      return try hasher.hash(top.rawSpan)
    } catch {
      throw .hashing(error)
    }
  }
}
