public import Verity
public import Base

/// Why a file system or a part of it was refused.
public struct ErofsError: Error, Equatable, Sendable {
  /// The check that refused; the raw value is the diagnostic's code after `erofs.`.
  public enum Check: String, Sendable, CaseIterable {
    /// A block could not be read or proven; ``ErofsError/blockFailure`` says why.
    case block
    /// The first 1024 bytes hold something. They are no part of the file system, so nobody looks at them, and a hash
    /// tree block hidden there could give a second image the same root hash.
    case bootArea = "boot-area"
    /// No superblock at byte 1024.
    case magic = "not-erofs"
    /// The superblock's CRC-32C is wrong or absent.
    case checksum = "superblock-checksum"
    /// The superblock holds a value this reader does not accept.
    case superblock = "superblock"
    /// The image uses a feature this reader refuses.
    case feature = "unsupported-feature"
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
    /// A budget of ``ErofsLimits`` was passed.
    case limit = "too-large"
    /// There is no file of that name.
    case notFound = "not-found"
    /// The file is of another kind than the request needs.
    case wrongKind = "wrong-kind"
  }

  public let check: Check
  /// The inode concerned (its byte offset divided by 32, counted from the metadata area).
  public var nid: UInt64?
  /// The path in the image, where it is known.
  public var path: String?
  /// Bytes from the start of the image.
  public var offset: UInt64?
  public let expected: String
  public let found: String
  /// The verified device's own error, when ``check`` is ``Check/block``.
  public let blockFailure: VerityError?

  init(
    _ check: Check, nid: UInt64? = nil, path: String? = nil, offset: UInt64? = nil, expected: String, found: String,
    blockFailure: VerityError? = nil
  ) {
    self.check = check
    self.nid = nid
    self.path = path
    self.offset = offset
    self.expected = expected
    self.found = found
    self.blockFailure = blockFailure
  }

  /// There is no file of that path.
  public static func missing(_ path: String) -> ErofsError {
    ErofsError(.notFound, path: path, expected: "a file of that name", found: "none")
  }

  /// The same error, naming the path unless it names one already.
  func at(path: String) -> ErofsError {
    guard self.path == nil else { return self }
    var named = self
    named.path = path
    return named
  }
}

extension ErofsError: CustomStringConvertible {
  /// One line: the check, where, what was expected and found.
  public var description: String { "\(sentence): expected \(expected), found \(found)" }

  private var sentence: String {
    let what =
      switch check {
      case .block: "a block of the image could not be proven"
      case .bootArea: "the boot area is not empty"
      case .magic: "the image is not an EROFS file system"
      case .checksum: "the superblock's checksum does not fit"
      case .superblock: "the superblock is not acceptable"
      case .feature: "the image uses a feature this reader refuses"
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

extension ErofsError: Diagnosable {
  public var diagnostic: Diagnostic {
    // The device says best what is wrong with its block.
    if let blockFailure { return blockFailure.diagnostic }
    return Diagnostic(
      "erofs.\(check.rawValue)", check == .notFound ? .incomplete : .integrity, sentence, expected: expected,
      found: found, next: next)
  }

  private var next: String? {
    switch check {
    case .notFound: "list the image's files with `verity-bpf inspect IMAGE`"
    case .feature:
      "build the image with `verity-bpf build-image`, or with mkfs.erofs without compression and extra devices"
    case .block, .wrongKind: nil
    case .bootArea, .magic, .checksum, .superblock, .deviceSize, .range, .inode, .directory, .tree, .limit:
      "do not trust this image; build it again with `verity-bpf build-image`"
    }
  }
}
