/// Names of file systems by their magic numbers (include/uapi/linux/magic.h and the file systems' own headers), for
/// messages, and why a file on each cannot be proven.
enum FileSystemNames {
  /// EROFS_SUPER_MAGIC_V1.
  static let erofs: UInt64 = 0xe0f5_e1e2

  static func describe(_ magic: UInt64) -> (name: String, why: String) {
    switch magic {
    case 0x0102_1994: ("tmpfs", "its files live in memory and anybody who may write there can change them")
    case 0x794c_7630:
      ("overlayfs", "what it shows can come from a writable layer, whatever lies below")
    case 0x9fa0: ("procfs", "its files are made by the kernel, not read from an image")
    case 0x6265_6572: ("sysfs", "its files are made by the kernel, not read from an image")
    case 0xcafe_4a11: ("bpffs", "it holds pinned objects, not files")
    case 0xef53: ("ext4", "it is writable and has no hash tree over its blocks")
    case 0x5846_5342: ("xfs", "it is writable and has no hash tree over its blocks")
    case 0x9123_683e: ("btrfs", "it is writable and spans devices, so no one device vouches for it")
    case 0x7371_7368: ("squashfs", "this build reads EROFS images only")
    case 0x6573_5546: ("FUSE", "a user process answers for its contents")
    case 0x6969: ("NFS", "a server answers for its contents")
    case 0x0102_1997: ("9p", "a server answers for its contents")
    case 0x5346_4846: ("a kernel-made file system", "its files are not read from an image")
    default: ("file system type 0x" + String(magic, radix: 16), "it is not an EROFS image")
    }
  }
}
