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
        expected: "a directory of a BPF file system with prog/, map/ and link/, and pins in them alone", found: found,
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
    public let removed: [String]
    /// The pins among them whose structures of functions (struct_ops) were registered until now.
    public let unregistered: [String]
    /// Pins and directories that could not be removed, each with the reason.
    public let remaining: [String]
  }

  /// Links go first: a program that is still attached would outlive its pin.
  private static let kinds = ["link", "prog", "map"]

  /// Removes the pins below `path`, and the directories that held them, be they empty. Everything is looked at before anything goes.
  ///
  /// - Throws: ``UnloadError`` when the directory is on another file system or holds anything else; nothing is removed.
  public static func unload(pinPath path: String) throws(UnloadError) -> Result {
    let pins = try pins(below: path)
    var removed: [String] = []
    var unregistered: [String] = []
    var remaining: [String] = []
    for pin in pins {
      do throws(SystemError) {
        if try unregister(pin) { unregistered.append(pin) }
      } catch {
        // Without its pin nobody could find it again.
        remaining.append("\(pin): still registered: \(error)")
        continue
      }
      if pin.withSystemPath({ unsafe unlink($0) }) == 0 {
        removed.append(pin)
      } else {
        remaining.append(SystemError("unlink", path: pin, errno: Glibc.errno).description)
      }
    }
    for directory in kinds.map({ "\(path)/\($0)" }) + [path] {
      if directory.withSystemPath({ unsafe rmdir($0) }) != 0, Glibc.errno != ENOENT {
        remaining.append(SystemError("rmdir", path: directory, errno: Glibc.errno).description)
      }
    }
    return Result(removed: removed, unregistered: unregistered, remaining: remaining)
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

  private static func pins(below path: String) throws(UnloadError) -> [String] {
    let names = try names(path)
    // None: a load was killed before its first pin.
    if let other = names.first(where: { !kinds.contains($0) }) { throw .notOurs(path: path, found: "also `\(other)`") }
    var pins: [String] = []
    for kind in kinds where names.contains(kind) {
      for name in try Self.names("\(path)/\(kind)") {
        let pin = "\(path)/\(kind)/\(name)"
        guard try isPin(pin) else { throw .notOurs(path: path, found: "also `\(kind)/\(name)`, which is no pin") }
        pins.append(pin)
      }
    }
    return pins
  }

  /// The names in a directory of a BPF file system.
  private static func names(_ path: String) throws(UnloadError) -> [String] {
    let type: UInt64
    let names: [String]
    do throws(SystemError) {
      type = try OwnedFD.open(path, [.path, .directory, .noFollow]).fileSystemType()
      names = try Directory.names(path)
    } catch {
      throw .system(error)
    }
    guard type == FileSystemMagic.bpf.rawValue else { throw .notOurs(path: path, found: "another file system") }
    return names
  }

  /// Everything but a directory or a symbolic link is a pin in a BPF file system.
  private static func isPin(_ path: String) throws(UnloadError) -> Bool {
    do throws(SystemError) {
      return try FileStatus.of(path: path, followLinks: false).kind == .regular
    } catch {
      throw .system(error)
    }
  }
}
