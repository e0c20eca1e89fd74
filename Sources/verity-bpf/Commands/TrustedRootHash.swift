import Base
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

  /// Reads a root-hash file.
  static func read(file: String) throws -> Digest {
    let descriptor = try OwnedFD.openRegular(file)
    let bytes = try descriptor.readToEnd(limit: 4096) ?? Array(repeating: 0, count: RootHashFile.maximumByteCount + 1)
    do throws(LayoutError) {
      return try RootHashFile.parse(bytes)
    } catch {
      var diagnostic = error.diagnostic
      diagnostic.message = "root-hash file `\(file)`: \(diagnostic.message)"
      throw DiagnosedFailure(diagnostic)
    }
  }
}
