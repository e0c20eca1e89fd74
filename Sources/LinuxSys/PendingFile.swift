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
    let temporary = "\(path).tmp-\(getpid())-\(UInt32.random(in: .min ... .max))"
    descriptor = try OwnedFD.open(temporary, [.readWrite, .create, .exclusive, .noFollow], mode: mode)
    temporaryPath = temporary
    self.path = path
    Cleanup.register(temporary)
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
