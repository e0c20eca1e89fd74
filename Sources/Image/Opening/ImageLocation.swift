/// Where the parts of an image are that the caller names, because they do not lie where they are looked for.
public struct ImageLocation: Sendable, Hashable {
  /// The file that holds superblock and tree; nil where the image does, or a file beside it.
  public var verityData: String?
  /// Where the superblock is, in bytes, in the file that holds it.
  public var hashOffset: UInt64?
  /// The file with the root hash's signature, in the place of the one beside the image or in it.
  public var rootHashSignature: String?

  public init(verityData: String? = nil, hashOffset: UInt64? = nil, rootHashSignature: String? = nil) {
    self.verityData = verityData
    self.hashOffset = hashOffset
    self.rootHashSignature = rootHashSignature
  }
}
