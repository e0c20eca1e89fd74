public import Base

/// What was found out about an object's origin before it was refused: for the record of the refusal. Nothing of it was
/// proven.
public struct ReachedOrigin: Equatable, Sendable {
  /// The descriptor, once it was known to be a file of an image.
  public internal(set) var descriptor: DescriptorFacts?
  /// The loop device under the mount.
  public internal(set) var loop: LoopFacts?
  /// The dm-verity device under the mount as the kernel describes it.
  public internal(set) var volume: VolumeFacts?
  /// The root hash at the top of the image's tree, or of the kernel's table.
  public internal(set) var rootHash: Digest?

  init() {}
}
