public import ByteKit
public import Manifest

/// What was built.
public struct BuildResult: Sendable {
  public let manifest: Manifest
  public let rootHash: Digest
  public let salt: [UInt8]
  /// Bytes of the file system; it is ``BuildResult/manifest``'s number of blocks of 4096 bytes.
  public let dataBytes: UInt64
  /// Bytes of superblock and tree.
  public let treeBytes: UInt64
  /// The signature of the root hash, when there is one.
  public let signature: RootHashSignature?
  /// Files beside the image that an earlier build had left, and that are gone now.
  public let removed: [String]
  /// A signature beside the image that this build did not make: the root hash is the one it is of.
  public let keptSignature: String?
  /// What was found in the directory and left out, in the order it was found.
  public let skipped: [SkippedFile]
  /// What mkfs.erofs calls its version.
  public let mkfsVersion: String
}

/// A file of the source directory that is not in the image.
public struct SkippedFile: Equatable, Sendable {
  /// Relative to the source directory.
  public let path: String
  /// Why, in a few words.
  public let reason: String
}

/// How far a build has come.
public enum BuildStep: Sendable {
  /// Objects are read, checked and copied.
  case packing(done: Int, total: Int)
  /// mkfs.erofs is at work.
  case makingFileSystem
  /// The hash tree is made; bytes of data.
  case hashing(done: UInt64, total: UInt64)
  /// The finished image is proven before it gets its name.
  case proving
}
