public import BPFAnalysis
public import Base
public import ImageFormat

/// What was built.
public struct BuildResult: Sendable {
  /// The objects, by path in bytewise order.
  public let objects: [Manifest.File]
  /// The other files, by path in bytewise order.
  public let files: [Manifest.File]
  /// Programs of all objects.
  public let programCount: Int
  /// Maps of all objects.
  public let mapCount: Int
  public let rootHash: Digest
  public let salt: [UInt8]
  /// Blocks of 4096 bytes of the file system.
  public let dataBlocks: UInt64
  /// Bytes of the file system.
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
  /// What is packed as a file like any other, although it begins like an ELF file, and why it is no object.
  public let unreadable: [SkippedFile]
  /// Objects that were left out because they cannot be loaded, by path in bytewise order.
  public let unusable: [UnusableObject]
  /// What objects have that this build does not know, and that is left to the kernel, by path in bytewise order.
  public let unknown: [UnknownPart]
  /// What is to be known about objects, in the order of their paths.
  public let notes: [PackedNote]
}

/// An object that cannot be loaded.
public struct UnusableObject: Sendable {
  /// Relative to the source directory.
  public let path: String
  public let reason: Diagnostic
}

/// A part of an object that this build does not know.
public struct UnknownPart: Equatable, Sendable {
  /// In the image.
  public let path: String
  public let part: ObjectDescription.UnknownPart
}

/// Something to be known about an object that was packed.
public struct PackedNote: Equatable, Sendable {
  /// In the image.
  public let path: String
  public let note: ObjectNote
}

/// A file of the source directory that is not in the image, or not as an object.
public struct SkippedFile: Equatable, Sendable {
  /// Relative to the source directory.
  public let path: String
  /// Why, in a few words.
  public let reason: String
}

/// How far a build has come.
public enum BuildStep: Sendable {
  /// Files are read, checked and written into the file system.
  case packing(done: Int, total: Int)
  /// The hash tree is made; bytes of data.
  case hashing(done: UInt64, total: UInt64)
  /// The finished image is proven before it gets its name.
  case proving
}
