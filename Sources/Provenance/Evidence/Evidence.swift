public import Base
public import Linux
public import ImageFormat
public import Trust

/// What was found out about the origin of an object's bytes. Absent facts are nil, never assumed.
public struct Evidence: Equatable, Sendable {
  /// The descriptor the object was given by, when it was given by one.
  public var descriptor: DescriptorFacts?
  /// The layer that an overlay has the file from, when the descriptor is on one.
  public var layer: LayerFacts?
  /// The loop device under the mount, when there is one.
  public var loop: LoopFacts?
  /// The dm-verity device under the mount as the kernel describes it, when there is one.
  public var volume: VolumeFacts?
  /// The image that holds the object.
  public var image: ImageFacts?
  /// Our own Merkle proof of the object's bytes.
  public var verity: VerityProof?
  /// What the mount of a dm-verity device shows, when there could be no proof of our own and the caller takes the
  /// kernel's word alone. Never together with ``verity``.
  public var unproven: UnprovenFacts?
  /// The signature of the root hash that came with the image, checked here; nil when there is none. What the
  /// kernel made of it when a dm-verity device was set up is in ``volume``.
  public var rootHashSignature: RootHashVerdict?
  /// The object inside the image.
  public var object: ObjectFacts?
  /// The object as an ordinary file, when it is on no image.
  public var file: FileFacts?
  /// What fs-verity says of that file, and our own proof of it.
  public var fileVerity: FileVerityFacts?
  /// What the kernel's IPE says of executing it; nil where it was not asked.
  public var execution: ExecutionFacts?
  /// Whether the kernel handed the object over because it was executed.
  public internal(set) var isExecuted = false
  /// The object's explicit signature; nil when nobody looked for one.
  public var signature: SignatureFacts?
  /// Whether a signer is revoked on this machine. A signature counts then only where it is known whose it is.
  public var revokesSigners = false

  /// No fact at all: nothing vouches for the bytes.
  public init() {}
}

extension Evidence {
  /// Whether the signature that the kernel took with the volume may be one by a signer who was revoked: one is, and nobody
  /// is known to have signed this root hash. (What a revoked signer is known to have signed has no evidence at all.)
  public var mayBeARevokedSigners: Bool {
    revokesSigners && volume?.isSigned == true && rootHashSignature?.signer == nil
  }
}

/// An open file as the kernel describes it (statx(2), statfs(2)).
public struct DescriptorFacts: Equatable, Sendable {
  /// The number the user gave.
  public let number: Int32
  /// The file system's device.
  public let device: DeviceNumber
  /// The inode number; on EROFS the inode's position (nid).
  public let inode: UInt64
  /// Bytes.
  public let size: UInt64
  /// Unique since boot where the kernel gives such ids.
  public let mountID: UInt64
  /// The file system's name.
  public let fileSystem: String
}

/// The layer of an overlay that a file comes from. What is said of loop device, volume and image is said of the layer's.
public struct LayerFacts: Equatable, Sendable {
  /// The layer's directory as the mount's options name it; proven by nothing.
  public let name: String
  /// The device of its file system.
  public let device: DeviceNumber
}

/// An image file as it was opened.
public struct ImageFacts: Equatable, Sendable {
  /// The path it was opened by: a hint for people, proven by nothing.
  public let path: String
  /// The file's own device and inode, so that two names of one image can be told to be one.
  public let device: DeviceNumber
  public let inode: UInt64
  /// Bytes of the file that was opened; of an active volume, of its tree with what lies before it.
  public let size: UInt64
  /// The name and version in the image's manifest, when it has one; proven with the rest.
  public let name: String?
  public let version: String?
}

/// A Merkle proof made by this process over private copies of the blocks.
public struct VerityProof: Equatable, Sendable {
  /// The root hash up to which every block was checked.
  public let rootHash: Digest
  /// Bytes of a data block and of a hash block.
  public let dataBlockSize: Int
  public let hashBlockSize: Int
  /// Number of data blocks under the root hash.
  public let dataBlockCount: UInt64
  /// Levels of the tree between a data block and the root hash.
  public let levels: Int
  public let salt: [UInt8]
  /// Whether the caller named the root hash beforehand; otherwise it is the image's own and only policy can trust it.
  public let wasExpected: Bool
}

/// An object on a dm-verity device that was not read here by a reader of its file system: the kernel alone vouches, for
/// what its page cache shows.
public struct UnprovenFacts: Equatable, Sendable {
  /// Bytes.
  public let size: UInt64
  /// SHA-256 of the bytes.
  public let digest: Digest
  /// Why no reader here has read it.
  public let reason: String
  /// How many data blocks hold these bytes and were verified here up to the root hash, where the file system says which
  /// they are: only that they are the file's is the kernel's word then. Nil when they could not be verified.
  public let verifiedBlocks: UInt64?
}

/// An object that is on no image.
public struct FileFacts: Equatable, Sendable {
  /// The path it was opened by: a hint for people, proven by nothing.
  public let path: String
  /// Bytes.
  public let size: UInt64
  /// SHA-256 of the bytes.
  public let digest: Digest
}

/// The object as the verified file system describes it.
public struct ObjectFacts: Equatable, Sendable {
  /// The path from the image's root, without a slash in front.
  public let path: String
  /// The EROFS inode's position.
  public let nid: UInt64
  /// Bytes.
  public let size: UInt64
  /// SHA-256 of the bytes.
  public let digest: Digest
  /// What the image's manifest says of it: proven to be written there, and not to be true. Nil when it was not
  /// asked for, without a manifest, and where it lists the file as something else.
  public let described: Manifest.Entry?
}
