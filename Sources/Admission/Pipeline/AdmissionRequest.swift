public import Image
public import Linux
public import Loader
public import Base
public import Trust

/// What is asked for, whichever the objects are: a policy, and what to do with the programs once they are loaded.
public struct AdmissionRequest: Sendable {
  /// How the object is named.
  public enum Object: Sendable, Equatable {
    /// A descriptor of a file on a mounted image.
    case descriptor(Int32)
    /// The file that this process was started for.
    case executed(ExecutedFile)
    /// A path inside an image file, whose parts may be elsewhere; nothing is mounted.
    case image(path: String, object: String, at: ImageLocation = ImageLocation())
    /// An ordinary file, on no image.
    case file(String)
  }

  /// The policy's text, as it was read. Not read yet when the load is only asked for: see ``LoadAttempts``.
  public var policy: [UInt8]
  /// The policy's file name, for messages and the audit record.
  public var policyName: String
  /// A policy that is judged beside it; nil when there is none.
  public var shadow: ShadowPolicy?
  /// The root hash the caller trusts beforehand. The policy decides in any case.
  public var rootHash: Digest?
  /// Whose signatures count, and what was revoked; nil for this machine's own, which need not exist.
  public var trust: Trust?
  /// Where programs and maps are pinned, below a BPF file system.
  public var pinPath: String?
  /// Whether each object's pins get a directory of their own below ``pinPath``, named like the object's file.
  public var pinsByObject: Bool
  /// Whether what is pinned there is replaced, and whether with maps of the new object's own.
  public var replaces: Bool
  public var freshMaps: Bool
  /// The image that all objects are of, where one is loaded as a whole: all of them, or none. The objects are its entries.
  public var whole: WholeImage?
  /// Whether the programs are attached to what their sections name, or to one of the following.
  public var attaches: Bool
  /// The interface, the cgroup's directory, and what a section leaves open: see ``Loader/LoadOptions``.
  public var interface: String?
  public var cgroup: String?
  public var attachTarget: String?
  /// What is to differ from what each object says itself.
  public var objectOptions: ObjectOptions
  /// Whether the loader answers the CO-RE records that the kernel does not follow.
  public var answersRecords: Bool
  /// In which process objects are linked.
  public var link: LinkMethod
  /// The keys with which the kernel is to check the signature of every program; nil asks for no such check.
  public var kernelKeyring: KernelKeyring?
  /// Where the verifier's whole log goes when it refuses.
  public var verifierLogPath: String?
  /// The directory of the audit log.
  public var auditDirectory: String
  /// When records are on the disk before the load goes on.
  public var auditSync: AuditSync
  /// Called for programs that stay loaded when a signal ends the process before the answer about them is printed; nil when
  /// nothing is to be printed then.
  public var untold: (@Sendable (_ signal: String, Stay) -> Void)?

  /// Programs that stay when the process ends.
  public struct Stay: Sendable {
    /// Each by its name and the kernel's number for it.
    public let programs: [(name: String, id: UInt32)]
    /// The directory of their pins.
    public let pinPath: String
  }

  public init(policy: [UInt8], policyName: String, auditDirectory: String) {
    self.policy = policy
    self.policyName = policyName
    self.auditDirectory = auditDirectory
    shadow = nil
    rootHash = nil
    trust = nil
    pinPath = nil
    pinsByObject = false
    replaces = false
    freshMaps = false
    whole = nil
    attaches = false
    interface = nil
    cgroup = nil
    attachTarget = nil
    objectOptions = ObjectOptions()
    answersRecords = false
    link = .inProcess
    kernelKeyring = nil
    verifierLogPath = nil
    auditSync = .none
    untold = nil
  }
}
