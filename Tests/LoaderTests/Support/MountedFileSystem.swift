import Glibc
import Linux

/// A file system of its own in a temporary directory, so that tests leave the machine's mounts alone.
final class MountedFileSystem: Sendable {
  private let directory: TemporaryDirectory
  var path: String { directory.path }

  /// Mounts `bpf` or `cgroup2`.
  init(_ type: String) throws {
    directory = try TemporaryDirectory()
    guard mount(type, directory.path, type, 0, nil) == 0 else {
      throw SystemError("mount", path: directory.path, errno: errno)
    }
  }

  deinit { umount2(path, Int32(MNT_DETACH)) }
}
