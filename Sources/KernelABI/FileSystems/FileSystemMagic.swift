/// The number that a file system's superblock begins with, or that statfs(2) gives as its `f_type`
/// (include/uapi/linux/magic.h); a file system on disk has the same for both, but for its size there.
public enum FileSystemMagic: UInt64, KernelNumber {
  case erofs = 0xe0f5_e1e2
  /// ext2 and ext3 have it too.
  case ext4 = 0xef53
  case squashfs = 0x7371_7368
  case btrfs = 0x9123_683e
  case xfs = 0x5846_5342
  case f2fs = 0xf2f5_2010
  case fat = 0x4d44
  case iso9660 = 0x9660
  case overlay = 0x794c_7630
  case tmpfs = 0x0102_1994
  case ramfs = 0x8584_58f6
  case proc = 0x9fa0
  case sysfs = 0x6265_6572
  case securityfs = 0x7363_6673
  case tracefs = 0x7472_6163
  case debugfs = 0x6462_6720
  case bpf = 0xcafe_4a11
  case cgroup2 = 0x6367_7270
  case fuse = 0x6573_5546
  case nfs = 0x6969
  case ninep = 0x0102_1997
  case sockfs = 0x534f_434b
  case pipefs = 0x5049_5045
  case anonymousInode = 0x0904_1934
  case efivarfs = 0xde5e_81e4
  case nsfs = 0x6e73_6673
  case binfmt = 0x4249_4e4d

  public static let prefix = ""

  /// As mount(8) calls it.
  public var name: String {
    switch self {
    case .erofs: "erofs"
    case .ext4: "ext4"
    case .squashfs: "squashfs"
    case .btrfs: "btrfs"
    case .xfs: "xfs"
    case .f2fs: "f2fs"
    case .fat: "vfat"
    case .iso9660: "iso9660"
    case .overlay: "overlay"
    case .tmpfs: "tmpfs"
    case .ramfs: "ramfs"
    case .proc: "proc"
    case .sysfs: "sysfs"
    case .securityfs: "securityfs"
    case .tracefs: "tracefs"
    case .debugfs: "debugfs"
    case .bpf: "bpf"
    case .cgroup2: "cgroup2"
    case .fuse: "fuse"
    case .nfs: "nfs"
    case .ninep: "9p"
    case .sockfs: "sockfs"
    case .pipefs: "pipefs"
    case .anonymousInode: "anon_inodefs"
    case .efivarfs: "efivarfs"
    case .nsfs: "nsfs"
    case .binfmt: "binfmt_misc"
    }
  }

  public var headerName: String {
    switch self {
    case .erofs: "EROFS_SUPER_MAGIC_V1"
    case .ext4: "EXT4_SUPER_MAGIC"
    case .squashfs: "SQUASHFS_MAGIC"
    case .btrfs: "BTRFS_SUPER_MAGIC"
    case .xfs: "XFS_SUPER_MAGIC"
    case .f2fs: "F2FS_SUPER_MAGIC"
    case .fat: "MSDOS_SUPER_MAGIC"
    case .iso9660: "ISOFS_SUPER_MAGIC"
    case .overlay: "OVERLAYFS_SUPER_MAGIC"
    case .tmpfs: "TMPFS_MAGIC"
    case .ramfs: "RAMFS_MAGIC"
    case .proc: "PROC_SUPER_MAGIC"
    case .sysfs: "SYSFS_MAGIC"
    case .securityfs: "SECURITYFS_MAGIC"
    case .tracefs: "TRACEFS_MAGIC"
    case .debugfs: "DEBUGFS_MAGIC"
    case .bpf: "BPF_FS_MAGIC"
    case .cgroup2: "CGROUP2_SUPER_MAGIC"
    case .fuse: "FUSE_SUPER_MAGIC"
    case .nfs: "NFS_SUPER_MAGIC"
    case .ninep: "V9FS_MAGIC"
    case .sockfs: "SOCKFS_MAGIC"
    case .pipefs: "PIPEFS_MAGIC"
    case .anonymousInode: "ANON_INODE_FS_MAGIC"
    case .efivarfs: "EFIVARFS_MAGIC"
    case .nsfs: "NSFS_MAGIC"
    case .binfmt: "BINFMTFS_MAGIC"
    }
  }
}

/// Where a file system on disk has its number, for who looks at a device or an image.
public struct SuperblockPlace: Equatable, Sendable {
  /// Bytes from the device's start.
  public let offset: Int
  /// The number's bytes as they lie there.
  public let bytes: [UInt8]

  /// The place of a file system whose reader or whose name is wanted; nil for those without a superblock, and for those
  /// that nobody asks for here.
  public init?(of fileSystem: FileSystemMagic) {
    switch fileSystem {
    // fs/erofs/erofs_fs.h, struct erofs_super_block at byte 1024.
    case .erofs: self.init(offset: 1024, bytes: [0xe2, 0xe1, 0xf5, 0xe0])
    // fs/ext4/ext4.h, s_magic 56 bytes into the superblock at byte 1024.
    case .ext4: self.init(offset: 1024 + 56, bytes: [0x53, 0xef])
    // fs/squashfs/squashfs_fs.h: `hsqs`.
    case .squashfs: self.init(offset: 0, bytes: Array("hsqs".utf8))
    // fs/btrfs/fs.h: 64 bytes into the superblock at 64 KiB; the disk has a text there and not statfs(2)'s number.
    case .btrfs: self.init(offset: 0x1_0000 + 64, bytes: Array("_BHRfS_M".utf8))
    // fs/xfs/libxfs/xfs_format.h: `XFSB`, big-endian.
    case .xfs: self.init(offset: 0, bytes: Array("XFSB".utf8))
    // include/linux/f2fs_fs.h: the superblock is at byte 1024.
    case .f2fs: self.init(offset: 1024, bytes: [0x10, 0x20, 0xf5, 0xf2])
    case .fat, .iso9660, .overlay, .tmpfs, .ramfs, .proc, .sysfs, .securityfs, .tracefs, .debugfs, .bpf, .cgroup2,
      .fuse, .nfs, .ninep, .sockfs, .pipefs, .anonymousInode, .efivarfs, .nsfs, .binfmt:
      return nil
    }
  }

  private init(offset: Int, bytes: [UInt8]) {
    self.offset = offset
    self.bytes = bytes
  }
}
