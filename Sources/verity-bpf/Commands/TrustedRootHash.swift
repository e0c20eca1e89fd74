import Base
import Image
import ImageFormat
import Linux

/// The root hash a user trusts beforehand: its digits, or the file that holds them.
struct TrustedRootHash {
  static let hash: Key<Digest?> = .optional(
    "--root-hash", "The root hash the image must have, in hexadecimal digits.")
  static let file: Key<String?> = .optional(
    "--root-hash-file", takes: .file, "A file that holds the root hash the image must have.")
  static let keys: [any AnyKey] = [hash, file]

  let rootHash: Digest?
  let rootHashFile: String?

  init(_ words: Words) throws(UsageError) {
    rootHash = try words[Self.hash]
    rootHashFile = try words[Self.file]
    if rootHash != nil, rootHashFile != nil { throw UsageError("Give --root-hash or --root-hash-file, not both.") }
  }

  /// Whether one was named.
  var isNamed: Bool { rootHash != nil || rootHashFile != nil }

  /// The root hash, when one was named.
  func expected() throws -> Digest? {
    if let rootHash { return rootHash }
    guard let rootHashFile else { return nil }
    return try Self.read(file: rootHashFile)
  }

  /// The root hash an image must have: the one that was named, else the one stored with the image. Without either there is
  /// nothing that the image could be held against.
  func required(of image: String) throws -> Digest {
    if let named = try expected() { return named }
    if let stored = try StoredRootHash.of(image: image) { return stored.digest }
    throw DiagnosedFailure(
      Diagnostic(
        "system.not-found", .incomplete,
        "no root hash to check `\(image)` against: there is no `\(Sidecars(imagePath: image).rootHash)`",
        expected: "that file, NAME.usrhash, or an extended attribute user.verity.roothash or user.verity.usrhash",
        next: "give the root hash you trust: --root-hash HASH or --root-hash-file FILE"))
  }

  /// Reads a root-hash file.
  static func read(file: String) throws -> Digest { try StoredRootHash.read(file) }
}
