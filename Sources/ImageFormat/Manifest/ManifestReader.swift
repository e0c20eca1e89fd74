internal import Base
public import FileSystems

/// Reads what an image's manifest says of its files, some of them at a time.
///
/// A manifest as ``Manifest/text`` gives it is never in memory as a whole, however many files it names. One in another layout is as
/// good; it is read whole, and may have ``Manifest/wholeByteCount`` bytes at most.
public struct ManifestReader {
  /// What the manifest says of one file.
  public enum Listed: Equatable, Sendable {
    case object(Manifest.Object)
    case file(Manifest.File)

    public var file: Manifest.File {
      switch self {
      case .object(let object): object.file
      case .file(let file): file
      }
    }
  }

  /// What it says of the image as a whole.
  public let head: ManifestHead
  /// Files that it names, objects and others.
  public let fileCount: Int
  /// What is loaded of the image as a whole; a manifest that says it is read whole.
  public let loadList: [Manifest.LoadEntry]?
  private let inode: FileSystemInode
  private var scan = ManifestScan()
  private var position: UInt64 = 0
  /// All it says, where it was read whole and not handed out yet.
  private var whole: [Listed]?

  /// Finds out how the manifest is laid out, for which all of it is read.
  ///
  /// - Parameter inode: as ``Manifest/inode(in:)`` returned it for this image.
  public init<Volume: VerifiedFileSystem & ~Copyable>(
    _ inode: FileSystemInode, in image: inout Volume
  ) throws(ManifestError) {
    self.inode = inode
    let scanned = try ManifestScan.of(inode) { range throws(ManifestError) in
      try Self.piece(range, of: inode, in: &image)
    }
    if let scanned, let head = scanned.head {
      self.head = head
      fileCount = scanned.paths.count
      loadList = nil
      return
    }
    let text: [UInt8]
    do throws(FileSystemError) {
      text = try image.readFile(inode, limit: Manifest.wholeByteCount)
    } catch {
      throw .fileSystem(error)
    }
    image.forgetBlocks()
    let manifest = try Manifest(parsing: text)
    head = ManifestHead(manifest)
    let listed = manifest.objects.map { Listed.object($0) } + manifest.files.map { .file($0) }
    fileCount = listed.count
    loadList = manifest.loadList
    whole = listed
    position = inode.size
  }

  /// The next files that are named, objects first, each kind in bytewise order of the paths; nil behind the last.
  public mutating func next<Volume: VerifiedFileSystem & ~Copyable>(
    in image: inout Volume
  ) throws(ManifestError) -> [Listed]? {
    if let listed = whole.take() { return listed }
    guard position < inode.size else { return nil }
    let range = ManifestScan.piece(of: inode, from: position)
    let piece = try Self.piece(range, of: inode, in: &image)
    position = range.upperBound
    var listed: [Listed] = []
    // The layout was found to be this one, in blocks that are verified each time they are read.
    guard
      try scan.take(
        piece,
        visit: { entry throws(ManifestError) in
          let value: JSONValue
          do throws(JSONError) { value = try JSONValue.parse(Array(entry.text)) } catch { throw .json(error) }
          if entry.isObject {
            listed.append(.object(try Manifest.Object(MemberReader(value, place: "objects."))))
          } else {
            let reader = try MemberReader(value, place: "files.")
            try reader.allow(Manifest.File.memberNames)
            listed.append(.file(try Manifest.File(reader)))
          }
        })
    else { throw .member(place: "", expected: "the layout that it had before", found: "another one") }
    return listed
  }

  /// A part of the manifest, whose blocks are forgotten again.
  static func piece<Volume: VerifiedFileSystem & ~Copyable>(
    _ range: Range<UInt64>, of inode: FileSystemInode, in image: inout Volume
  ) throws(ManifestError) -> [UInt8] {
    do throws(FileSystemError) {
      let piece = try image.readFile(inode, in: range)
      image.forgetBlocks()
      return piece
    } catch {
      throw .fileSystem(error)
    }
  }
}

extension ManifestScan {
  /// Bytes of a manifest that are read at a time.
  private static let pieceBytes: UInt64 = 256 << 10

  /// The part of a manifest that begins there.
  static func piece(of inode: FileSystemInode, from position: UInt64) -> Range<UInt64> {
    position..<min(position + pieceBytes, inode.size)
  }

  /// Goes through an image's manifest.
  ///
  /// - Parameter read: gives a part of it.
  /// - Returns: nil when it has another layout than ``Manifest/text`` gives it.
  static func of(
    _ inode: FileSystemInode, read: (Range<UInt64>) throws(ManifestError) -> [UInt8]
  ) throws(ManifestError) -> ManifestScan? {
    guard inode.size <= UInt64(Manifest.maximumByteCount) else {
      throw .fileSystem(
        FileSystemError.tooLarge(Manifest.path, allowed: Manifest.allowed, found: "\(inode.size) bytes"))
    }
    var scan = ManifestScan()
    var position: UInt64 = 0
    while position < inode.size {
      let range = piece(of: inode, from: position)
      guard scan.take(try read(range)) else { return nil }
      position = range.upperBound
    }
    return scan.isComplete ? scan : nil
  }
}
