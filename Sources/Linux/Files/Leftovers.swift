internal import Base
internal import CLinuxShim
internal import Glibc

/// What runs that were killed have left: temporary files and directories of ours that no process holds any more.
///
/// A run holds the lock (flock(2)) of each temporary file and directory as long as it lives, in whatever process and
/// namespace. What can be locked is therefore left over. A file system without such locks keeps its leftovers.
enum Leftovers {
  /// What a temporary file beside `path` is called, but for its end.
  static func prefix(of name: String) -> String { "\(name).tmp-" }

  /// The end of a new temporary file's name: the process and a number.
  static func newEnding() -> String { "\(getpid())-\(UInt32.random(in: .min ... .max))" }

  /// Whether a name is of a temporary file, beside whatever.
  static func isTemporary(_ name: String) -> Bool {
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count >= 3, parts[parts.count - 3].hasSuffix(".tmp") else { return false }
    return parts.suffix(2).allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
  }

  /// Removes the temporary files beside a file, or those of all files in a directory.
  ///
  /// - Parameter name: the file's name; nil for all.
  static func collectFiles(in directory: String, of name: String? = nil) {
    let names = (try? Directory.names(directory)) ?? []
    for entry in names where isTemporary(entry) {
      if let name, !entry.hasPrefix(prefix(of: name)) { continue }
      let path = "\(directory)/\(entry)"
      guard let file = try? OwnedFD.open(path, [.readOnly, .noFollow, .nonBlocking]),
        isLeftOver(file, .regular, at: path)
      else { continue }
      _ = path.withSystemPath { unsafe unlink($0) }
    }
  }

  /// Removes the directories that `mkdtemp` named: `PREFIX-` and six characters of its choice.
  static func collectDirectories(in parent: String, prefix: String) {
    let names = (try? Directory.names(parent)) ?? []
    for entry in names where entry.hasPrefix("\(prefix)-") && entry.utf8.count == prefix.utf8.count + 7 {
      let path = "\(parent)/\(entry)"
      guard let directory = try? OwnedFD.open(path, [.readOnly, .directory, .noFollow]),
        isLeftOver(directory, .directory, at: path)
      else { continue }
      Cleanup.removeTree(path)
    }
  }

  /// Whether an open file is this user's, of that kind, still under its name, and held by nobody. It is held from then on.
  private static func isLeftOver(_ file: borrowing OwnedFD, _ kind: FileStatus.Kind, at path: String) -> Bool {
    guard let status = try? file.status(), status.kind == kind, status.owner == UInt64(geteuid()),
      file.withRaw({ vb_lock_exclusive_now($0) }) == 0
    else { return false }
    return isStill(status, at: path)
  }

  /// Holds what was just made as long as it is open, so that other runs leave it alone. Where there are no locks, they do
  /// that too.
  ///
  /// - Returns: false when another run took it for left over before.
  static func claim(_ file: borrowing OwnedFD, at path: String) -> Bool {
    do throws(SystemError) {
      try file.lockExclusively()
      return isStill(try file.status(), at: path)
    } catch {
      return true
    }
  }

  /// A path as a directory and a name in it.
  static func place(of path: String) -> (directory: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let directory = slash == path.startIndex ? "/" : String(path[..<slash])
    return (directory, String(path[path.index(after: slash)...]))
  }

  /// Whether a name still leads to a file.
  private static func isStill(_ status: FileStatus, at path: String) -> Bool {
    guard let named = try? FileStatus.of(path: path, followLinks: false) else { return false }
    return named.inode == status.inode && named.device == status.device
  }
}
