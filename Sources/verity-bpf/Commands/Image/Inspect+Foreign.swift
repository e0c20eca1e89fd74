import Base
import BPFObject
import FileSystems
import Image
import ImageFormat
import Verity

/// Where the parts of an image are, for people.
struct ImagePlaces {
  /// Bytes of the file or device that was named.
  let byteCount: UInt64
  let kind: ImageLayout
  /// The name of the data's partition, as `usr-x86-64`.
  let partition: String?
  /// The file that the tree is in, when it is another one.
  let treePath: String?
  private let slot: DiscoverableImage?

  init(_ file: borrowing ImageFile) {
    byteCount = file.byteCount
    kind = file.kind
    partition = file.slot?.types.name
    treePath = file.treePath
    slot = file.slot
  }

  /// Behind the words about the data: where they are, unless the file begins with them.
  var data: String { slot.map { " in partition \($0.types.name) at byte \($0.data.range.lowerBound)" } ?? "" }

  /// Behind the words about the tree.
  var tree: String {
    if let slot { return " in partition \(slot.types.name)-verity at byte \(slot.verity.range.lowerBound)" }
    return treePath.map { " in `\($0)`" } ?? ""
  }
}

/// A BPF object in an image that others made, known by its first bytes.
struct ForeignObject {
  let path: String
  /// What it is, or why it could not be loaded.
  let description: Result<Manifest.Object, BPFObjectError>

  /// Looks through all regular files. Each object is described once, under each of its names.
  static func find(
    _ files: [(path: String, inode: FileSystemInode)],
    in image: borrowing AnyFileSystem<VerifiedDevice<ImageFile.Source>>
  ) throws -> [ForeignObject] {
    var objects: [ForeignObject] = []
    for file in files where file.inode.kind == .regular {
      guard let bytes = try contents(of: file.inode, in: image) else { continue }
      let named = Manifest.File(path: file.path, digest: try Digest.of(bytes.rawSpan), size: file.inode.size)
      do throws(BPFObjectError) {
        objects.append(
          ForeignObject(path: file.path, description: .success(try ObjectDescription.describe(bytes, file: named))))
      } catch {
        objects.append(ForeignObject(path: file.path, description: .failure(error)))
      }
    }
    return objects
  }

  /// The bytes of a regular file that begins as objects do; nil for any other.
  static func contents(
    of inode: FileSystemInode, in image: borrowing AnyFileSystem<VerifiedDevice<ImageFile.Source>>
  ) throws -> [UInt8]? {
    // What cannot be read by this build is named by `verify`.
    guard inode.size <= UInt64(BPFObject.maximumByteCount), try image.obstacle(to: inode) == nil else { return nil }
    let head = try image.readFile(inode, in: 0..<UInt64(BPFObject.FileKind.headByteCount))
    guard case .object = BPFObject.FileKind(ofHead: head) else { return nil }
    return try image.readFile(inode, limit: BPFObject.maximumByteCount)
  }

  var json: JSONValue {
    switch description {
    case .success(let object): object.json
    case .failure(let error): ["path": .string(path), "error": error.diagnostic.json]
    }
  }
}
