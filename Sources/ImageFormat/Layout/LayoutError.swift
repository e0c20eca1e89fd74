public import Verity
public import Base

/// Why an image's layout, or a file beside it, was refused.
public enum LayoutError: Error, Equatable, Sendable {
  /// The superblock, or the sizes it states, were refused, or the image could not be read.
  case verity(VerityError)
  /// No EROFS superblock at byte 1024, so nothing says where the data ends.
  case noFileSystem(byteCount: UInt64)
  /// The EROFS superblock's size fields make no sense.
  case fileSystemSize(blockBits: UInt8, blocks: UInt32)
  /// The EROFS superblock names other devices for its files' contents, so that its size does not say where the data ends.
  case severalDevices(count: UInt16, superblockOffset: UInt64)
  /// A root-hash file does not hold one root hash; `found` describes what it holds.
  case rootHash(found: String)
  /// A GUID partition table is damaged, or holds other partitions than an image has; the first text names the part.
  case partitionTable(String, expected: String, found: String)
  /// No partition of a disk is under dm-verity; `found` names what there is.
  case noVerityPartition(found: String)
  /// No slot of a disk has the UUIDs of the root hash.
  case noSlot(rootHash: String, slots: [String])
  /// A disk has several slots, and no root hash says which one is meant.
  case severalSlots([String])
  /// The second copy of a partition table, at the disk's end, is not there or says something else.
  case secondTable(expected: String, found: String)
  /// A part of the image lies outside its file.
  case outside(start: UInt64, byteCount: UInt64, of: UInt64)
  /// A signature partition holds something else.
  case signatureRecord(found: String)
  /// The file for the root hash's signature is no file that could hold one.
  case signatureFile(path: String, found: String)
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
        next: "name the place of the dm-verity superblock, --hash-offset N, or its file, --verity-data FILE")
    case .fileSystemSize(let blockBits, let blocks):
      Diagnostic(
        "layout.file-system-size", .integrity, "the EROFS superblock at byte 1024 has no usable size",
        expected: "blocks of 2^9 to 2^16 bytes, at least one", found: "\(blocks) blocks of 2^\(blockBits) bytes",
        next: "rebuild the image: verity-bpf build-image DIR -o IMAGE")
    case .severalDevices(let count, let offset):
      Diagnostic(
        "layout.several-devices", .unsupported,
        "the file system says that contents are on other devices, so that its size does not say where the hash tree is",
        expected: "an EROFS without a device table, or a dm-verity superblock behind it at byte \(offset)",
        found: "a device table, \(count) devices (mkfs.erofs --tar=i, --blobdev)",
        next:
          "name the place of the superblock, --hash-offset N, to check its blocks; its files are not read by this build"
      )
    case .rootHash(let found):
      Diagnostic(
        "layout.root-hash", .integrity, "this is not a root hash",
        expected: "64 (sha256) or 128 (sha512) hexadecimal digits",
        found: found, next: "take the root hash that the build printed, or the image's .roothash file")
    case .partitionTable(let part, let expected, let found):
      Diagnostic(
        "layout.partition-table", .integrity, "the disk's partition table is not that of an image (\(part))",
        expected: expected, found: found,
        next: "look at it with: sfdisk --dump IMAGE; rebuild it with: verity-bpf build-image DIR -o IMAGE --layout ddi")
    case .noVerityPartition(let found):
      Diagnostic(
        "layout.no-verity-partition", .unsupported, "no partition of the disk is under dm-verity",
        expected: "a root or usr partition and its hash tree, by their types", found: found,
        next: "look at it with: sfdisk --dump IMAGE; make it with: verity-bpf build-image DIR -o IMAGE --layout ddi")
    case .noSlot(let rootHash, let slots):
      Diagnostic(
        "layout.no-slot", .integrity, "no slot of the disk has root hash \(rootHash)",
        expected: "a data partition whose UUID is the root hash's first half, and a tree with the last",
        found: slots.joined(separator: ", "), next: "give the root hash of one of these slots")
    case .severalSlots(let slots):
      Diagnostic(
        "layout.several-slots", .usage, "the disk has several slots, and only a root hash says which one is meant",
        expected: "a root hash, or its file beside the image", found: slots.joined(separator: ", "),
        next: "give the root hash that you trust: --root-hash HASH or --root-hash-file FILE")
    case .secondTable(let expected, let found):
      Diagnostic(
        "layout.second-table", .integrity,
        "the second copy of the disk's partition table, at its end, is not as the first",
        expected: expected, found: found,
        why: "of a file that was cut short, or has something behind it, not every byte is accounted for",
        next: "get the whole image again; on a device larger than the image: sgdisk -e DEVICE")
    case .outside(let start, let byteCount, let size):
      Diagnostic(
        "layout.outside", .integrity, "a part of the image lies outside its file",
        expected: "\(byteCount) bytes at byte \(start)", found: "a file of \(size) bytes",
        next: "get the whole image, and set the loop device up again")
    case .signatureRecord(let found):
      Diagnostic(
        "layout.signature-record", .integrity, "the partition for the root hash's signature holds no signature",
        expected: "a JSON object with `rootHash` and `signature`, then NUL bytes", found: found,
        next:
          "sign the image again: verity-bpf build-image DIR -o IMAGE --layout ddi --private-key FILE --certificate FILE"
      )
    case .signatureFile(let path, let found):
      Diagnostic(
        "layout.signature-file", .integrity, "`\(path)` holds no signature of a root hash",
        expected: "a regular file with one PKCS#7 message in DER", found: found,
        why: "what lies at that place is meant to count, so it is not passed over",
        next:
          "remove it, or sign the image again: verity-bpf sign root-hash IMAGE --certificate FILE --private-key FILE")
    }
  }
}
