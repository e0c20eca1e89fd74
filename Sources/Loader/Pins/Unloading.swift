internal import KernelABI
public import Base
internal import Glibc
public import Linux

/// Why pins were not removed.
public enum UnloadError: Error, Sendable {
  /// The directory is not what `load --pin-path` leaves.
  case notOurs(path: String, found: String)
  case system(SystemError)
}

extension UnloadError: Diagnosable {
  public var diagnostic: Diagnostic {
    switch self {
    case .notOurs(let path, let found):
      Diagnostic(
        "unload.not-ours", .incomplete, "`\(path)` is not what `load --pin-path` leaves, so nothing was removed",
        expected:
          "a directory of a BPF file system with prog/, map/ and link/, or with a directory for each object that "
          + "has them, and pins in them alone", found: found,
        next: "look at it: bpftool prog show; find \(path)")
    case .system(let error): error.diagnostic
    }
  }
}

/// Takes away the pins that a load made. A program without a pin, and without another holder, is unloaded.
public enum Unloading {
  /// What became of a pin path.
  public struct Result: Equatable, Sendable {
    /// Pins that are gone, links before programs before maps.
    public fileprivate(set) var removed: [String] = []
    /// The pins among them whose structures of functions (struct_ops) were registered until now.
    public fileprivate(set) var unregistered: [String] = []
    /// Pins and directories that could not be removed, each with the reason.
    public fileprivate(set) var remaining: [String] = []
  }

  /// Removes the pins at and below `path`, of one object and of several, and the directories that held them, be they empty; above
  /// it those that loads have made and that hold nothing any more. Everything is looked at before anything goes.
  ///
  /// Where the pins are what a killed run has left that was about to exchange them for others
  /// (``InterruptedReplacement``), links that it had moved get their programs back first.
  ///
  /// - Throws: ``UnloadError`` when the directory is on another file system or holds anything else; nothing is removed.
  public static func unload(pinPath path: String) throws(UnloadError) -> Result {
    let path = try absolute(path)
    let tree = try PinTree(path)
    var kept: [String] = []
    do throws(BPFLoadError) {
      try InterruptedReplacement(staging: path)?.giveBackLinks()
    } catch {
      // The link goes on with the program, whose pin alone goes.
      kept.append("\(error.diagnostic.message): \(error.diagnostic.found ?? "")")
    }
    var result = remove(tree.pins)
    result.remaining += kept
    for directory in tree.directories {
      if directory.withSystemPath({ unsafe rmdir($0) }) != 0, Glibc.errno != ENOENT {
        result.remaining.append(SystemError("rmdir", path: directory, errno: Glibc.errno).description)
      }
    }
    if result.remaining.isEmpty { removeEmptyParents(of: path) }
    return result
  }

  /// Removes pins one after another: links come before the programs that they hold, so that none outlives its pin.
  static func remove(_ pins: [String]) -> Result {
    var result = Result()
    for pin in pins {
      do throws(SystemError) {
        if try unregister(pin) { result.unregistered.append(pin) }
      } catch {
        // Without its pin nobody could find it again.
        result.remaining.append("\(pin): still registered: \(error)")
        continue
      }
      if pin.withSystemPath({ unsafe unlink($0) }) == 0 {
        result.removed.append(pin)
      } else {
        result.remaining.append(SystemError("unlink", path: pin, errno: Glibc.errno).description)
      }
    }
    return result
  }

  /// A load makes what is missing above its pins, for its own user alone. What others made for many has other permissions.
  private static func removeEmptyParents(of path: String) {
    var parent = path[...]
    while let slash = parent.lastIndex(of: "/"), slash != parent.startIndex {
      parent = parent[..<slash]
      let directory = String(parent)
      guard let status = try? FileStatus.of(path: directory, followLinks: false), status.kind == .directory,
        status.mode & 0o7777 == PinDirectories.mode, status.owner == UInt64(geteuid()),
        directory.withSystemPath({ unsafe rmdir($0) }) == 0
      else { return }
    }
  }

  /// A path as the pins below it are named.
  static func absolute(_ path: String) throws(UnloadError) -> String {
    var path = path
    do throws(SystemError) { path = try Directory.absolute(path) } catch { throw .system(error) }
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }

  /// Unregisters the structure of functions in a pinned struct_ops map; false when it is no such map or has nothing
  /// registered. One that is registered through a link (BPF_F_LINK) goes with the link's pin.
  private static func unregister(_ pin: String) throws(SystemError) -> Bool {
    let object = try BPF.pinned(at: pin)
    guard try BPF.isMap(object) else { return false }
    let info = try BPF.mapInfo(object)
    guard MapType(rawValue: info.type) == .structOps, info.flags & MapFlag.link.rawValue == 0 else { return false }
    return try BPF.delete(object, key: [0, 0, 0, 0])
  }
}
