internal import CLinuxShim
internal import Glibc

/// mount(2) and umount2(2).
public enum Mount {
  /// How a file system is mounted.
  public struct Flags: OptionSet, Sendable {
    public let rawValue: UInt
    public init(rawValue: UInt) { self.rawValue = rawValue }

    public static let readOnly = Flags(rawValue: UInt(VB_MS_RDONLY))
    public static let noSetUserID = Flags(rawValue: UInt(VB_MS_NOSUID))
    public static let noDevices = Flags(rawValue: UInt(VB_MS_NODEV))
    public static let noExecution = Flags(rawValue: UInt(VB_MS_NOEXEC))
  }

  /// Mounts `source` of a file system `type` on the directory `target`.
  public static func mount(
    _ source: String, on target: String, type: String, _ flags: Flags = []
  ) throws(SystemError) {
    guard unsafe vb_mount(source, target, type, flags.rawValue, nil) == 0 else { throw .current("mount", path: target) }
  }

  /// Unmounts, without following a symbolic link at the end of the path. EBUSY while files are open.
  public static func unmount(_ target: String) throws(SystemError) {
    guard unsafe vb_umount(target) == 0 else { throw .current("umount", path: target) }
  }

  /// From now on what the calling thread mounts is seen by nobody else, and goes away when the thread ends, however it
  /// ends (mount_namespaces(7)). Needs CAP_SYS_ADMIN.
  public static func enterPrivateNamespace() throws(SystemError) {
    guard vb_unshare_mounts() == 0 else { throw .current("unshare CLONE_NEWNS") }
  }
}
