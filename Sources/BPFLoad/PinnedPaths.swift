internal import Glibc
internal import LinuxSys

/// What was pinned and which directories were made for it. All of it is removed again, last first, unless it is kept.
struct PinnedPaths: ~Copyable {
  private var made: [Entry] = []
  private var isKept = false

  private enum Entry {
    case pin(String)
    case directory(String)
  }

  init() {}

  deinit {
    guard !isKept else { return }
    for entry in made.reversed() {
      switch entry {
      case .pin(let path): Cleanup.remove(path)
      // Not empty when somebody else has put something there since; then it stays.
      case .directory(let path): unsafe rmdir(path)
      }
    }
  }

  mutating func keep() {
    isKept = true
    for case .pin(let path) in made { Cleanup.forget(path) }
  }

  /// Makes `path`, and what is missing above it, in a BPF file system that is mounted above it.
  mutating func makeDirectory(_ path: String) throws(BPFLoadError) {
    let parts = path.split(separator: "/").filter { $0 != "." }
    guard path.hasPrefix("/"), !parts.contains("..") else {
      throw .unusablePinPath(path: path, reason: "a path with `..` in it")
    }
    guard let mountPoint = try deepestBPFMountPoint(of: parts) else {
      throw .unusablePinPath(path: path, reason: "no BPF file system is mounted there")
    }
    guard mountPoint < parts.count else {
      throw .unusablePinPath(path: path, reason: "the root of the BPF file system, which belongs to everybody")
    }
    var directory = ""
    for (index, part) in parts.enumerated() {
      directory += "/\(part)"
      if index >= mountPoint { try makeOne(directory) }
    }
  }

  /// Makes one directory below one that exists; an existing directory is used as it is.
  mutating func makeOne(_ path: String) throws(BPFLoadError) {
    do throws(SystemError) {
      try Directory.create(path, mode: 0o700)
      made.append(.directory(path))
    } catch  where error.errno == EEXIST {
      guard let status = try? FileStatus.of(path: path, followLinks: false), status.kind == .directory else {
        throw .unusablePinPath(path: path, reason: "something that is not a directory")
      }
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
  private func deepestBPFMountPoint(of parts: [Substring]) throws(BPFLoadError) -> Int? {
    var devices: [DeviceNumber] = []
    var isBPF = false
    var path = ""
    for count in 0...parts.count {
      path += count == 0 ? "/" : count == 1 ? "\(parts[0])" : "/\(parts[count - 1])"
      do throws(SystemError) {
        let directory = try OwnedFD.open(path, [.path, .directory, .noFollow])
        devices.append(try directory.status().device)
        isBPF = try directory.fileSystemType() == BPF.fileSystemMagic
      } catch  where error.errno == ENOENT {
        break
      } catch {
        throw .unusablePinPath(path: path, reason: error.description)
      }
    }
    guard isBPF, let device = devices.last else { return nil }
    return devices.firstIndex(of: device)
  }
}
