public import Base
public import Linux
public import Trust

/// How an image that is open is to be mounted.
public struct MountRequest: Sendable {
  /// Which signature of the root hash is given to the kernel: detached PKCS#7 in DER over the root hash's digits.
  public enum Signature: Sendable {
    /// That which came with the image, when one did. Where there is no device-mapper to give it to, the image is mounted
    /// without.
    case enclosed
    /// Another in its place. Only a mount will do for which the kernel has accepted it.
    case named(EnclosedSignature)
    /// None: the kernel goes by the root hash alone. A signature that came with the image is looked at for its signer, who
    /// may have been revoked.
    case none
  }

  public var directory: String
  /// The root hash the image must have.
  public var rootHash: Digest
  /// A revoked image is not mounted. The verdict on its signature is only reported, because the kernel decides by keys of its own.
  public var trust: Trust
  public var signature: Signature
  /// The volume's name below /dev/mapper; by default it follows from the root hash.
  public var name: String?
  /// Whether device-mapper is used where the kernel has it.
  public var usesDeviceMapper: Bool
  /// Whether programs may be executed from the mount; objects need no such thing.
  public var allowsExecution: Bool

  public init(directory: String, rootHash: Digest, trust: Trust) {
    self.directory = directory
    self.rootHash = rootHash
    self.trust = trust
    signature = .enclosed
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
  /// Whether root could have added the key by which the kernel took the signature; nil where it took none.
  public let keyring: KeyringSeal?
  /// What our own trust anchors say of the signature that counts; nil when there is none.
  public let signature: RootHashVerdict?
  /// Whether there is a signature that would have been given to the kernel, and no device-mapper to give it to.
  public let isSignatureUnused: Bool
}
