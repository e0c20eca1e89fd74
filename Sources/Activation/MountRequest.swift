public import ByteKit

/// An image to be mounted.
public struct MountRequest: Sendable {
  public var image: String
  public var directory: String
  /// The root hash the image must have.
  public var rootHash: Digest
  /// Detached PKCS#7 in DER over the root hash's digits, for the kernel to check; nil to go by the root hash alone.
  public var signature: [UInt8]?
  /// Whether only a mount will do whose signature the kernel has accepted; else, where there is no device-mapper to give it
  /// to, the image is mounted without.
  public var requiresSignature: Bool
  /// The volume's name below /dev/mapper; by default it follows from the root hash.
  public var name: String?
  /// Whether device-mapper is used where the kernel has it.
  public var usesDeviceMapper: Bool
  /// Whether programs may be executed from the mount; objects need no such thing.
  public var allowsExecution: Bool

  public init(image: String, directory: String, rootHash: Digest) {
    self.image = image
    self.directory = directory
    self.rootHash = rootHash
    signature = nil
    requiresSignature = false
    name = nil
    usesDeviceMapper = true
    allowsExecution = false
  }

  /// The name that the volume has below /dev/mapper.
  var volumeName: String { name ?? ImageMount.prefix + rootHash.hex.prefix(16) }
}

/// What was mounted, and who checks what is read from it.
public struct MountedVolume: Equatable, Sendable {
  /// Who vouches for bytes that are read through the mount.
  public enum Witness: String, Sendable {
    /// The kernel's dm-verity, whose root hash a key of the kernel's own keyrings signed.
    case signed = "dm-verity-signed"
    /// The kernel's dm-verity, by the root hash that was named to it.
    case rootHash = "dm-verity"
    /// Nobody: there is no device-mapper. `load` proves each object from the image file.
    case none = "none"
  }

  public let directory: String
  /// The block device that is mounted.
  public let device: String
  public let rootHash: Digest
  public let witness: Witness
}
