internal import Base
public import Verity
public import FileSystems

/// What a manifest says of the image as a whole, without what it says of each object.
///
/// A manifest of 10,000 objects has megabytes, and its head stands in front of them all: who only needs the head
/// reads and proves one block.
public struct ManifestHead: Equatable, Sendable {
  /// As ``Manifest/name``.
  public let name: String?
  /// As ``Manifest/version``.
  public let version: String?
  /// As ``Manifest/dataBlocks``.
  public let dataBlocks: UInt64

  /// The members that stand before the lists, in the order they are written.
  static let memberNames = ["schema", "name", "version", "data_blocks"]

  /// Bytes within which the head of a manifest that ``Manifest/text`` made ends, by far.
  private static let byteCount = 1024

  /// The head of an image's manifest.
  ///
  /// A manifest with its members in another order is as good; it is then read whole.
  ///
  /// - Parameter inode: as ``Manifest/inode(in:)`` returned it for this image.
  public static func read<Volume: VerifiedFileSystem & ~Copyable>(
    _ inode: FileSystemInode, in image: borrowing Volume
  ) throws(ManifestError) -> ManifestHead {
    let text: [UInt8]
    do throws(FileSystemError) {
      text = try image.readPrefix(of: inode, count: byteCount)
    } catch {
      throw .fileSystem(error)
    }
    if let head = ManifestHead(beginning: text) { return head }
    let whole: [UInt8]
    do throws(FileSystemError) {
      whole = try image.readFile(inode, limit: Manifest.wholeByteCount)
    } catch {
      throw .fileSystem(error)
    }
    return ManifestHead(try Manifest(parsing: whole))
  }

  /// A head of these values.
  public init(name: String?, version: String?, dataBlocks: UInt64) {
    self.name = name
    self.version = version
    self.dataBlocks = dataBlocks
  }

  init(_ manifest: Manifest) {
    self.init(name: manifest.name, version: manifest.version, dataBlocks: manifest.dataBlocks)
  }

  /// Reads what stands before the list of objects; nil when that is not exactly the head.
  init?(beginning text: [UInt8]) {
    let key = Array(#""objects""#.utf8)
    guard let end = text.rawSpan.firstOffset(of: key.rawSpan) else { return nil }
    var document = text[..<end]
    while let last = document.last, last == 0x20 || last == 0x0a { document.removeLast() }
    guard document.popLast() == UInt8(ascii: ",") else { return nil }
    do {
      let root = try JSONValue.parse(Array(document) + [UInt8(ascii: "}")])
      let reader = try MemberReader(root, place: "")
      try reader.allow(Self.memberNames)
      guard try reader.string("schema") == Manifest.schema else { return nil }
      name = try reader.name("name")
      version = try reader.name("version")
      dataBlocks = try reader.unsigned("data_blocks")
    } catch {
      return nil
    }
  }

  /// Holds the head against the superblock of the image it was read from: the number of data blocks, and that the
  /// UUID, which the root hash does not cover, is the derived one.
  public func check(superblock: Superblock) throws(ManifestError) {
    let blocks = superblock.parameters.dataBlockCount
    guard blocks == dataBlocks else { throw .dataBlocks(manifest: dataBlocks, image: blocks) }
    let derived: VolumeUUID
    do throws(VerityError) {
      derived = try Superblock.derivedUUID(salt: superblock.parameters.salt)
    } catch {
      throw .hashing("\(error)")
    }
    guard superblock.uuid == derived else {
      throw .uuid(expected: derived.description, found: superblock.uuid.description)
    }
  }
}
