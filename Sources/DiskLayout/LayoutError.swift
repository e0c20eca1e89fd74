public import DMVerity
public import Diagnostics

/// Why an image's layout, or a file beside it, was refused.
public enum LayoutError: Error, Equatable, Sendable {
  /// The superblock, or the sizes it states, were refused, or the image could not be read.
  case verity(VerityError)
  /// No EROFS superblock at byte 1024, so nothing says where the data ends.
  case noFileSystem(byteCount: UInt64)
  /// The EROFS superblock's size fields make no sense.
  case fileSystemSize(blockBits: UInt8, blocks: UInt32)
  /// A root-hash file does not hold one root hash; `found` describes what it holds.
  case rootHash(found: String)
}

extension LayoutError: Diagnosable {
  /// The refusal in words.
  public var diagnostic: Diagnostic {
    switch self {
    case .verity(let error): error.diagnostic
    case .noFileSystem(let byteCount):
      Diagnostic(
        "layout.no-file-system", .integrity, "no EROFS file system says where the data ends",
        expected: "the EROFS magic number at byte 1024", found: "other bytes, in \(byteCount) bytes in all",
        next: "name the place of the dm-verity superblock: --hash-offset N")
    case .fileSystemSize(let blockBits, let blocks):
      Diagnostic(
        "layout.file-system-size", .integrity, "the EROFS superblock at byte 1024 has no usable size",
        expected: "blocks of 2^9 to 2^16 bytes, at least one", found: "\(blocks) blocks of 2^\(blockBits) bytes",
        next: "rebuild the image: verity-bpf build-image DIR")
    case .rootHash(let found):
      Diagnostic(
        "layout.root-hash", .integrity, "this is not a root hash",
        expected: "64 (sha256) or 128 (sha512) hexadecimal digits",
        found: found, next: "take the root hash that the build printed, or the image's .roothash file")
    }
  }
}
