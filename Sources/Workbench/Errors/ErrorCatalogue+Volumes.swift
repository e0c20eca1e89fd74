extension ErrorCatalogue {
  /// What file systems of others say: the same checks, with the names of each format.
  static let volumeParagraphs: [String: String] = {
    let formats: [(code: String, name: String, checks: String, unread: String)] = [
      (
        "squashfs", "squashfs", "unsquashfs -ll",
        "the compressions lzo and lzma, versions other than 4.0, or something that is newer than this build"
      ),
      (
        "ext4", "ext2, ext3 or ext4", "e2fsck -fn",
        "a journal that has to be replayed, files that are encrypted or have fs-verity, directories whose names are found in any case, a boot loader before the superblock, or something that is newer than this build"
      ),
    ]
    var paragraphs: [String: String] = [:]
    for format in formats {
      let texts: [(String, String)] = [
        (
          "block",
          "A block of the file system could not be read or verified; the reason is shown with it. Get the image again."
        ),
        (
          "superblock-checksum",
          "The checksum of the \(format.name) superblock is wrong. A superblock may have none, and what it has must be right."
        ),
        (
          "metadata-checksum",
          "The checksum of an inode, a directory, a group or a block of extents is wrong. The kernel refuses it too. It is under the root hash, so it was built like this: `\(format.checks)` says more."
        ),
        ("superblock", "The \(format.name) superblock has a value that is not accepted, or contradicts itself."),
        (
          "unsupported-feature",
          "The file system uses what this build does not read: \(format.unread). That is no reason to distrust it. `verify` checks its blocks all the same, and on a dm-verity device a rule with x_witness=KERNEL believes the kernel."
        ),
        (
          "missing-library",
          "The file system is compressed, and the library that undoes it (zlib, liblzma, liblz4 or libzstd) is not on this host. Install the package that is named. Nothing is wrong with the image."
        ),
        (
          "bad-cluster",
          "A compressed block does not make what it should, or something follows it. Get the image again, or build it again."
        ),
        (
          "device-size",
          "The file system says that it is larger than the data under the tree, so that a part of it would be under no hash. The other way round, data that go on behind the file system, is fine."
        ),
        ("out-of-range", "Something in the file system points beyond where it can be."),
        ("bad-inode", "An inode of the file system contradicts itself. `\(format.checks)` says more."),
        (
          "bad-directory",
          "A directory has a name twice, or one that no file can have, or its entries do not fit together or to the inodes that they lead to."
        ),
        ("bad-tree", "The directories do not form a tree: one is in two places, or within itself."),
        (
          "too-large",
          "The image has more files, or a larger one, than this reader takes. docs/formats.md has the limits. Nothing is said against the image."
        ),
        ("not-found", "The image has no file of that name. `verity-bpf inspect IMAGE` lists those it has."),
        (
          "wrong-kind",
          "The path leads to something else than was asked for, such as a directory or a symbolic link. Links are never followed in an image."
        ),
      ]
      for (check, text) in texts { paragraphs["\(format.code).\(check)"] = text }
    }
    return paragraphs
  }()
}
