internal import Glibc
internal import KernelABI
internal import Synchronization

/// The roots that the kernel's files are looked for from.
extension KernelFile {
  /// One of the kernel's file systems, and where it belongs.
  struct Place {
    let path: String
    /// `f_type` of statfs(2).
    let type: FileSystemMagic
    /// Whether the root's inode number, which the kernel gives, has to be 1: no directory of the same file system lies
    /// in its place. Not asked of /proc/sys, which is a directory that containers like to bind onto itself, and below
    /// which there are paths that no other directory of procfs has; nor of file systems that number their roots like
    /// everything else.
    let isRoot: Bool
  }

  /// The longer paths first.
  private static let places = [
    Place(path: "/sys/firmware/efi/efivars", type: .efivarfs, isRoot: false),
    Place(path: "/sys/kernel/debug/tracing", type: .tracefs, isRoot: true),
    Place(path: "/sys/kernel/security", type: .securityfs, isRoot: true),
    Place(path: "/sys/kernel/tracing", type: .tracefs, isRoot: true),
    Place(path: "/sys", type: .sysfs, isRoot: true),
    Place(path: "/proc/sys/fs/binfmt_misc", type: .binfmt, isRoot: true),
    Place(path: "/proc/sys", type: .proc, isRoot: false),
    Place(path: "/proc", type: .proc, isRoot: true),
  ]

  /// A root that was found to be the kernel's.
  private final class KeptRoot: Sendable {
    let descriptor: OwnedFD

    init(descriptor: consuming OwnedFD) { self.descriptor = descriptor }
  }

  /// By their paths; nil when each question looks at its root again.
  private static let kept = Mutex<[String: KeptRoot]?>(nil)

  /// From now on each root is opened and looked at once, and stays open to the end of the process.
  ///
  /// For a command, which asks for dozens of the kernel's files. What is mounted over a root after it was first used
  /// hides nothing from such a process: it goes on asking the file system that it looked at.
  public static func keepRoots() { kept.withLock { $0 = $0 ?? [:] } }

  static func place(of path: String, _ statement: KernelStatement) throws(SystemError) -> Place {
    guard let place = places.first(where: { path == $0.path || path.hasPrefix($0.path + "/") }) else {
      throw .unanswered(statement, at: path, found: "no place of the kernel's", errno: EINVAL)
    }
    return place
  }

  /// Uses the directory that a path is to be followed from.
  static func withRoot<Result: ~Copyable>(
    of path: String, _ statement: KernelStatement, _ use: (borrowing OwnedFD) throws(SystemError) -> Result
  ) throws(SystemError) -> Result {
    let place = try place(of: path, statement)
    if let root = kept.withLock({ $0?[place.path] }) { return try use(root.descriptor) }
    let root = KeptRoot(descriptor: try root(place, of: path, statement))
    kept.withLock { $0?[place.path] = root }
    return try use(root.descriptor)
  }

  /// Opens a directory that paths are to be followed from, and sees that it is the kernel's.
  private static func root(
    _ place: Place, of path: String, _ statement: KernelStatement
  ) throws(SystemError) -> OwnedFD {
    do throws(SystemError) {
      let root = try OwnedFD.open(place.path, [.path, .directory])
      let inode = try root.status().inode
      let type = try root.fileSystemType()
      if type == place.type.rawValue, !place.isRoot || inode == 1 { return root }
      let found = type == place.type.rawValue ? "another directory of it" : FileSystemMagic.describe(type)
      throw .unanswered(statement, at: path, found: "\(found) at `\(place.path)`, and not \(place.type.name)")
    } catch {
      guard error.unanswered == nil else { throw error }
      throw .unanswered(statement, at: path, found: "no `\(place.path)`", errno: error.errno)
    }
  }
}
