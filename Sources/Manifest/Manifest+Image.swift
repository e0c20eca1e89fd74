internal import ByteKit
public import DMVerity
public import EROFS
internal import Hashing

extension Manifest {
  /// The manifest of an image, nil when the image has none (it was made by another tool).
  public static func read<Blocks: VerifiedBlocks & ~Copyable>(
    from image: borrowing ErofsImage<Blocks>
  ) throws(ManifestError) -> Manifest? {
    let text: [UInt8]
    do throws(ErofsError) {
      text = try image.readFile(try image.lookup(path), limit: maximumByteCount)
    } catch {
      if error.check == .notFound { return nil }
      throw .fileSystem(error)
    }
    return try Manifest(parsing: text)
  }

  /// Holds the manifest against the superblock of the image it was read from, see ``ManifestHead/check(superblock:)``.
  public func check(superblock: Superblock) throws(ManifestError) {
    try ManifestHead(self).check(superblock: superblock)
  }

  /// Reads every file of the image and compares its size and SHA-256 with the manifest's; names of other files, and
  /// whatever is neither file nor directory, are refused.
  public func checkFiles<Blocks: VerifiedBlocks & ~Copyable>(
    of image: borrowing ErofsImage<Blocks>
  ) throws(ManifestError) {
    var expected: [[UInt8]: File] = [:]
    for file in objects.map(\.file) + files { expected[Array(file.path.utf8)] = file }
    var found: [ErofsEntry] = []
    do throws(ErofsError) {
      try image.walk { entry throws(ErofsError) in if entry.inode.kind != .directory { found.append(entry) } }
    } catch {
      throw .fileSystem(error)
    }
    for entry in found where !entry.path.utf8.elementsEqual(Self.path.utf8) {
      guard entry.inode.kind == .regular, let file = expected.removeValue(forKey: Array(entry.path.utf8)) else {
        throw .unlisted(path: entry.path)
      }
      let digest = try Self.digest(of: entry, in: image)
      guard digest == file.digest, entry.inode.size == file.size else {
        throw .digest(path: file.path, expected: file.digest, found: digest)
      }
    }
    if let missing = expected.values.map(\.path).min() {
      throw .fileSystem(ErofsError.missing(missing))
    }
  }

  private static func digest<Blocks: VerifiedBlocks & ~Copyable>(
    of entry: ErofsEntry, in image: borrowing ErofsImage<Blocks>
  ) throws(ManifestError) -> Digest {
    let contents: [UInt8]
    do throws(ErofsError) {
      contents = try image.readFile(entry.inode, limit: image.limits.fileBytes)
    } catch {
      throw .fileSystem(error)
    }
    do throws(HashingError) {
      return try Digest.of(contents.rawSpan)
    } catch {
      throw .hashing(error.description)
    }
  }
}
