internal import FileSystems
internal import KernelABI
internal import Linux

/// What became of a mount that was taken away.
public struct UnmountedVolume: Equatable, Sendable {
  /// The mount point, without symbolic links; nil when a volume was taken down that was mounted nowhere.
  public let directory: String?
  /// The block device that was mounted.
  public let device: String
  /// Whether the device is gone. While others use it (another mount, an open descriptor, a mount namespace of another
  /// process) it stays, and the kernel takes it down with the last of them.
  public let isGone: Bool
  /// Where the device is still mounted in this mount namespace.
  public let otherMounts: [String]
}

extension ImageMount {
  /// What is mounted on a directory, when it is ours.
  private enum OwnDevice {
    case volume(name: String)
    case loop(path: String)
  }

  /// Unmounts what ``mount(_:_:threads:progress:)`` mounted on a directory, and takes its volume and loop devices down, or
  /// has the kernel do so when their last user is gone.
  ///
  /// - Parameter target: the directory; or a volume of ours, as `/dev/mapper/NAME` or, where no file is called so, as `NAME`.
  ///   A volume need not be mounted: a run that was killed may have left it.
  /// - Throws: ``ActivationError/notOurs(directory:found:)`` or ``ActivationError/bound(directory:found:mount:)`` before
  ///   anything is touched when it is another mount.
  public static func unmount(_ target: String) throws(ActivationError) -> UnmountedVolume {
    guard let name = volumeName(target) else {
      let (path, number) = try mountPoint(target)
      return try unmount(path, number)
    }
    return try takeDown(name)
  }

  private static func volumeName(_ target: String) -> String? {
    let nodes = KernelStatement.mappedNode.place("")
    if target.hasPrefix(nodes) { return String(target.dropFirst(nodes.utf8.count)) }
    let isFile = (try? FileStatus.of(path: target, followLinks: false)) != nil
    return target.hasPrefix(prefix) && !target.utf8.contains(UInt8(ascii: "/")) && !isFile ? target : nil
  }

  private static func unmount(_ path: String, _ number: DeviceNumber) throws(ActivationError) -> UnmountedVolume {
    let device = try ownDevice(number, on: path)
    try requireOwnMount(path, of: number)
    do throws(SystemError) {
      // Before it is unmounted, so that nothing remains of a run that is killed in between, and by the number, which no
      // other device has while it is mounted. `mount` says so to the kernel, but earlier versions did not.
      if case .volume = device { _ = try DeviceMapper.open().removeWhenUnused(number) }
      try Mount.unmount(path)
    } catch {
      throw .system(error, doing: "`\(path)` was not unmounted")
    }
    let others = Mount.shownPlaces(of: number)
    switch device {
    case .loop(let loop):
      let isGone = others.isEmpty && goes { KernelFile.read(.loopBackingFile, number.description) == .absent }
      return UnmountedVolume(directory: path, device: loop, isGone: isGone, otherMounts: others)
    case .volume(let name):
      return UnmountedVolume(
        directory: path, device: KernelStatement.mappedNode.place(name),
        isGone: others.isEmpty && goes { !isThere(number, named: name) }, otherMounts: others)
    }
  }

  /// Unmounts a volume where it is mounted by us, and takes it down where it is not mounted.
  private static func takeDown(_ name: String) throws(ActivationError) -> UnmountedVolume {
    let node = KernelStatement.mappedNode.place(name)
    let found: DeviceMapper.Device?
    let places: [Mount.Place]
    do throws(SystemError) {
      found = try DeviceMapper.open().device(named: name)
      places = try found.map { (device) throws(SystemError) in try Mount.places(of: device.number) } ?? []
    } catch {
      throw .system(error, doing: "the volume `\(name)` cannot be looked at")
    }
    guard let volume = found else {
      throw .system(SystemError("umount", path: node, .enoent), doing: "there is no volume `\(name)`")
    }
    guard name.hasPrefix(prefix), volume.uuid.hasPrefix(identifierPrefix) else {
      throw .notOurs(directory: node, found: "the volume `\(name)`")
    }
    if let own = places.first(where: { $0.root == "/" }) {
      let (path, number) = try mountPoint(own.path)
      guard number == volume.number else {
        throw .notOurs(directory: own.path, found: "device \(number), which lies over the mount of `\(name)`")
      }
      return try unmount(path, number)
    }
    do throws(SystemError) {
      _ = try DeviceMapper.open().removeWhenUnused(volume.number)
    } catch {
      throw .deactivation(name: name, error)
    }
    let others = places.map { $0.path }
    return UnmountedVolume(
      directory: nil, device: node, isGone: others.isEmpty && goes { !isThere(volume.number, named: name) },
      otherMounts: others)
  }

  /// Where it cannot be asked, it is there: nothing is said to be gone that may not be.
  private static func isThere(_ number: DeviceNumber, named name: String) -> Bool {
    switch KernelFile.read(.mappedName, number.description) {
    case .text(let other): other == name
    case .absent: false
    case .unknown: true
    }
  }

  private static func mountPoint(
    _ directory: String
  ) throws(ActivationError) -> (path: String, number: DeviceNumber) {
    do throws(SystemError) {
      let path = try Directory.resolved(directory)
      let status = try FileStatus.of(path: path)
      let parent = try FileStatus.of(path: "\(path)/..")
      guard status.device != parent.device else {
        throw SystemError("umount", path: directory, .einval)
      }
      return (path, status.device)
    } catch {
      throw .system(error, doing: "`\(directory)` is no mount point")
    }
  }

  /// Refuses a directory on which others have bound our mount or a part of it. Of several mounts of the whole file system,
  /// ours is the first.
  private static func requireOwnMount(_ path: String, of number: DeviceNumber) throws(ActivationError) {
    let mounts: [Mount.Place]
    let index: Int
    do throws(SystemError) {
      mounts = try Mount.places(of: number)
      // What was mounted on a path last lies over the others.
      guard let last = mounts.lastIndex(where: { $0.path == path }) else {
        throw SystemError.unanswered(
          .mounts, at: KernelStatement.mounts.place(), found: "no mount of device \(number) on `\(path)`")
      }
      index = last
    } catch {
      throw .system(error, doing: "whose mount `\(path)` is, is not known")
    }
    let own = mounts.firstIndex { $0.root == "/" }
    guard own != index else { return }
    let mount = own.map { mounts[$0].path }
    let whole = mount.map { "what is mounted on `\($0)`" } ?? "a mounted image"
    let found =
      mounts[index].root == "/"
      ? "\(whole), bound there by others" : "the directory `\(mounts[index].root)` of \(whole), bound there by others"
    throw .bound(directory: path, found: found, mount: mount)
  }

  /// What libcryptsetup begins the UUIDs of verity volumes with.
  private static let identifierPrefix = "CRYPT-VERITY-"

  /// Nothing of this is a proof, nor has it to be: it keeps us from taking down what others made.
  private static func ownDevice(_ number: DeviceNumber, on directory: String) throws(ActivationError) -> OwnDevice {
    let type: UInt64
    do throws(SystemError) {
      type = try OwnedFD.open(directory, [.path, .directory]).fileSystemType()
    } catch {
      throw .system(error, doing: "`\(directory)` cannot be looked at")
    }
    guard FileSystemFormat(statfs: type) != nil else {
      throw .notOurs(directory: directory, found: "another file system, on device \(number)")
    }
    let answers: (name: String?, uuid: String?, isLoop: Bool)
    do throws(SystemError) {
      answers = (
        try KernelFile.ask(.mappedName, "\(number)"), try KernelFile.ask(.mappedIdentifier, "\(number)"),
        try KernelFile.has(.loopBackingFile, "\(number)")
      )
    } catch {
      throw .system(error, doing: "whose mount `\(directory)` is, is not known")
    }
    if let name = answers.name {
      guard name.hasPrefix(prefix), answers.uuid?.hasPrefix(identifierPrefix) == true else {
        throw .notOurs(directory: directory, found: "the volume `\(name)`")
      }
      return .volume(name: name)
    }
    guard answers.isLoop else { throw .notOurs(directory: directory, found: "device \(number)") }
    let loop: LoopStatus
    let node: String
    do throws(SystemError) {
      node = try KernelDevice.nodePath(of: number)
      loop = try KernelDevice.openBlock(number).loopStatus()
    } catch {
      throw .system(error, doing: "device \(number), which is mounted on `\(directory)`, cannot be looked at")
    }
    guard loop.label == loopLabel else {
      throw .notOurs(directory: directory, found: "`\(node)`, which another program set up")
    }
    return .loop(path: node)
  }

  /// Waits a little for what the kernel does behind the back of umount(2): udev may look at the device once more.
  static func goes(_ isGone: () -> Bool) -> Bool {
    for _ in 0..<20 {
      if isGone() { return true }
      Timestamp.pause(milliseconds: 10)
    }
    return isGone()
  }
}
