internal import Base
internal import KernelABI
internal import Glibc
internal import Linux
internal import Synchronization

/// The directories that the pins of one run lie in, shared by its loads, which may be under way at the same time.
///
/// A directory that the run has made is removed when the last load that uses it has failed. Without this count, a load
/// that fails would remove the directory that another one has just found there and is about to pin in.
public final class PinDirectories: Sendable {
  private struct Use {
    /// Loads under way in it, and those that have left something there for good.
    var count: Int
    /// False for a directory that was there before.
    let isOurs: Bool
  }

  /// Permissions of the directories that a load makes: what is pinned there is its user's alone.
  static let mode: UInt32 = 0o700

  private let used = Mutex<[String: Use]>([:])

  public init() {}

  /// Enters a directory, making it when it is missing: it stays at least until ``leave(_:)``.
  ///
  /// - Throws: `SystemError` of mkdir(2); EEXIST only when something else than a directory is there.
  func enter(_ path: String) throws(SystemError) {
    try used.withLock { (used) throws(SystemError) in
      if used[path] == nil { used[path] = Use(count: 0, isOurs: try Self.make(path)) }
      used[path]?.count += 1
    }
  }

  /// Enters those of the directories, each within the one before, that a load of this run has entered and not left;
  /// returns how many they are, from the first to the last that is known.
  func enterKnown(_ paths: [String]) -> Int {
    used.withLock { used in
      guard let last = paths.lastIndex(where: { used[$0] != nil }) else { return 0 }
      for path in paths[...last] { used[path]?.count += 1 }
      return last + 1
    }
  }

  /// Leaves a directory because the load has failed. It goes when nobody else is in it, and was not there before.
  func leave(_ path: String) {
    used.withLock { used in
      guard let use = used[path] else { return }
      used[path]?.count -= 1
      guard use.count <= 1 else { return }
      used[path] = nil
      // Not empty when another process has put something there since; then it stays.
      if use.isOurs { _ = path.withSystemPath { unsafe rmdir($0) } }
    }
  }

  /// Whether the directory had to be made.
  private static func make(_ path: String) throws(SystemError) -> Bool {
    do throws(SystemError) {
      try Directory.create(path, mode: mode)
      return true
    } catch  where error.code == .eexist {
      guard let status = try? FileStatus.of(path: path, followLinks: false), status.kind == .directory else {
        throw error
      }
      return false
    }
  }
}
