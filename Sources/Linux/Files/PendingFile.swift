internal import Base
internal import CLinuxShim
internal import Glibc
internal import KernelABI

/// A file that appears under its name only when it is complete.
///
/// The bytes go to a temporary name in the same directory; ``commit()`` syncs and renames. When the owner goes
/// without a commit, the temporary file is removed; what killed runs have left of the same file is removed by the next.
public struct PendingFile: ~Copyable {
  public let descriptor: OwnedFD
  /// The name that is written until the commit.
  public let temporaryPath: String
  /// The name the file will have.
  public let path: String

  /// Creates the temporary file beside `path`.
  public init(replacing path: String, mode: UInt32 = 0o644) throws(SystemError) {
    let (parent, name) = Leftovers.place(of: path)
    Leftovers.collectFiles(in: parent, of: name)
    try self.init(replacing: path, mode: mode) { "\(Leftovers.prefix(of: path))\(Leftovers.newEnding())" }
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
    try self.init(replacing: path, mode: mode) { "\(directory)/\(name)" }
  }

  private init(replacing path: String, mode: UInt32, naming: () -> String) throws(SystemError) {
    let flags: OpenFlags = [.readWrite, .create, .exclusive, .noFollow]
    var failure = SystemError("open", path: path, errno: 0)
    // More than once only where another run took the new file for left over before it was claimed.
    for _ in 0..<16 {
      let temporaryPath = naming()
      var opened: CInt = -1
      let made = Cleanup.register {
        opened = temporaryPath.withSystemPath { unsafe vb_open($0, flags.rawValue, mode) }
        if opened < 0 { failure = .current("open", path: temporaryPath) }
        return opened >= 0 ? temporaryPath : nil
      }
      guard made != nil else { throw failure }
      let file = OwnedFD(adopting: opened)
      guard Leftovers.claim(file, at: temporaryPath) else {
        Cleanup.forget(temporaryPath)
        failure = SystemError("open", path: temporaryPath, .enoent)
        continue
      }
      descriptor = file
      self.temporaryPath = temporaryPath
      self.path = path
      return
    }
    throw failure
  }

  deinit {
    // After a commit the temporary name is gone, and this does nothing.
    Cleanup.remove(temporaryPath)
  }

  /// Syncs the bytes and gives the file its name.
  public consuming func commit() throws(SystemError) {
    try descriptor.sync()
    try Directory.rename(temporaryPath, to: path)
  }
}
