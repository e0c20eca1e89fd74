internal import ByteKit
public import DMVerity
public import EROFS
internal import Hashing

extension Manifest {
  /// The manifest of an image, nil when the image has none (it was made by another tool).
  public static func read<Blocks: VerifiedBlocks & ~Copyable>(
    from image: borrowing ErofsImage<Blocks>
  ) throws(ManifestError) -> Manifest? {
    guard let text = try bytes(in: image) else { return nil }
    return try Manifest(parsing: text)
  }

  /// The bytes of an image's manifest, nil when the image has none.
  public static func bytes<Blocks: VerifiedBlocks & ~Copyable>(
    in image: borrowing ErofsImage<Blocks>
  ) throws(ManifestError) -> [UInt8]? {
    do throws(ErofsError) {
      return try image.readFile(try image.lookup(path), limit: maximumByteCount)
    } catch {
      if error.check == .notFound { return nil }
      throw .fileSystem(error)
    }
  }

  /// Holds the manifest against the superblock of the image it was read from, see ``ManifestHead/check(superblock:)``.
  public func check(superblock: Superblock) throws(ManifestError) {
    try ManifestHead(self).check(superblock: superblock)
  }

  /// A file of the manifest and where the image has it.
  public struct Located: Sendable {
    public let file: File
    public let nid: UInt64

    public init(file: File, nid: UInt64) {
      self.file = file
      self.nid = nid
    }
  }

  /// Finds every file of the manifest in the image; names of other files, and whatever is neither file nor directory,
  /// are refused. Contents are not read.
  ///
  /// - Returns: objects and other files in bytewise order of their paths.
  public func locateFiles<Blocks: VerifiedBlocks & ~Copyable>(
    in image: borrowing ErofsImage<Blocks>
  ) throws(ManifestError) -> [Located] {
    try Self.locate(objects.map(\.file) + files, in: image)
  }

  /// Finds files in the image, as ``locateFiles(in:)``: exactly these, and the manifest.
  public static func locate<Blocks: VerifiedBlocks & ~Copyable>(
    _ files: [File], in image: borrowing ErofsImage<Blocks>
  ) throws(ManifestError) -> [Located] {
    var expected: [[UInt8]: File] = [:]
    for file in files { expected[Array(file.path.utf8)] = file }
    var found: [ErofsEntry] = []
    do throws(ErofsError) {
      try image.walk { entry throws(ErofsError) in if entry.inode.kind != .directory { found.append(entry) } }
    } catch {
      throw .fileSystem(error)
    }
    var located: [Located] = []
    for entry in found where !entry.path.utf8.elementsEqual(path.utf8) {
      guard entry.inode.kind == .regular, let file = expected.removeValue(forKey: Array(entry.path.utf8)) else {
        throw .unlisted(path: entry.path)
      }
      located.append(Located(file: file, nid: entry.inode.nid))
    }
    if let missing = expected.values.map(\.path).min() { throw .fileSystem(ErofsError.missing(missing)) }
    return located.sorted { $0.file.path.utf8.lexicographicallyPrecedes($1.file.path.utf8) }
  }

  /// Bytes that are hashed side by side.
  private static let batchBytes = 1 << 20

  /// Reads files and compares their sizes and SHA-256s with the manifest's. Those of several are worked out side by side.
  public static func check<Blocks: VerifiedBlocks & ~Copyable>(
    _ located: [Located], in image: borrowing ErofsImage<Blocks>
  ) throws(ManifestError) {
    var batch: [(file: File, contents: [UInt8])] = []
    var byteCount = 0
    for next in located {
      let contents: [UInt8]
      do throws(ErofsError) {
        contents = try image.readFile(try image.inode(next.nid), limit: image.limits.fileBytes)
      } catch {
        throw .fileSystem(error)
      }
      batch.append((next.file, contents))
      byteCount += contents.count
      guard byteCount >= batchBytes else { continue }
      try compare(batch)
      (batch, byteCount) = ([], 0)
    }
    try compare(batch)
  }

  private static func compare(_ batch: [(file: File, contents: [UInt8])]) throws(ManifestError) {
    let digests: [Digest]
    do throws(HashingError) {
      digests = try Digest.of(each: batch.map(\.contents))
    } catch {
      throw .hashing(error.description)
    }
    for ((file, contents), digest) in zip(batch, digests) {
      guard digest == file.digest, UInt64(contents.count) == file.size else {
        throw .digest(path: file.path, expected: file.digest, found: digest)
      }
    }
  }
}
