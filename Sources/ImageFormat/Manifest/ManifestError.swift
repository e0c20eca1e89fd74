public import Base
public import FileSystems

/// Why an image's manifest was refused.
public enum ManifestError: Error, Equatable, Sendable {
  /// The file system could not be read, or has no manifest.
  case fileSystem(FileSystemError)
  /// The manifest is not JSON.
  case json(JSONError)
  /// A member is missing, unknown or of the wrong form; `place` is its path from the document's root.
  case member(place: String, expected: String, found: String)
  /// The manifest is for another number of data blocks than the image has.
  case dataBlocks(manifest: UInt64, image: UInt64)
  /// The superblock's UUID is not the one derived from its salt.
  case uuid(expected: String, found: String)
  /// A file of the manifest has other bytes in the image.
  case digest(path: String, expected: Digest, found: Digest)
  /// The image holds a file the manifest does not name.
  case unlisted(path: String)
  /// An object is described otherwise than it is: the member that differs, as worked out and as written.
  case description(path: String, member: String, expected: String, found: String)
  /// OpenSSL could not hash.
  case hashing(String)
}

extension ManifestError: Diagnosable {
  public var diagnostic: Diagnostic {
    let rebuild = "do not trust this image; build it again with `verity-bpf build-image`"
    let object = "the manifest `\(Manifest.path)`"
    return switch self {
    case .fileSystem(let error): error.diagnostic
    case .json(let error):
      Diagnostic(
        "manifest.not-json", .invalid, "\(object) is not JSON, at line \(error.line), column \(error.column)",
        expected: "a document of RFC 8259", found: error.explanation, next: rebuild)
    case .member(let place, let expected, let found):
      Diagnostic(
        "manifest.bad-member", .invalid, "\(object) has a bad member `\(place)`", expected: expected, found: found,
        next: rebuild)
    case .dataBlocks(let manifest, let image):
      Diagnostic(
        "manifest.data-blocks", .integrity, "\(object) is for an image of another size",
        expected: "\(manifest) data blocks", found: "\(image) data blocks",
        why: "a hash tree read with another number of data blocks can show other contents under the same root hash",
        next: rebuild)
    case .uuid(let expected, let found):
      Diagnostic(
        "manifest.uuid", .integrity, "the dm-verity superblock has another UUID than its salt gives",
        expected: expected, found: found, why: "the root hash does not cover the UUID", next: rebuild)
    case .digest(let path, let expected, let found):
      Diagnostic(
        "manifest.digest", .integrity, "`\(path)` is not the file \(object) names", expected: expected.description,
        found: found.description, next: rebuild)
    case .unlisted(let path):
      Diagnostic(
        "manifest.unlisted", .integrity, "\(object) does not name `\(path)`", expected: "every file of the image",
        found: "a file it does not name", next: rebuild)
    case .description(let path, let member, let expected, let found):
      Diagnostic(
        "manifest.description", .integrity, "\(object) describes `\(path)` otherwise than it is: `\(member)`",
        expected: expected, found: found,
        why: "people and policies choose images by what is written there", next: rebuild)
    case .hashing(let reason):
      Diagnostic("manifest.hashing", .unsupported, "no digest can be computed: \(reason)")
    }
  }
}
