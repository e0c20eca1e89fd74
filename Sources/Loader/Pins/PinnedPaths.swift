internal import KernelABI
internal import Glibc
internal import Linux

/// What was pinned and which directories were made for it. All of it is removed again, last first, unless it is kept.
struct PinnedPaths: ~Copyable {
  private let directories: PinDirectories
  private var made: [Entry] = []
  private var isKept = false

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
    var paths: [String] = []
    for part in parts { paths.append("\(paths.last ?? "")/\(part)") }
    // What another load of this run has entered lies in a BPF file system; asking again takes twenty system calls.
    let known = directories.enterKnown(paths)
    if known > 0 {
      made += paths[..<known].map { .directory($0) }
      for path in paths[known...] { try makeOne(path) }
      return
    }
    guard let mountPoint = try deepestBPFMountPoint(of: parts) else {
      throw .unusablePinPath(path: path, reason: "no BPF file system is mounted there")
    }
    guard mountPoint < parts.count else {
      throw .unusablePinPath(path: path, reason: "the root of the BPF file system, which belongs to everybody")
    }
    for path in paths[mountPoint...] { try makeOne(path) }
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
  private func deepestBPFMountPoint(of parts: [Substring]) throws(BPFLoadError) -> Int? {
    var devices: [DeviceNumber] = []
    var isBPF = false
    var path = ""
    for count in 0...parts.count {
      path += count == 0 ? "/" : count == 1 ? "\(parts[0])" : "/\(parts[count - 1])"
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
