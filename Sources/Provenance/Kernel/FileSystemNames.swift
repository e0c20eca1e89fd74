internal import KernelABI

/// Names of file systems for messages, and where the contents of their files come from.
enum FileSystemNames {
  /// Which devices hold the contents of a file.
  enum Contents: Equatable {
    /// The one that stat(2) names, and no other.
    case device
    /// Those that the file system lists itself; stat(2) names none of them.
    case listedDevices
    /// None that a hash tree could be asked for: why.
    case elsewhere(String)
  }

  /// - Parameter magic: the number that statfs(2) gives (``FileSystemMagic``).
  static func describe(_ magic: UInt64) -> (name: String, contents: Contents) {
    guard let known = FileSystemMagic(rawValue: magic) else {
      // What no header names: a kernel-made file system of Windows' subsystem for Linux.
      return magic == 0x5346_4846
        ? ("a kernel-made file system", .elsewhere("its files are not read from a device"))
        : (
          "file system type 0x" + String(magic, radix: 16),
          .elsewhere("this build does not know which devices its files are read from")
        )
    }
    return (displayName(known), contents(known))
  }

  private static func contents(_ fileSystem: FileSystemMagic) -> Contents {
    switch fileSystem {
    case .erofs, .ext4, .squashfs, .fat, .iso9660: .device
    case .btrfs: .listedDevices
    case .xfs: .elsewhere("its files may lie on a second device (realtime), which this build does not ask it about")
    case .f2fs: .elsewhere("its files may lie on several devices, which this build does not ask it about")
    case .overlay: .elsewhere("its files are those of its layers")
    case .tmpfs, .ramfs: .elsewhere("its files live in memory, where each process that may write there can change them")
    case .bpf: .elsewhere("it holds pinned objects, not files")
    case .fuse: .elsewhere("a user process answers for its contents")
    case .nfs, .ninep: .elsewhere("a server answers for its contents")
    case .proc, .sysfs, .securityfs, .tracefs, .debugfs, .cgroup2, .sockfs, .pipefs, .anonymousInode, .efivarfs, .nsfs,
      .binfmt:
      .elsewhere("its files are made by the kernel, not read from a device")
    }
  }

  /// As people call it.
  private static func displayName(_ fileSystem: FileSystemMagic) -> String {
    switch fileSystem {
    case .overlay: "overlayfs"
    case .proc: "procfs"
    case .bpf: "bpffs"
    case .fuse: "FUSE"
    case .nfs: "NFS"
    case .erofs, .ext4, .squashfs, .btrfs, .xfs, .f2fs, .fat, .iso9660, .tmpfs, .ramfs, .sysfs, .securityfs, .tracefs,
      .debugfs, .cgroup2, .ninep, .sockfs, .pipefs, .anonymousInode, .efivarfs, .nsfs,
      .binfmt:
      fileSystem.name
    }
  }
}
