internal import Base
internal import CLinuxShim
internal import Glibc
internal import KernelABI

/// Directories by path, for the tools that read and write ordinary files.
public enum Directory {
  /// The names in a directory without `.` and `..`, sorted bytewise.
  public static func names(_ path: String) throws(SystemError) -> [String] {
    guard let stream = path.withSystemPath({ unsafe opendir($0) }) else { throw .current("opendir", path: path) }
    return try unsafe names(in: stream, path: path)
  }

  /// The same of an open directory.
  ///
  /// - Parameter path: where it was opened, for the error.
  static func names(of directory: borrowing OwnedFD, path: String) throws(SystemError) -> [String] {
    let copy = directory.withRaw { vb_fcntl_dupfd_cloexec($0) }
    guard copy >= 0 else { throw .current("fcntl F_DUPFD_CLOEXEC", path: path) }
    guard let stream = unsafe fdopendir(copy) else {
      let error = SystemError.current("fdopendir", path: path)
      vb_close(copy)
      throw error
    }
    return try unsafe names(in: stream, path: path)
  }

  /// Reads the names and closes the stream.
  private static func names(in stream: OpaquePointer, path: String) throws(SystemError) -> [String] {
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while true {
      Glibc.errno = 0
      guard let entry = unsafe readdir(stream) else { break }
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(systemCString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    guard Glibc.errno == 0 else { throw .current("readdir", path: path) }
    return names.sortedBytewise()
  }

  /// The path from the root: the current directory before a relative one (getcwd(3)).
  public static func absolute(_ path: String) throws(SystemError) -> String {
    if path.hasPrefix("/") { return path }
    guard let current = unsafe getcwd(nil, 0) else { throw .current("getcwd") }
    defer { unsafe free(current) }
    return "\(unsafe String(systemCString: current))/\(path)"
  }

  /// The path from the root without symbolic links (realpath(3)). It has to lead to something.
  public static func resolved(_ path: String) throws(SystemError) -> String {
    guard let resolved = path.withSystemPath({ unsafe realpath($0, nil) }) else {
      throw .current("realpath", path: path)
    }
    defer { unsafe free(resolved) }
    return unsafe String(systemCString: resolved)
  }

  /// What a symbolic link says (readlink(2)), one of procfs too.
  public static func linkTarget(_ path: String) throws(SystemError) -> String {
    var target = [CChar](repeating: 0, count: 4096)
    let size = target.count
    let count = path.withSystemPath { unsafe readlink($0, &target, size) }
    guard count >= 0 else { throw .current("readlink", path: path) }
    return String(systemBytes: target.prefix(count).map { UInt8(bitPattern: $0) })
  }

  /// Refuses a directory in which this process could make no file: it may not (faccessat(2)), the file system is mounted
  /// read-only, or it is one of the kernel's own, which take none (ENOENT, as mkdir(2) answers there).
  public static func requireWritable(_ path: String) throws(SystemError) {
    let directory = try OwnedFD.open(path, [.path, .directory])
    let isAllowed = path.withSystemPath { unsafe faccessat(AT_FDCWD, $0, W_OK | X_OK, AT_EACCESS) }
    guard isAllowed == 0 else { throw .current("access", path: path) }
    let kernels: [FileSystemMagic] = [.proc, .sysfs, .securityfs, .tracefs, .debugfs, .bpf, .cgroup2]
    guard let type = FileSystemMagic(rawValue: try directory.fileSystemType()), kernels.contains(type) else { return }
    throw SystemError("mkdir", path: path, .enoent)
  }

  /// mkdir(2).
  public static func create(_ path: String, mode: UInt32 = 0o755) throws(SystemError) {
    guard path.withSystemPath({ unsafe mkdir($0, mode_t(mode)) }) == 0 else { throw .current("mkdir", path: path) }
  }

  /// rename(2): whatever has the new name is replaced.
  public static func rename(_ path: String, to other: String) throws(SystemError) {
    let result = path.withSystemPath { path in other.withSystemPath { unsafe Glibc.rename(path, $0) } }
    guard result == 0 else { throw .current("rename", path: path) }
  }

  /// renameat2(2) with RENAME_EXCHANGE: each of two paths gets at once what the other led to.
  public static func exchange(_ path: String, with other: String) throws(SystemError) {
    guard unsafe vb_exchange(path, other) == 0 else { throw .current("renameat2", path: path) }
  }

  /// A new private directory below `parent` (by default `TMPDIR` or /tmp), registered for ``Cleanup``.
  public static func createTemporary(prefix: String, in parent: String? = nil) throws(SystemError) -> String {
    let base = parent ?? Environment.value("TMPDIR") ?? "/tmp"
    var template = "\(base)/\(prefix)-XXXXXX".systemBytes.map { CChar(bitPattern: $0) } + [0]
    var failure = SystemError("mkdtemp", path: "\(base)/\(prefix)-XXXXXX", errno: 0)
    let made = Cleanup.register {
      unsafe template.withUnsafeMutableBufferPointer { buffer -> String? in
        if let address = buffer.baseAddress, let result = unsafe mkdtemp(address) {
          return unsafe String(systemCString: result)
        }
        failure = .current(failure.operation, path: failure.path)
        return nil
      }
    }
    guard let made else { throw failure }
    return made
  }
}

extension Directory {
  /// Removes the temporary files of ``PendingFile`` that killed runs have left in a directory.
  public static func collectLeftovers(_ path: String) { Leftovers.collectFiles(in: path) }

  /// chmod(2): the permission bits as given, whatever the umask.
  public static func setPermissions(_ path: String, _ mode: UInt32) throws(SystemError) {
    guard path.withSystemPath({ unsafe chmod($0, mode_t(mode)) }) == 0 else { throw .current("chmod", path: path) }
  }
}

/// A private directory with one owner; it and everything below it are removed when the owner goes, or the process is
/// told to stop. What killed runs have left under the same prefix is removed by the next.
public struct PrivateDirectory: ~Copyable {
  public let path: String
  /// Locked as long as the directory is in use.
  private let claim: OwnedFD

  /// Makes a directory only this user can enter, below `parent` (by default `TMPDIR` or /tmp).
  ///
  /// - Parameter prefix: begins a name that nobody else gives to a directory.
  public init(prefix: String, in parent: String? = nil) throws(SystemError) {
    let base = parent ?? Environment.value("TMPDIR") ?? "/tmp"
    Leftovers.collectDirectories(in: base, prefix: prefix)
    while true {
      let made = try Directory.createTemporary(prefix: prefix, in: base)
      let held: OwnedFD
      do throws(SystemError) {
        held = try OwnedFD.open(made, [.readOnly, .directory, .noFollow])
      } catch {
        Cleanup.remove(made)
        // Another run took the new one for left over.
        if error.code == .enoent { continue }
        throw error
      }
      guard Leftovers.claim(held, at: made) else {
        Cleanup.forget(made)
        continue
      }
      path = made
      claim = held
      return
    }
  }

  deinit { Cleanup.remove(path) }
}
