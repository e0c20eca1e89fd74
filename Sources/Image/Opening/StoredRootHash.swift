public import Base
internal import ImageFormat
internal import KernelABI
internal import Linux

/// A root hash that is stored with an image, in one of the places where systemd looks for it. One who can change the image can
/// change it too: it says which image is meant, and is worth as much as the place.
public struct StoredRootHash: Equatable, Sendable {
  public let digest: Digest
  /// The file, or the attribute and the file that has it.
  public let place: String

  /// The first there is of: the attribute `user.verity.roothash` of the image, `NAME.roothash`, the attribute
  /// `user.verity.usrhash`, `NAME.usrhash`.
  ///
  /// - Throws: ``ImageFileError`` when something lies there and is no root hash.
  public static func of(image path: String) throws(ImageFileError) -> StoredRootHash? {
    for sidecars in Sidecars.all(imagePath: path) {
      if let attribute = try attribute(sidecars.rootHashAttribute, of: path) { return attribute }
      do throws(SystemError) { _ = try FileStatus.of(path: sidecars.rootHash) } catch {
        if [.enoent, .enotdir, .enametoolong].contains(error.code) { continue }
        throw .system(error)
      }
      return StoredRootHash(digest: try read(sidecars.rootHash), place: sidecars.rootHash)
    }
    return nil
  }

  /// Reads a root-hash file.
  public static func read(_ path: String) throws(ImageFileError) -> Digest {
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes =
        try OwnedFD.openRegular(path).readToEnd(limit: 4096)
        ?? Array(repeating: 0, count: RootHashFile.maximumByteCount + 1)
    } catch {
      throw .system(error)
    }
    return try parse(bytes, "root-hash file `\(path)`")
  }

  private static func attribute(_ name: String, of path: String) throws(ImageFileError) -> StoredRootHash? {
    let value: [UInt8]?
    do throws(SystemError) {
      value = try ExtendedAttribute.read(name, of: path, limit: 4096)
    } catch {
      throw .system(error)
    }
    guard let value else { return nil }
    let place = "attribute \(name) of `\(path)`"
    return StoredRootHash(digest: try parse(value, place), place: place)
  }

  private static func parse(_ bytes: [UInt8], _ place: String) throws(ImageFileError) -> Digest {
    do throws(LayoutError) {
      return try RootHashFile.parse(bytes)
    } catch {
      var diagnostic = error.diagnostic
      diagnostic.message = "\(place): \(diagnostic.message)"
      throw .rootHash(diagnostic)
    }
  }
}
