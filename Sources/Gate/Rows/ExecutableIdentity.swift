public import Base

/// Which file a process runs, in words that the kernel can check: the root hash of the dm-verity volume and the inode
/// in it.
///
/// A path names whatever is mounted there, and a copy has the same bytes; an inode of EROFS is content of the image, so
/// that root hash and inode name one file and nothing else. File systems that number their inodes when they are
/// mounted, or show those of several devices as one (btrfs, overlayfs), have no such identities.
public struct ExecutableIdentity: Hashable, Sendable {
  public let rootHash: Digest
  /// As the kernel has it in `i_ino`; of EROFS the place of the inode in its volume.
  public let inode: UInt64

  public init(rootHash: Digest, inode: UInt64) {
    self.rootHash = rootHash
    self.inode = inode
  }
}

/// A file of an image that was named as an executable.
public struct Executable: Hashable, Sendable {
  public let identity: ExecutableIdentity
  /// The image as the caller named it, for messages.
  public let image: String
  /// From the image's root, with a slash in front.
  public let path: String
  /// SHA-256 of its contents, which were verified under the root hash.
  public let digest: Digest

  public init(identity: ExecutableIdentity, image: String, path: String, digest: Digest) {
    self.identity = identity
    self.image = image
    self.path = path
    self.digest = digest
  }
}
