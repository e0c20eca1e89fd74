public import BPFObject
public import ImageFormat
public import Linux

/// What to pack, and where to put it.
public struct BuildRequest: Sendable {
  /// The directory whose contents are packed.
  public var directory: String
  /// The image file.
  public var output: String
  /// Where the root hash goes: hexadecimal digits without a line feed.
  public var rootHashFile: String
  /// How the parts are spread over files and partitions.
  public var layout: ImageLayout
  /// What a disk image's partition is for.
  public var partition: PartitionTypes.Use
  /// The name of a system extension, which lays the files out as systemd-sysext wants them; nil for no extension.
  public var systemExtension: SystemExtension?
  /// The signer of the root hash; nil when it is not signed.
  public var signing: RootHashSigning?
  /// Where a copy of the manifest goes, if anywhere.
  public var manifestFile: String?
  /// Files that are read besides those in the directory, as the signer's key: no result may replace one.
  public var inputs: RunInputs
  /// Into the manifest; see `Manifest.isAcceptableName`.
  public var name: String?
  /// Into the manifest; see `Manifest.isAcceptableName`.
  public var version: String?
  /// Mixed into the salt and the file system's UUID, so that equal contents can have different root hashes.
  public var seed: [UInt8]
  /// The salt of the hash tree, at most 256 bytes; by default it is derived from seed and contents.
  public var salt: [UInt8]?
  /// Files other than objects that are packed too.
  public var includes: [FileNamePattern]
  /// What is loaded of the image as a whole, by paths in the directory; nil for no list.
  public var loadList: [Manifest.LoadEntry]?
  /// The file that it was read from, for messages.
  public var loadListFile: String?
  /// Whether the sections that only debuggers read are left out of the objects.
  public var strips: Bool
  /// Into the manifest: what the programs of sections are whose names do not say it. Each is of some object.
  public var sectionTypes: [SectionType]
  /// Into the manifest: the objects that options of a load may change, and no others; nil says nothing of any.
  public var configurable: [FileNamePattern]?
  /// Whether objects that cannot be loaded are left out, and the others packed.
  public var skipsUnusable: Bool
  /// Whether all users may execute the objects, which lets the kernel's IPE judge them.
  public var makesExecutable: Bool

  public init(directory: String, output: String, rootHashFile: String) {
    self.directory = directory
    self.output = output
    self.rootHashFile = rootHashFile
    layout = .appended
    partition = .root
    systemExtension = nil
    signing = nil
    manifestFile = nil
    inputs = RunInputs()
    name = nil
    version = nil
    seed = []
    salt = nil
    includes = []
    strips = false
    sectionTypes = []
    configurable = nil
    skipsUnusable = false
    makesExecutable = false
    loadList = nil
    loadListFile = nil
  }

  /// What the numbers of the image are derived from that does not follow from its files: the user's seed, and that
  /// objects may be executed, which the manifest does not say.
  var derivationSeed: [UInt8] { makesExecutable ? seed + Array("\u{0}executable".utf8) : seed }

  /// The files beside the image.
  public var sidecars: Sidecars { Sidecars(imagePath: output, use: partition) }
}
