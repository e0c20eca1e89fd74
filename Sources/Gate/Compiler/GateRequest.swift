public import BPFAnalysis
public import Base
public import Policy

/// What a plan is made of: a policy, images whose objects were read, and files that were named as executables.
public struct GateRequest: Sendable {
  /// How far loaders are trusted.
  public enum Mode: String, Sendable, CaseIterable {
    /// A loader may load what it allows itself.
    case loader
    /// A loader may load instructions that the rows list, and no others.
    case digests
  }

  public var policy: PolicyDocument
  public var mode: Mode
  public var images: [Image]
  /// Executables that judge by the policy: `verity-bpf` in a volume of its own.
  public var loaders: [Executable]
  /// Executables that rules name by `x_requester_object` and `x_requester_dmverity_roothash`.
  public var executables: [Executable]

  public init(
    policy: PolicyDocument, mode: Mode, images: [Image] = [], loaders: [Executable] = [],
    executables: [Executable] = []
  ) {
    self.policy = policy
    self.mode = mode
    self.images = images
    self.loaders = loaders
    self.executables = executables
  }

  /// An image, every block of which that was read was verified against its root hash.
  public struct Image: Sendable {
    /// As the caller named it.
    public let file: String
    public let rootHash: Digest
    /// Name and version from its manifest.
    public let name: String?
    public let version: [UInt32]?
    /// Whether it has a manifest, so that a name or version which it does not say is none.
    public let hasManifest: Bool
    public let objects: [Object]

    public init(
      file: String, rootHash: Digest, name: String?, version: [UInt32]?, hasManifest: Bool, objects: [Object]
    ) {
      self.file = file
      self.rootHash = rootHash
      self.name = name
      self.version = version
      self.hasManifest = hasManifest
      self.objects = objects
    }
  }

  /// An object of an image.
  public struct Object: Sendable {
    /// From the image's root, without a slash in front.
    public let path: String
    public let digest: Digest
    public let programs: [ProgramReport]
    /// SHA-256 of the types that a load submits; nil for an object without.
    public let types: Digest?
    /// For each program what CO-RE makes of its instructions on the kernel that the plan is for; empty for a plan that is for
    /// no kernel.
    public let afterCore: [GateRows.AfterCore?]

    public init(
      path: String, digest: Digest, programs: [ProgramReport], types: Digest? = nil,
      afterCore: [GateRows.AfterCore?] = []
    ) {
      self.path = path
      self.digest = digest
      self.programs = programs
      self.types = types
      self.afterCore = afterCore
    }
  }
}
