public import Base

extension VerityError: Diagnosable {
  private static let rebuild =
    "get the image again from where it was built, or rebuild it: verity-bpf build-image DIR -o IMAGE"
  private static let distrust = "do not trust this image; \(rebuild)"
  private static let check = "list every bad block: verity-bpf verify IMAGE; then \(rebuild)"

  /// The refusal in words. The image's name is not known here; the caller that opened it puts it in front.
  public var diagnostic: Diagnostic {
    switch self {
    case .source(let error):
      Diagnostic(
        "verity.unreadable", .incomplete, "the image cannot be read: \(error)", next: "check the file and the disk")
    case .sink(let error):
      Diagnostic(
        "verity.unwritable", .incomplete, "the image cannot be written: \(error)", next: "check the disk's space")
    case .hashing(let error):
      Diagnostic(
        "verity.hash-unavailable", .unsupported, "\(error)",
        next: "check the providers: openssl list -digest-algorithms")
    case .cancelled:
      Diagnostic("verity.cancelled", .incomplete, "stopped before the end", next: "run the command again")
    case .memoryLimit(let limit):
      Diagnostic(
        "verity.memory-limit", .incomplete, "the verified blocks need more than \(limit) bytes of memory",
        next: "check the whole image instead: verity-bpf verify IMAGE")
    case .blockOutOfRange(let index, let count):
      Diagnostic(
        "verity.block-out-of-range", .integrity, "data block \(index) is not part of the device",
        expected: "a block below \(count)", found: "\(index)", next: Self.rebuild)
    case .blockCount(let expected, let found):
      Diagnostic(
        "verity.block-count", .incomplete, "the data changed its size while the tree was built",
        expected: "\(expected) blocks", found: "\(found) blocks", next: "build again from a file that nobody writes to")
    case .parameter(let fault):
      Diagnostic(
        "verity.parameter", .integrity, "the \(fault.field) is not acceptable", expected: fault.allowed,
        found: fault.found, next: "choose an accepted value; the defaults are sha256 and 4096-byte blocks")
    case .noSuperblock(let offset):
      Diagnostic(
        "verity.no-superblock", .integrity, "no dm-verity superblock at byte \(offset)",
        expected: "the signature `verity`", found: "other bytes",
        next: "name the place with --hash-offset, or the separate hash file with --verity-data")
    case .superblock(let fault, let offset):
      Diagnostic(
        "verity.superblock", .integrity, "the dm-verity superblock at byte \(offset) has a bad \(fault.field)",
        expected: fault.allowed, found: fault.found, next: Self.rebuild)
    case .unsupported(let fault, let offset):
      Diagnostic(
        "verity.unsupported", .unsupported,
        "the dm-verity superblock at byte \(offset) is sound, and this build does not support its \(fault.field)",
        expected: fault.allowed, found: fault.found,
        next: "make the tree again: veritysetup format --format 1 --hash sha256, or verity-bpf build-image DIR -o IMAGE"
      )
    case .truncated(let region, let expected, let actual):
      Diagnostic(
        "verity.truncated", .integrity,
        "the \(region.rawValue) ends at byte \(actual), before its end at byte \(expected)",
        expected: "\(expected) bytes", found: "\(actual) bytes", next: Self.rebuild)
    case .trailingBytes(let region, let expected, let actual):
      Diagnostic(
        "verity.trailing-bytes", .integrity,
        "bytes after the end of the \(region.rawValue) at byte \(expected) are under no hash",
        expected: "\(expected) bytes", found: "\(actual) bytes", next: Self.distrust
      ).suspicious()
    case .errorCorrection(let offset, let roots, let treeEnd):
      Diagnostic(
        "verity.error-correction", .unsupported, "data for error correction (FEC) follows the hash tree",
        expected: "a file that ends with the tree, at byte \(treeEnd)",
        found: "parity with \(roots) roots from byte \(offset) on",
        next:
          "name the file as that of its tree too, of which only the tree is read, --verity-data IMAGE --hash-offset N; "
          + "or make the tree again with a file of its own for the parity: veritysetup format --fec-device FILE")
    case .dataSize(let blocks, let expected, let superblockOffset):
      Diagnostic(
        "verity.data-size", .integrity,
        "the \(blocks) data blocks end at byte \(expected), but the superblock is at byte \(superblockOffset)",
        expected: "the superblock right after the data, at byte \(expected)", found: "at byte \(superblockOffset)",
        next: Self.rebuild)
    case .gapNotZero(let offset):
      Diagnostic(
        "verity.gap-not-zero", .integrity,
        "byte \(offset), between the superblock and the first hash block, is not zero", expected: "zeros",
        found: "another value", why: "these bytes are under no hash, so they may hold anything", next: Self.distrust
      ).suspicious()
    case .rootMismatch(let offset, let expected, let found):
      Diagnostic(
        "verity.root-mismatch", .integrity,
        "the block at byte \(offset), the top of the hash tree, does not have the root hash",
        expected: "\(expected)", found: "\(found)",
        next: "check that the root hash belongs to this image; if it does, \(Self.rebuild)")
    case .treeMismatch(let level, let index, let offset, let expected, let found):
      Diagnostic(
        "verity.tree-mismatch", .integrity, "hash block \(index) of level \(level) at byte \(offset) was changed",
        expected: "\(expected)", found: "\(found)", next: Self.check)
    case .dataMismatch(let index, let offset, let expected, let found):
      Diagnostic(
        "verity.data-mismatch", .integrity, "data block \(index) at byte \(offset) was changed",
        expected: "\(expected)",
        found: "\(found)", next: Self.check)
    case .spareNotZero(let level, let index, let offset):
      Diagnostic(
        "verity.spare-not-zero", .integrity,
        "hash block \(index) of level \(level) at byte \(offset) holds more than its digests",
        expected: "zeros after the last digest", found: "other bytes",
        why: "the spare digests could vouch for blocks the image does not have", next: Self.distrust
      ).suspicious()
    case .rootHashAlgorithm(let expected, let found):
      Diagnostic(
        "verity.root-hash-algorithm", .integrity, "the root hash is not of the tree's algorithm",
        expected: "\(expected.rawValue), \(expected.digestSize * 2) digits",
        found: "\(found.rawValue), \(found.digestSize * 2) digits",
        next: "give the root hash that was made with this image")
    }
  }
}
