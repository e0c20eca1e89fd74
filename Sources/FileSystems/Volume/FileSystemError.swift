public import Verity
public import Base

/// Why a file system or a part of it was refused.
public struct FileSystemError: Error, Equatable, Sendable {
  /// The check that refused; the raw value is the diagnostic's code after the name of the file system (`erofs.`).
  public enum Check: String, Sendable, CaseIterable {
    /// A block could not be read or proven; ``FileSystemError/blockFailure`` says why.
    case block
    /// The first 1024 bytes hold something. They are no part of the file system, so nobody looks at them, and a hash
    /// tree block hidden there could give a second image the same root hash.
    case bootArea = "boot-area"
    /// None of the superblocks that are known here. Another file system may be there, of which nothing is said.
    case magic = "not-erofs"
    /// The superblock's CRC-32C is wrong or absent.
    case checksum = "superblock-checksum"
    /// A checksum of other metadata is wrong.
    case metadataChecksum = "metadata-checksum"
    /// The superblock holds a value this reader does not accept.
    case superblock = "superblock"
    /// The file system uses a part of its format that this build does not read. Nothing is said against it.
    case feature = "unsupported-feature"
    /// A file is compressed, and the library for that is not on this host.
    case missingLibrary = "missing-library"
    /// A compressed cluster does not make the bytes that its index promises.
    case cluster = "bad-cluster"
    /// The file system is larger than the verified device.
    case deviceSize = "device-size"
    /// Metadata points outside the device.
    case range = "out-of-range"
    /// An inode is malformed.
    case inode = "bad-inode"
    /// A directory is malformed.
    case directory = "bad-directory"
    /// The directories do not form a tree.
    case tree = "bad-tree"
    /// A budget of ``FileSystemLimits`` was passed. Nothing is said against it.
    case limit = "too-large"
    /// There is no file of that name.
    case notFound = "not-found"
    /// The file is of another kind than the request needs.
    case wrongKind = "wrong-kind"
  }

  public let check: Check
  /// Whose format it is.
  public let format: FileSystemFormat
  /// The inode concerned; its number in directory entries.
  public var nid: UInt64?
  /// The path in the image, where it is known.
  public var path: String?
  /// Bytes from the start of the image.
  public var offset: UInt64?
  public let expected: String
  public let found: String
  /// The verified device's own error, when ``check`` is ``Check/block``.
  public let blockFailure: VerityError?
  /// What the library that is missing would undo, when ``check`` is ``Check/missingLibrary``.
  public let compression: BlockCompression?

  init(
    _ check: Check, nid: UInt64? = nil, path: String? = nil, offset: UInt64? = nil, expected: String, found: String,
    blockFailure: VerityError? = nil, compression: BlockCompression? = nil, format: FileSystemFormat = .erofs
  ) {
    self.format = format
    self.check = check
    self.nid = nid
    self.path = path
    self.offset = offset
    self.expected = expected
    self.found = found
    self.blockFailure = blockFailure
    self.compression = compression
  }

  /// There is no file of that path.
  public static func missing(_ path: String) -> FileSystemError {
    FileSystemError(.notFound, path: path, expected: "a file of that name", found: "none")
  }

  /// A file has more than is read of its kind.
  public static func tooLarge(_ path: String, allowed: String, found: String) -> FileSystemError {
    FileSystemError(.limit, path: path, expected: allowed, found: found)
  }

  /// The same error, naming the inode unless it names one already.
  func at(nid: UInt64) -> FileSystemError {
    guard self.nid == nil else { return self }
    var named = self
    named.nid = nid
    return named
  }

  /// Whether the file system may well be sound: this build or this host does not read it.
  public var isUnsupported: Bool { check == .feature || check == .missingLibrary }

  /// The same error, naming the path unless it names one already.
  func at(path: String) -> FileSystemError {
    guard self.path == nil else { return self }
    var named = self
    named.path = path
    return named
  }
}

extension FileSystemError: CustomStringConvertible {
  /// One line: the check, where, what was expected and found.
  public var description: String { "\(sentence): expected \(expected), found \(found)" }

  private var sentence: String {
    let what =
      switch check {
      case .block: "a block of the image could not be proven"
      case .bootArea: "the boot area is not empty"
      case .magic: "the image holds no file system that this build reads (\(FileSystemFormat.names))"
      case .checksum: "the superblock's checksum does not fit"
      case .metadataChecksum: "a checksum of metadata does not fit"
      case .superblock: "the superblock is not acceptable"
      case .feature: "the file system uses what is not supported by this build"
      case .missingLibrary: "not supported on this host: \(compression?.soname ?? "a library") is missing"
      case .cluster: "a compressed cluster is damaged"
      case .deviceSize: "the file system is larger than the verified device"
      case .range: "metadata points outside the image"
      case .inode: "an inode is malformed"
      case .directory: "a directory is malformed"
      case .tree: "the directories do not form a tree"
      case .limit: "the image is larger than this reader's limit"
      case .notFound: "there is no such file in the image"
      case .wrongKind: "the file in the image is of another kind"
      }
    var place: [String] = []
    if let path { place.append("path `\(path.isEmpty ? "/" : path)`") }
    if let nid { place.append("inode \(nid)") }
    if let offset { place.append("byte \(offset)") }
    return place.isEmpty ? what : "\(what) (\(place.joined(separator: ", ")))"
  }
}

extension FileSystemError: Diagnosable {
  public var diagnostic: Diagnostic {
    // The device says best what is wrong with its block.
    if let blockFailure { return blockFailure.diagnostic }
    let diagnostic = Diagnostic(
      "\(format.rawValue).\(check.rawValue)", category, sentence, expected: expected, found: found, next: next)
    // No tool writes there, and no disk puts something there by accident.
    return check == .bootArea ? diagnostic.suspicious() : diagnostic
  }

  private var category: Diagnostic.Category {
    switch check {
    case .notFound: .incomplete
    case .magic, .feature, .missingLibrary, .limit: .unsupported
    case .block, .bootArea, .checksum, .metadataChecksum, .superblock, .cluster, .deviceSize, .range, .inode,
      .directory, .tree,
      .wrongKind:
      .integrity
    }
  }

  private var next: String? {
    switch check {
    case .notFound: "list the image's files with `verity-bpf inspect IMAGE`"
    case .feature:
      switch format {
      case .erofs: "build the image without it, by `verity-bpf build-image` or mkfs.erofs"
      case .squashfs, .ext4: "make the volume without it, or an image by `verity-bpf build-image`"
      }
    case .missingLibrary:
      compression.map {
        "install the package with \($0.soname): \($0.packages.debian) (Debian), \($0.packages.fedora) (Fedora)"
      }
    case .magic: "check its blocks, whatever they are: verity-bpf verify IMAGE"
    case .limit: "nothing is said against the image; make one with less in it, or several"
    case .block, .wrongKind: nil
    case .bootArea, .cluster, .checksum, .metadataChecksum, .superblock, .deviceSize, .range, .inode, .directory, .tree:
      "do not trust this image; build it again with `verity-bpf build-image`"
    }
  }
}
