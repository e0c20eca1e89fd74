public import Base

/// What an image says about its contents. It lies inside the image, so it is under the root hash like everything else.
public struct Manifest: Equatable, Sendable {
  /// Where it is in the image.
  public static let path = ".verity-bpf/manifest.json"
  /// The format's name and version.
  public static let schema = "verity-bpf/manifest/1"

  /// The image's name, when its builder gave one: see ``isAcceptableName(_:)``.
  public var name: String?
  /// The image's version, when its builder gave one: see ``isAcceptableName(_:)``.
  public var version: String?
  /// The number of data blocks below the root hash. The tree itself does not bind it; this does.
  public var dataBlocks: UInt64
  /// The BPF objects, by path in bytewise order.
  public var objects: [Object]
  /// The other files, by path in bytewise order.
  public var files: [File]
  /// What is loaded of the image as a whole, in this order; nil when its builder gave no list.
  public var loadList: [LoadEntry]?

  public init(
    name: String?, version: String?, dataBlocks: UInt64, objects: [Object], files: [File], loadList: [LoadEntry]? = nil
  ) {
    self.loadList = loadList
    self.name = name
    self.version = version
    self.dataBlocks = dataBlocks
    self.objects = objects
    self.files = files
  }

  /// A file of the image.
  public struct File: Equatable, Sendable {
    /// Relative to the image's root.
    public var path: String
    public var digest: Digest
    /// Bytes.
    public var size: UInt64

    public init(path: String, digest: Digest, size: UInt64) {
      self.path = path
      self.digest = digest
      self.size = size
    }
  }

  /// A BPF object of the image.
  public struct Object: Equatable, Sendable {
    public var file: File
    public var license: String
    public var programs: [Program]
    public var maps: [Map]
    /// Names of the helpers its programs call, sorted.
    public var helpers: [String]
    /// Number of CO-RE relocations, which the kernel applies when the object is loaded.
    public var coreRelocations: Int
    /// What each lockdown mode says to it, mildest mode first.
    public var lockdown: [LockdownVerdict]
    /// What the image's builder states of it, and its bytes do not say.
    public var statements: Statements

    public init(
      file: File, license: String, programs: [Program], maps: [Map], helpers: [String], coreRelocations: Int,
      lockdown: [LockdownVerdict], statements: Statements = Statements()
    ) {
      self.statements = statements
      self.file = file
      self.license = license
      self.programs = programs
      self.maps = maps
      self.helpers = helpers
      self.coreRelocations = coreRelocations
      self.lockdown = lockdown
    }
  }

  /// What is said of an object when an image is built. It is under the root hash, like the object.
  public struct Statements: Equatable, Sendable {
    /// What the programs of sections are whose names do not say it.
    public var sectionTypes: [StatedType]
    /// Whether options of a load may change the object (docs/loading.md); nil leaves that to the policy alone.
    public var isConfigurable: Bool?

    public init(sectionTypes: [StatedType] = [], isConfigurable: Bool? = nil) {
      self.sectionTypes = sectionTypes
      self.isConfigurable = isConfigurable
    }

    /// Whether nothing is said.
    public var isEmpty: Bool { sectionTypes.isEmpty && isConfigurable == nil }
  }

  /// The type of the programs in a section.
  public struct StatedType: Equatable, Sendable {
    public var section: String
    /// The name of libbpf's sections that says it. Builders may know more of them than readers.
    public var type: String

    public init(section: String, type: String) {
      self.section = section
      self.type = type
    }
  }

  /// A program of an object.
  public struct Program: Equatable, Sendable {
    public var name: String
    public var section: String
    /// As bpftool names it.
    public var type: String
    /// As bpftool names it; nil where the type has none.
    public var attachType: String?
    /// What the builder's analysis says of it; nil in images of builders that did not look.
    public var analysis: Analysis?
    /// What will be submitted; nil where the running kernel has a part in it, and in images of builders that did not say.
    public var instructions: Instructions?

    public init(
      name: String, section: String, type: String, attachType: String?, analysis: Analysis? = nil,
      instructions: Instructions? = nil
    ) {
      self.name = name
      self.section = section
      self.type = type
      self.attachType = attachType
      self.analysis = analysis
      self.instructions = instructions
    }
  }

  /// What a program can do, from its instructions alone (docs/analysis.md). For people and for who chooses images: at a
  /// load everything is worked out anew, and nothing here is believed; where it differs, the object is refused.
  public struct Analysis: Equatable, Sendable {
    /// Counts the changes of what this program's analysis finds in the same bytes: raised with every one of them, so that
    /// images of older builders are not taken for images that lie.
    public static let currentRevision: UInt64 = 6

    /// The revision of the analysis that found it; 1 where the image does not say.
    public var revision: UInt64
    /// The oldest kernel that can load it, `major.minor`.
    public var minimumKernel: String
    /// The capabilities that loading needs, by name.
    public var capabilities: [String]
    /// What of the kernel's memory it may read: helpers, `TYPE.FIELD`, or `pointer`; sorted, each once.
    public var kernelReads: [String]
    /// The helpers by which it writes to the memory of processes, sorted.
    public var userWrites: [String]
    /// Whether it stays with the packet or socket it is called for.
    public var isRestricted: Bool

    public init(
      minimumKernel: String, capabilities: [String], kernelReads: [String], userWrites: [String], isRestricted: Bool,
      revision: UInt64 = currentRevision
    ) {
      self.revision = revision
      self.minimumKernel = minimumKernel
      self.capabilities = capabilities
      self.kernelReads = kernelReads
      self.userWrites = userWrites
      self.isRestricted = isRestricted
    }
  }

  /// A map of an object.
  public struct Map: Equatable, Sendable {
    public var name: String
    /// As bpftool names it.
    public var type: String

    public init(name: String, type: String) {
      self.name = name
      self.type = type
    }
  }

  /// Whether an object can be loaded under a lockdown mode (kernel_lockdown(7)).
  public struct LockdownVerdict: Equatable, Sendable {
    /// `none`, `integrity` or `confidentiality`.
    public var mode: String
    /// What the mode forbids of what the object uses; the object is loadable when there is nothing.
    public var forbidden: [String]

    public init(mode: String, forbidden: [String]) {
      self.mode = mode
      self.forbidden = forbidden
    }
  }

  /// The numbers of an image's version by which policies compare it (`x_image_version_min`): decimal, with dots between
  /// them. Nil for any other version, which no such rule matches.
  public static func versionNumbers(_ version: String) -> [UInt32]? {
    let parts = version.split(separator: ".", omittingEmptySubsequences: false).map { UInt32($0) }
    return parts.contains(nil) ? nil : parts.compactMap { $0 }
  }

  /// Whether the text can be an image's name or version: 1 to 64 letters, digits and `.`, `_`, `+`, `~`, `-`, beginning
  /// with a letter or digit. Such text needs no quoting in policies, file names and audit records.
  public static func isAcceptableName(_ text: String) -> Bool {
    func isAlphanumeric(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: false
      }
    }
    guard let first = text.utf8.first, isAlphanumeric(first), text.utf8.count <= 64 else { return false }
    return text.utf8.allSatisfy { isAlphanumeric($0) || "._+~-".utf8.contains($0) }
  }
}
