internal import KernelABI
internal import Glibc
internal import Linux

/// What was pinned and which directories were made for it. All of it is removed again, last first, unless it is kept.
struct PinnedPaths: ~Copyable {
  private let directories: PinDirectories
  private var made: [Entry] = []
  private var isKept = false
  private var held: OwnedFD?

  private enum Entry {
    case pin(String)
    case directory(String)
  }

  /// - Parameter directories: those that other loads of the run use as well.
  init(_ directories: PinDirectories) { self.directories = directories }

  deinit {
    guard !isKept else { return }
    for entry in made.reversed() {
      switch entry {
      case .pin(let path): Cleanup.remove(path)
      case .directory(let path): directories.leave(path)
      }
    }
  }

  /// Holds the lock of a directory that was made, so that other runs see that this one lives.
  mutating func hold(_ path: String) throws(BPFLoadError) {
    do throws(SystemError) {
      let directory = try OwnedFD.open(path, [.readOnly, .directory, .noFollow])
      _ = try directory.tryLockExclusively()
      held = consume directory
    } catch {
      throw .pinRefused(path: path, error: error)
    }
  }

  mutating func keep() {
    isKept = true
    held = nil
    for case .pin(let path) in made { Cleanup.forget(path) }
  }

  /// Makes `path`, and what is missing above it, in a BPF file system that is mounted above it.
  mutating func makeDirectory(_ path: String) throws(BPFLoadError) {
    let paths = try Self.directories(of: path)
    // What another load of this run has entered lies in a BPF file system; asking again takes twenty system calls.
    let known = directories.enterKnown(paths)
    if known > 0 {
      made += paths[..<known].map { .directory($0) }
      for path in paths[known...] { try makeOne(path) }
      return
    }
    for path in paths[try Self.mountPoint(of: paths, for: path)...] { try makeOne(path) }
  }

  /// The directories of a path, from the first below the root to the path itself.
  private static func directories(of path: String) throws(BPFLoadError) -> [String] {
    let parts = path.split(separator: "/").filter { $0 != "." }
    guard path.hasPrefix("/"), !parts.contains("..") else {
      throw .unusablePinPath(path: path, reason: "a path with `..` in it")
    }
    var paths: [String] = []
    for part in parts { paths.append("\(paths.last ?? "")/\(part)") }
    return paths
  }

  /// How many of the directories lead to the root of the BPF file system that the path lies in, below its root.
  private static func mountPoint(of paths: [String], for path: String) throws(BPFLoadError) -> Int {
    guard let mountPoint = try deepestBPFMountPoint(of: paths) else {
      throw .noBPFFileSystem(path: path, mounted: Mount.places(ofType: "bpf"))
    }
    guard mountPoint < paths.count else {
      throw .unusablePinPath(path: path, reason: "the root of the BPF file system, which all programs share")
    }
    return mountPoint
  }

  /// Refuses a directory and names that ``makeDirectory(_:)`` and ``pin(_:at:)`` would refuse, without making anything.
  ///
  /// - Parameter pins: where something is going to be pinned below it.
  static func requireFree(_ path: String, for pins: [String]) throws(BPFLoadError) {
    let paths = try directories(of: path)
    let places = paths[try mountPoint(of: paths, for: path)...] + ["map", "prog", "link"].map { "\(path)/\($0)" }
    for place in places {
      guard let status = try? FileStatus.of(path: place, followLinks: false) else { continue }
      guard status.kind == .directory else {
        throw .unusablePinPath(path: place, reason: "something that is not a directory")
      }
    }
    for pin in pins where (try? FileStatus.of(path: pin, followLinks: false)) != nil {
      throw .pinRefused(path: pin, error: SystemError("bpf BPF_OBJ_PIN", path: pin, .eexist))
    }
  }

  /// Makes one directory below one that exists; an existing directory is used as it is.
  mutating func makeOne(_ path: String) throws(BPFLoadError) {
    do throws(SystemError) {
      try directories.enter(path)
      made.append(.directory(path))
    } catch  where error.code == .eexist {
      throw .unusablePinPath(path: path, reason: "something that is not a directory")
    } catch {
      throw .pinRefused(path: path, error: error)
    }
  }

  mutating func pin(_ object: KernelObject, at path: String) throws(BPFLoadError) {
    do throws(SystemError) {
      // Removed also when a signal ends the process before the pins are kept.
      try Cleanup.making(path) { () throws(SystemError) in try BPF.pin(object, at: path) }
      made.append(.pin(path))
    } catch {
      throw .pinRefused(path: path, error: error)
    }
  }

  /// How many components of the path lead to the root of the BPF file system that the path lies in; nil when the
  /// deepest directory that exists is in another file system.
  private static func deepestBPFMountPoint(of paths: [String]) throws(BPFLoadError) -> Int? {
    var devices: [DeviceNumber] = []
    var isBPF = false
    for path in ["/"] + paths {
      do throws(SystemError) {
        let directory = try OwnedFD.open(path, [.path, .directory, .noFollow])
        devices.append(try directory.status().device)
        isBPF = try directory.fileSystemType() == FileSystemMagic.bpf.rawValue
      } catch  where error.code == .enoent {
        break
      } catch {
        throw .unusablePinPath(path: path, reason: error.description)
      }
    }
    guard isBPF, let device = devices.last else { return nil }
    return devices.firstIndex(of: device)
  }
}
