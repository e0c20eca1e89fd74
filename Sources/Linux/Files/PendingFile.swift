internal import CLinuxShim
internal import Glibc

/// A file that appears under its name only when it is complete.
///
/// The bytes go to a temporary name in the same directory; ``commit()`` syncs and renames. When the owner goes
/// without a commit, the temporary file is removed.
public struct PendingFile: ~Copyable {
  public let descriptor: OwnedFD
  /// The name that is written until the commit.
  public let temporaryPath: String
  /// The name the file will have.
  public let path: String

  /// Creates the temporary file beside `path`.
  public init(replacing path: String, mode: UInt32 = 0o644) throws(SystemError) {
    try self.init(
      replacing: path, temporaryPath: "\(path).tmp-\(getpid())-\(UInt32.random(in: .min ... .max))", mode: mode)
  }

  /// Creates the temporary file in a private directory of the file system that `path` is on.
  ///
  /// For a file that another program writes by name: where the directory is removed, that program cannot bring the
  /// file back, and where it is private, nobody else can put another file in its place.
  ///
  /// - Parameter name: the file's name there.
  public init(
    replacing path: String, in directory: String, as name: String = "pending", mode: UInt32 = 0o644
  ) throws(SystemError) {
    try self.init(replacing: path, temporaryPath: "\(directory)/\(name)", mode: mode)
  }

  private init(replacing path: String, temporaryPath: String, mode: UInt32) throws(SystemError) {
    let flags: OpenFlags = [.readWrite, .create, .exclusive, .noFollow]
    var opened: CInt = -1
    var failure = SystemError("open", path: temporaryPath, errno: 0)
    let made = Cleanup.register {
      opened = unsafe temporaryPath.withCString { unsafe vb_open($0, flags.rawValue, mode) }
      if opened < 0 { failure = .current("open", path: temporaryPath) }
      return opened >= 0 ? temporaryPath : nil
    }
    guard made != nil else { throw failure }
    descriptor = OwnedFD(adopting: opened)
    self.temporaryPath = temporaryPath
    self.path = path
  }

  deinit {
    // After a commit the temporary name is gone, and this does nothing.
    Cleanup.remove(temporaryPath)
  }

  /// Syncs the bytes and gives the file its name.
  public consuming func commit() throws(SystemError) {
    try descriptor.sync()
    guard unsafe rename(temporaryPath, path) == 0 else { throw .current("rename", path: path) }
  }
}
