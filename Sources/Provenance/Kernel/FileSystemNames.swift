internal import KernelABI

/// Names of file systems for messages, and why a file on each cannot be proven.
enum FileSystemNames {
  /// - Parameter magic: the number that statfs(2) gives (``FileSystemMagic``).
  static func describe(_ magic: UInt64) -> (name: String, why: String) {
    switch FileSystemMagic(rawValue: magic) {
    case .tmpfs: ("tmpfs", "its files live in memory and anybody who may write there can change them")
    case .overlay: ("overlayfs", "what it shows can come from a writable layer, whatever lies below")
    case .proc: ("procfs", "its files are made by the kernel, not read from an image")
    case .sysfs: ("sysfs", "its files are made by the kernel, not read from an image")
    case .bpf: ("bpffs", "it holds pinned objects, not files")
    case .ext4: ("ext4", "it is writable and has no hash tree over its blocks")
    case .xfs: ("xfs", "it is writable and has no hash tree over its blocks")
    case .btrfs: ("btrfs", "it is writable and spans devices, so no one device vouches for it")
    case .squashfs: ("squashfs", "this build reads EROFS images only")
    case .fuse: ("FUSE", "a user process answers for its contents")
    case .nfs: ("NFS", "a server answers for its contents")
    case .ninep: ("9p", "a server answers for its contents")
    case .ramfs: ("ramfs", "its files live in memory and anybody who may write there can change them")
    case .securityfs, .tracefs, .debugfs, .cgroup2, .sockfs, .pipefs, .anonymousInode, .efivarfs, .nsfs:
      (FileSystemMagic.describe(magic), "its files are made by the kernel, not read from an image")
    case .erofs, .f2fs, .fat, .iso9660: (FileSystemMagic.describe(magic), "it is not an EROFS image")
    case nil:
      // What no header names: a kernel-made file system of Windows' subsystem for Linux.
      magic == 0x5346_4846
        ? ("a kernel-made file system", "its files are not read from an image")
        : ("file system type 0x" + String(magic, radix: 16), "it is not an EROFS image")
    }
  }
}
